/**
 * Consumers of the packed tarball: an application of each framework, as an ES module and as CommonJS, on every Node that
 * is supported; curl signs in. `npm test` runs them with the packages of this repository, `npm run test:full` with those
 * that npm installs: the newest of the registry, and the oldest that package.json allows.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { onAnyPort, portLine } from '../lab/any-port.ts';
import { curl } from '../lab/curl.ts';
import { full, matrixRows } from '../lab/matrix.ts';
import { nodeBinary, nodeMajors } from '../lab/node-binary.ts';
import { tier } from '../lab/tier.ts';
import { consumerPrograms, programText } from './consumer-programs.ts';
import type { ModuleKind } from './consumer-programs.ts';
import { linkedConsumers, newestConsumers, oldestConsumers } from './consumer-projects.ts';
import type { ConsumerProject } from './consumer-projects.ts';
import { compiler } from './packed-project.ts';

const ready = await tier('curl');

const kinds: readonly ModuleKind[] = ['ES module', 'CommonJS'];
const own = Number.parseInt(process.versions.node, 10);

/** Starts a program: a stranger and a wrong password stay out, and alice comes in. */
async function signsIn(project: ConsumerProject, node: string, file: string): Promise<void> {
  await using app = await project.start(node, [...onAnyPort, file]);
  const [, port = ''] = await app.waitForLine(portLine);
  const url = `http://127.0.0.1:${port}/`;
  assert.equal((await curl([url])).status, 401);
  assert.equal((await curl(['--ntlm', '-u', 'alice:wrong', url])).status, 401);
  const { status, body } = await curl(['--ntlm', '-u', 'alice:Wonderland-7', url]);
  assert.deepEqual([status, body], [200, 'LAB\\alice'], app.output.stderr);
}

/** One installation for both parts. */
let project: ConsumerProject;
before(async () => {
  if (ready.skip === false) project = await (full() ? newestConsumers() : linkedConsumers());
});
after(async () => {
  if (ready.skip === false) await project[Symbol.asyncDispose]();
});

describe('consumers of the packed tarball', { ...ready, concurrency: 2 }, () => {
  before(async () => {
    for (const program of consumerPrograms) {
      await project.write(program, 'app.mjs', programText(program, 'ES module'));
      await project.write(program, 'app.cjs', programText(program, 'CommonJS'));
    }
  });

  const majors = full() ? nodeMajors : [own];
  // readme.test.ts has signed in to these two already, where the rest is left out.
  const known = (name: string, kind: ModuleKind): boolean =>
    !full() && kind === 'ES module' && (name === 'Express 5' || name === 'Fastify 5');
  const rows = consumerPrograms
    .flatMap((program) => kinds.flatMap((kind) => majors.map((major) => ({ program, kind, major }))))
    .filter(({ program, kind }) => !known(program.name, kind));
  for (const { program, kind, major } of matrixRows(rows, (row) =>
    row.kind === 'CommonJS' ? row.kind : row.program.name,
  )) {
    it(`${program.name}, ${kind}, Node ${major}`, async () => {
      const file = project.file(program, kind === 'CommonJS' ? 'app.cjs' : 'app.mjs');
      await signsIn(project, await nodeBinary(major), file);
    });
  }
});

/** How a consumer's TypeScript finds modules, and what it makes of them. */
interface Compilation {
  readonly module: string;
  readonly moduleResolution: string;
  readonly kind: ModuleKind;
  /** The compiler of this repository instead of the newest one. */
  readonly ours?: boolean;
}

const compilations: readonly Compilation[] = [
  { module: 'nodenext', moduleResolution: 'nodenext', kind: 'ES module' },
  { module: 'nodenext', moduleResolution: 'nodenext', kind: 'CommonJS' },
  { module: 'nodenext', moduleResolution: 'nodenext', kind: 'ES module', ours: true },
  { module: 'node20', moduleResolution: 'node16', kind: 'ES module' },
  { module: 'node20', moduleResolution: 'node16', kind: 'CommonJS' },
  { module: 'node16', moduleResolution: 'node16', kind: 'ES module' },
  { module: 'esnext', moduleResolution: 'bundler', kind: 'ES module' },
  { module: 'preserve', moduleResolution: 'bundler', kind: 'ES module' },
];

/** Compiles every program, beside itself: its typed.mts or typed.cts. Gives what the compiler says. */
async function compile(
  project: ConsumerProject,
  { module, moduleResolution, kind, ours }: Compilation,
): Promise<string> {
  const name = kind === 'CommonJS' ? 'typed.cts' : 'typed.mts';
  const options = ['--strict', '--exactOptionalPropertyTypes', '--skipLibCheck', '--esModuleInterop'];
  options.push('--target', 'es2023', '--types', 'node', '--module', module, '--moduleResolution', moduleResolution);
  const words = [...options, ...consumerPrograms.map((program) => project.file(program, name))];
  // The newest compiler is no program of Node; npm has linked what starts it.
  const newest = join(project.path, 'node_modules/.bin/tsc');
  const { stdout } = await (ours === true
    ? project.run(process.execPath, [compiler, ...words])
    : project.run(newest, words));
  return stdout;
}

if (full()) {
  describe('consumers in TypeScript', ready, () => {
    before(async () => {
      for (const program of consumerPrograms) {
        // What is CommonJS by its name is written as an ES module, too.
        for (const name of ['typed.mts', 'typed.cts']) {
          await project.write(program, name, programText(program, 'ES module'));
        }
      }
    });

    for (const row of compilations) {
      const { module, moduleResolution, kind, ours = false } = row;
      const whose = ours ? "this repository's" : 'the newest';
      it(`${kind}, module ${module}, moduleResolution ${moduleResolution}, ${whose} compiler`, async () => {
        assert.equal(await compile(project, row), '');
        for (const program of consumerPrograms) {
          const file = project.file(program, kind === 'CommonJS' ? 'typed.cjs' : 'typed.mjs');
          await signsIn(project, process.execPath, file);
        }
      });
    }

    it('the types are sound where the compiler looks into packages', async () => {
      const program = consumerPrograms.flatMap(({ imports }) => imports.map(([, from]) => from));
      const entries = [...new Set(program), 'sspi-auth/sspi', 'sspi-auth/testing', 'sspi-auth/winrm'];
      const imports = entries.filter((name) => name.startsWith('sspi-auth')).map((name) => `import '${name}';`);
      await writeFile(join(project.path, 'entries.mts'), imports.join('\n'));
      const words = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2023', '--types', 'node'];
      const newest = join(project.path, 'node_modules/.bin/tsc');
      const { stdout } = await project.run(newest, [...words, '--module', 'nodenext', 'entries.mts']);
      // Packages that others made may err; they are said by their own paths.
      assert.doesNotMatch(stdout, /^node_modules\/sspi-auth\//m);
    });

    it('what docs/modules.md says of the others', async () => {
      const old = await compile(project, { module: 'node16', moduleResolution: 'node16', kind: 'CommonJS' });
      assert.match(old, /error TS1479/);
      assert.doesNotMatch(old, /error TS(?!1479)/);
    });
  });
}

/** The programs that the oldest release of a peer runs. */
const programOfPeer: Readonly<Record<string, string>> = {
  express: 'Express 5',
  fastify: 'Fastify 5',
  koa: 'Koa 3',
  hono: 'Hono 4',
  passport: 'Passport 0.7',
};

if (full()) {
  describe('consumers with the oldest frameworks that package.json allows', ready, () => {
    let oldest: ConsumerProject;
    let peers: ReadonlyMap<string, string>;
    before(async () => {
      const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
        readonly peerDependencies: Readonly<Record<string, string>>;
      };
      peers = new Map(
        Object.keys(programOfPeer).map((name) => {
          const version = /\d+(?:\.\d+)*/.exec(manifest.peerDependencies[name] ?? '')?.[0] ?? '';
          return [name, version.split('.').length === 3 ? version : `~${version}.0`];
        }),
      );
      oldest = await oldestConsumers(peers);
    });
    after(() => oldest[Symbol.asyncDispose]());

    for (const [peer, name] of Object.entries(programOfPeer)) {
      it(peer, async () => {
        const program = consumerPrograms.find((one) => one.name === name);
        assert.ok(program !== undefined);
        await oldest.write(program, 'app.mjs', programText(program, 'ES module'));
        await signsIn(oldest, process.execPath, oldest.file(program, 'app.mjs'));
      });
    }
  });
}
