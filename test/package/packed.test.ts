import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { compiler, packedProject } from './packed-project.ts';
import type { PackedProject } from './packed-project.ts';
import { sourceMapSuite } from './source-map-suite.ts';
import { publicTypeSuite } from './public-type-suite.ts';

/** Every entry of package.json's exports, and names it must give. */
const entries: Readonly<Record<string, readonly string[]>> = {
  'sspi-auth': ['createAuthenticator', 'memoryAccounts', 'smbpasswdFile', 'SspiAuthError', 'OptionError'],
  'sspi-auth/sspi': ['acceptSecurityContext', 'acquireCredentialsHandle', 'SEC_E_OK', 'ASC_REQ_CONNECTION'],
  'sspi-auth/express': ['sspiAuth', 'requireUser', 'requireGroup', 'default'],
  'sspi-auth/fastify': ['sspiAuth', 'requireUser', 'requireGroup', 'default'],
  'sspi-auth/node': ['sspiAuth', 'requireUser', 'requireGroup', 'default'],
  'sspi-auth/koa': ['sspiAuth', 'requireUser', 'requireGroup', 'default'],
  'sspi-auth/hono': ['sspiAuth', 'requireUser', 'requireGroup', 'default'],
  'sspi-auth/passport': ['Strategy', 'requireUser', 'requireGroup', 'default'],
  'sspi-auth/testing': ['testAuth'],
  'sspi-auth/winrm': ['winrmEncryption'],
};

/** What one entry gave. */
interface EntryReport {
  readonly names?: readonly string[];
  /** Where it could not be loaded. */
  readonly error?: string;
}

/** What a program prints about the entries: for one kind of module. */
interface EntryReports {
  readonly entries: Readonly<Record<string, EntryReport>>;
  /** Where koffi was loaded, as a module and as a shared object. */
  readonly koffi: readonly string[];
}

/** Loads entries, and prints their names and whether koffi was loaded for them. `load` differs. */
const inspect = (load: string, names: readonly string[]): string => `
  (async () => {
    const entries = {};
    for (const name of ${JSON.stringify(names)}) {
      try { entries[name] = { names: Object.keys(${load}(name)) }; } catch (error) { entries[name] = { error: String(error) }; }
    }
    const modules = Object.keys(require.cache).filter((path) => /koffi/.test(path));
    const objects = process.report.getReport().sharedObjects.filter((path) => /koffi/.test(path));
    console.log(JSON.stringify({ entries, koffi: [...modules, ...objects] }));
  })();
`;

/** The same program for every kind of module; `%import%` differs. */
const program = `
const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);
const options: SspiAuthOptions = { accounts, schemes: ['NTLM', 'Digest'], channelBinding: 'whenSupported' };
const authenticator: Authenticator = createAuthenticator(options);
authenticator.close();
const handler: RequestHandler = expressAuth({ accounts, authorize: (user, request) => user.name === request.path });
const app = express();
app.use(handler);
app.get('/', (request, response) => {
  const name: string | undefined = request.user?.name;
  // @ts-expect-error an Identity has no such property
  response.send([name, request.user?.passwrod, request.sspi?.package]);
});
const server = fastify();
void server.register(fastifyAuth, { accounts });
server.get('/', (request) => request.user?.groups.length ?? 0);
const protect = nodeAuth({ accounts });
export const listener: RequestListener = protect((request, response) => void response.end(request.user?.name));
// @ts-expect-error misspelt
createAuthenticator({ acounts: accounts });
`;

const imports = `
import type { RequestListener } from 'node:http';
import express from 'express';
import type { RequestHandler } from 'express';
import { fastify } from 'fastify';
import { createAuthenticator, memoryAccounts } from 'sspi-auth';
import type { Authenticator, SspiAuthOptions } from 'sspi-auth';
import { sspiAuth as expressAuth } from 'sspi-auth/express';
import fastifyAuth from 'sspi-auth/fastify';
import { sspiAuth as nodeAuth } from 'sspi-auth/node';
`;

const requires = `
import type { RequestListener } from 'node:http';
import express = require('express');
import type { RequestHandler } from 'express';
import { fastify } from 'fastify';
import sspi = require('sspi-auth');
import type { Authenticator, SspiAuthOptions } from 'sspi-auth' with { 'resolution-mode': 'import' };
import expressModule = require('sspi-auth/express');
import fastifyModule = require('sspi-auth/fastify');
import nodeModule = require('sspi-auth/node');
const { createAuthenticator, memoryAccounts } = sspi;
const { sspiAuth: expressAuth } = expressModule;
const { sspiAuth: fastifyAuth } = fastifyModule;
const { sspiAuth: nodeAuth } = nodeModule;
`;

describe('the packed tarball, installed into an empty project', () => {
  let project: PackedProject;
  before(async () => {
    project = await packedProject();
  });
  after(() => project[Symbol.asyncDispose]());

  /** The command as npm links it. Windows has a .cmd file in the link's place, which only a shell starts. */
  const command = (words: readonly string[]): [program: string, words: readonly string[]] =>
    process.platform === 'win32'
      ? [process.execPath, [join(project.installed, project.manifest.bin['sspi-auth'] ?? ''), ...words]]
      : ['node_modules/.bin/sspi-auth', words];

  /** Loads entries in a process of its own. */
  const inspected = async (kind: 'mjs' | 'cjs', names: readonly string[]): Promise<EntryReports> => {
    const program =
      kind === 'cjs'
        ? inspect('require', names)
        : `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);
           ${inspect('await import', names)}`;
    await project.write(`inspect.${kind}`, program);
    // Node 20 and 22 warn once that require(esm) is experimental; that line is Node's, not ours.
    const words = ['--disable-warning=ExperimentalWarning', `inspect.${kind}`];
    const { code, stdout, stderr } = await project.run(process.execPath, words);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as EntryReports;
  };

  it('exports what this test knows', () => {
    const names = Object.keys(project.manifest.exports).filter((name) => name !== './package.json');
    assert.deepEqual(names.map((name) => `sspi-auth${name.slice(1)}`).sort(), Object.keys(entries).sort());
  });

  it('holds what is built and what is to be read, and nothing else', () => {
    const allowed =
      /^(dist\/(src|adapters)\/.*\.(js|d\.ts)(\.map)?|(src|adapters)\/.*\.ts|docs\/.*|examples\/.*\.ts|examples\/nest\/tsconfig\.json|package\.json|[A-Z]+\.md|LICENSE)$/;
    assert.deepEqual(
      project.files.filter((path) => !allowed.test(path)),
      [],
    );
    for (const path of ['package.json', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE']) {
      assert.ok(project.files.includes(path), path);
    }
  });

  for (const [kind, words] of [
    ['mjs', 'imported from an ES module'],
    ['cjs', 'required from CommonJS'],
  ] as const) {
    it(`every entry is ${words}, without a framework and without loading koffi`, async () => {
      const reports = await inspected(kind, Object.keys(entries));
      for (const [entry, expected] of Object.entries(entries)) {
        const { names = [], error } = reports.entries[entry] ?? {};
        assert.equal(error, undefined, entry);
        const missing = expected.filter((name) => !names.includes(name));
        assert.deepEqual(missing, [], entry);
      }
      assert.deepEqual(reports.koffi, []);
    });
  }

  it('CredSSP without a certificate, and without the package that makes one, says what helps', async () => {
    const source = `import { createAuthenticator, memoryAccounts } from 'sspi-auth';
      const accounts = memoryAccounts([{ userName: 'alice', password: 'secret' }]);
      createAuthenticator({ accounts, provider: 'portable', schemes: ['CredSSP'] });`;
    await project.write('credssp.mjs', source);
    const { code, stderr } = await project.run(process.execPath, ['credssp.mjs']);
    assert.notEqual(code, 0);
    assert.match(stderr, /ERR_SSPI_AUTH_NO_ACCEPTOR/);
    assert.match(stderr, /Give credssp: \{ cert, key \}.*npm install selfsigned/);
  });

  it('the look-out for koffi sees koffi', async () => {
    await project.link('@koromix');
    const { koffi } = await inspected('cjs', ['koffi']);
    assert.ok(koffi.length > 0);
  });

  it('does not open what is not exported', async () => {
    const { code, stderr } = await project.run(process.execPath, ['-e', "require('sspi-auth/dist/src/index.js')"]);
    assert.notEqual(code, 0);
    assert.match(stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
  });

  it('signs nobody in without someone to verify: it throws at start', async () => {
    await project.write('start.mjs', "import { sspiAuth } from 'sspi-auth/node'; sspiAuth({ provider: 'portable' });");
    const { code, stderr } = await project.run(process.execPath, ['start.mjs']);
    assert.notEqual(code, 0);
    assert.match(stderr, /ERR_SSPI_AUTH_/);
  });

  it('brings a command that explains itself', async () => {
    const { code, stdout } = await project.run(...command(['--help']));
    assert.equal(code, 0);
    assert.match(stdout, /demo/);
  });

  it('its demo starts in an empty project, and asks who comes', async () => {
    await using demo = await project.start(...command(['demo', '--port', '0']));
    const [, origin = ''] = await demo.waitForLine(/^ {2}(http:\/\/\S+)\/$/, 60_000);
    const response = await fetch(`${origin}/`);
    assert.equal(response.status, 401);
    assert.match(response.headers.get('www-authenticate') ?? '', /NTLM.*Digest/);
  });

  sourceMapSuite(() => project);
  publicTypeSuite(() => project);

  describe('compiles for TypeScript users', () => {
    before(async () => {
      await project.link('@types', 'express', 'fastify', 'hono', 'koa', 'undici-types');
      await project.write('consumer.mts', imports + program);
      await project.write('consumer.cts', requires + program.replace('export const', 'const') + 'void listener;');
      await project.write('consumer.ts', imports + program);
    });
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2023', '--types', 'node'];
    const cases: [name: string, args: readonly string[]][] = [
      ['an ES and a CommonJS module under nodenext', ['--module', 'nodenext', 'consumer.mts', 'consumer.cts']],
      ['a module for a bundler', ['--module', 'esnext', '--moduleResolution', 'bundler', 'consumer.ts']],
    ];
    for (const [name, args] of cases) {
      it(name, async () => {
        const { code, stdout } = await project.run(process.execPath, [compiler, ...strict, '--skipLibCheck', ...args]);
        assert.equal(stdout, '');
        assert.equal(code, 0);
      });
    }
  });
});
