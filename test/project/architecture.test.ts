/**
 * Who may import whom. The table below is the architecture: a file belongs to the layer of its innermost folder, and may
 * import its own layer and those it names, which all lie on a lower floor. Type imports count as well.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { architectureProblems } from '../lab/architecture.ts';
import type { Architecture } from '../lab/architecture.ts';

const foundation = 'foundation';
/** What everybody above the contract may use. */
const ground = [foundation, 'formats', 'crypto', 'sspi'];
const reasons = 'reasons';

const architecture: Architecture = {
  // From the ground up: a layer imports only layers that stand above it in this list.
  layers: [
    { name: foundation, path: 'src/foundation/', mayImport: [], modules: ['node:crypto', 'node:fs', 'node:v8'] },
    { name: 'formats', path: 'src/formats/', mayImport: [foundation], modules: ['node:buffer'] },
    { name: 'crypto', path: 'src/crypto/', mayImport: [foundation, 'formats'], modules: ['node:crypto'] },

    // The contract.
    { name: 'sspi', path: 'src/sspi/', mayImport: [foundation, 'formats', 'crypto'] },

    // What a person is told who has to mend something. Everybody above says it in these words.
    { name: reasons, path: 'src/identity/reasons/', mayImport: [foundation] },

    // Who verifies a password or a response, and who the client is.
    { name: 'accounts', path: 'src/accounts/', mayImport: [...ground, reasons], modules: ['node:'] },
    {
      name: 'identity',
      path: 'src/identity/',
      mayImport: [...ground, reasons],
      // The last words of a process that may not go on as somebody else.
      modules: ['node:fs'],
    },

    // What several processes share.
    { name: 'stores', path: 'src/stores/', mayImport: [foundation, reasons], modules: ['node:'] },
    // The sealed cookie that stands for a sign-in.
    {
      name: 'sessions',
      path: 'src/sessions/',
      mayImport: [...ground, reasons, 'identity', 'stores'],
      modules: ['node:', 'jose'],
    },
    // What both providers of Kerberos share: this library's own, and GSSAPI.
    { name: 'kerberos', path: 'src/kerberos/', mayImport: [...ground, reasons, 'identity'], modules: ['node:'] },

    // HTTP without policy: knows no package. Beside it the security packages, which know no HTTP.
    { name: 'http', path: 'src/http/', mayImport: [...ground, reasons, 'identity'], modules: ['node:'] },
    {
      name: 'packages',
      path: 'src/packages/',
      mayImport: [...ground, reasons, 'accounts', 'identity', 'stores', 'kerberos'],
      modules: ['node:'],
      siblings: 'apart',
    },
    { name: 'native calls', path: 'src/native/native-calls.ts', mayImport: [] },
    { name: 'deep binding', path: 'src/native/deep-binding.ts', mayImport: [], modules: ['koffi'] },
    {
      name: 'koffi',
      path: 'src/native/koffi.ts',
      mayImport: [foundation, 'native calls', 'deep binding'],
      modules: ['node:', 'koffi'],
    },
    {
      name: 'secur32',
      path: 'src/native/secur32/',
      mayImport: [...ground, reasons, 'accounts', 'identity', 'native calls', 'koffi'],
      modules: ['node:', 'koffi'],
    },
    {
      name: 'gssapi calls',
      path: 'src/native/gssapi/call/',
      mayImport: [...ground, reasons, 'kerberos', 'koffi'],
      modules: ['node:', 'koffi'],
    },
    {
      name: 'gssapi keytabs',
      path: 'src/native/gssapi/keytab/',
      mayImport: [...ground, reasons, 'kerberos', 'koffi', 'gssapi calls'],
      modules: ['node:'],
    },
    {
      name: 'MIT krb5',
      path: 'src/native/gssapi/mit/',
      mayImport: [...ground, reasons, 'kerberos', 'koffi', 'gssapi calls', 'gssapi keytabs'],
      modules: ['node:'],
    },
    {
      name: 'Heimdal',
      path: 'src/native/gssapi/heimdal/',
      mayImport: [...ground, reasons, 'kerberos', 'koffi', 'gssapi calls', 'gssapi keytabs'],
      modules: ['node:'],
    },
    {
      name: 'gssapi',
      path: 'src/native/gssapi/',
      mayImport: [
        ...ground,
        reasons,
        'identity',
        'kerberos',
        'koffi',
        'gssapi calls',
        'gssapi keytabs',
        'MIT krb5',
        'Heimdal',
      ],
      modules: ['node:'],
    },

    // Policy. Its providers are the only door to the packages and to native code.
    {
      name: 'policy',
      path: 'src/authenticator/',
      // Of the packages it takes the entries of option tables.
      mayImport: [...ground, reasons, 'accounts', 'identity', 'stores', 'sessions', 'http', 'packages'],
      modules: ['node:os', 'node:net', 'node:diagnostics_channel'],
    },
    {
      name: 'providers',
      path: 'src/authenticator/providers/',
      mayImport: [
        ...ground,
        reasons,
        'accounts',
        'stores',
        'kerberos',
        'packages',
        'native calls',
        'secur32',
        'gssapi',
        'policy',
      ],
      modules: ['node:', 'selfsigned'],
    },
    {
      name: 'create',
      path: 'src/authenticator/create-authenticator.ts',
      mayImport: ['policy', 'providers'],
    },

    // Encrypted messages of WinRM: middleware that stands before the authenticator.
    { name: 'winrm', path: 'src/winrm/', mayImport: [...ground, reasons, 'http', 'policy'], modules: ['node:'] },

    // The public faces, and what stands on them.
    { name: 'contract', path: 'src/contract.ts', mayImport: ['sspi', 'providers'] },
    {
      name: 'index',
      path: 'src/index.ts',
      mayImport: [foundation, 'accounts', 'identity', 'stores', 'http', 'packages', 'policy', 'create'],
    },
    { name: 'express adapter', path: 'adapters/express.ts', mayImport: ['index'], modules: ['node:', 'express'] },
    { name: 'fastify adapter', path: 'adapters/fastify.ts', mayImport: ['index'], modules: ['node:', 'fastify'] },
    { name: 'node adapter', path: 'adapters/node.ts', mayImport: ['index'], modules: ['node:'] },
    { name: 'koa adapter', path: 'adapters/koa.ts', mayImport: ['index'], modules: ['node:', 'koa'] },
    { name: 'hono adapter', path: 'adapters/hono.ts', mayImport: ['index'], modules: ['node:', 'hono'] },
    {
      name: 'passport adapter',
      path: 'adapters/passport.ts',
      // Passport runs on Express, and its routes are guarded as those of Express are.
      mayImport: ['index', 'express adapter'],
      modules: ['node:', 'express'],
    },
    { name: 'users of tests', path: 'adapters/testing/', mayImport: ['index'], modules: ['node:'] },
    {
      name: 'testing adapter',
      path: 'adapters/testing.ts',
      mayImport: [
        'index',
        'users of tests',
        'express adapter',
        'fastify adapter',
        'hono adapter',
        'koa adapter',
        'node adapter',
      ],
      // Their types alone.
      modules: ['node:', 'fastify', 'hono'],
    },
    { name: 'winrm adapter', path: 'adapters/winrm.ts', mayImport: ['winrm'] },
    { name: 'cli', path: 'src/cli/', mayImport: 'anything', modules: ['node:', 'sspi-auth/package.json'] },
  ],
  forbiddenNames: ['utils', 'util', 'helpers', 'helper', 'misc', 'common', 'shared', 'lib'],
  longestFile: 400,
};

/** What may stand at the top of the repository, beside files whose names begin with a dot. */
const topLevel = [
  'adapters',
  'ARCHITECTURE.md',
  'bench',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'docs',
  'examples',
  'LICENSE',
  'package-lock.json',
  'package.json',
  'README.md',
  'SECURITY.md',
  'src',
  'test',
  'tsconfig.json',
];

/** Folders of test/ that mirror nothing of src: test grounds, real counterparts, the project as a whole, data, the kit. */
const testGrounds = ['adapters', 'lab', 'live', 'package', 'project', 'types', 'vectors', 'windows'];

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Files of the repository: what git knows, or would know after `git add`. */
function repositoryFiles(): string[] {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', words, { cwd: root, encoding: 'utf8' });
  const deleted = execFileSync('git', ['ls-files', '-z', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\0');
  return listed.split('\0').filter((path) => path !== '' && !deleted.includes(path));
}

describe('the architecture', () => {
  const files = repositoryFiles();

  it('holds in src and adapters', () => {
    const sources = files.filter((path) => /^(src|adapters)\/.*\.ts$/.test(path));
    const texts = new Map(sources.map((path) => [path, readFileSync(`${root}${path}`, 'utf8')]));
    assert.ok(texts.size > 20, 'the sources were found');
    assert.deepEqual(architectureProblems(texts, architecture), []);
  });

  it('has no loose file in src but the public faces', () => {
    const loose = files.filter((path) => /^src\/[^/]+$/.test(path));
    assert.deepEqual(loose.sort(), ['src/contract.ts', 'src/index.ts']);
  });

  it('has tests that mirror src, beside the test grounds', () => {
    const folders = new Set(files.flatMap((path) => /^src\/(.*)\/[^/]+$/.exec(path)?.[1] ?? []));
    const strays = files.filter((path) => {
      const folder = /^test\/(.*)\/[^/]+$/.exec(path)?.[1];
      if (folder === undefined) return path.startsWith('test/') && path !== 'test/run.ts';
      return !folders.has(folder) && !testGrounds.includes(folder.split('/')[0] ?? '');
    });
    assert.deepEqual(strays, []);
  });

  it('has nothing at the top of the repository that does not belong there', () => {
    // node_modules is a symbolic link in a second worktree, which .gitignore does not cover.
    const entries = new Set(files.map((path) => path.split('/')[0] ?? ''));
    const foreign = [...entries].filter(
      (name) => !name.startsWith('.') && name !== 'node_modules' && !topLevel.includes(name),
    );
    assert.deepEqual(foreign, []);
  });
});

describe('the architecture test itself', () => {
  const problemsOf = (sources: Record<string, string>): string[] =>
    architectureProblems(new Map(Object.entries(sources)), architecture);
  const violations: [name: string, sources: Record<string, string>, expected: RegExp][] = [
    [
      'an import against the direction',
      { 'src/formats/a.ts': "import { b } from '../sspi/b.ts';", 'src/sspi/b.ts': '' },
      /src\/formats\/a\.ts \(formats\) imports src\/sspi\/b\.ts \(sspi\)/,
    ],
    [
      'a type import against the direction',
      { 'src/sspi/a.ts': "import type { B } from '../http/b.ts';", 'src/http/b.ts': '' },
      /\(sspi\) imports src\/http\/b\.ts/,
    ],
    [
      'an export against the direction',
      { 'src/foundation/a.ts': "export * from '../identity/b.ts';", 'src/identity/b.ts': '' },
      /\(foundation\) imports src\/identity\/b\.ts/,
    ],
    [
      'a dynamic import of native code outside the door',
      { 'src/authenticator/a.ts': "await import('../native/gssapi/a.ts');", 'src/native/gssapi/a.ts': '' },
      /\(policy\) imports src\/native\/gssapi\/a\.ts/,
    ],
    [
      'a type written as import(…)',
      { 'src/http/a.ts': "let a: import('../authenticator/options.ts').Settings;", 'src/authenticator/options.ts': '' },
      /\(http\) imports src\/authenticator\/options\.ts/,
    ],
    [
      'koffi outside native',
      { 'src/authenticator/providers/offered-schemes.ts': "import koffi from 'koffi';" },
      /may not import the module koffi/,
    ],
    [
      'koffi through require',
      {
        'src/authenticator/providers/offered-schemes.ts': "createRequire(import.meta.url)('koffi'); require('koffi');",
      },
      /may not import the module koffi/,
    ],
    [
      'a framework in the wrong adapter',
      { 'adapters/fastify.ts': "import express from 'express';" },
      /may not import the module express/,
    ],
    [
      'an adapter past the public face',
      {
        'adapters/node.ts': "import { a } from '../src/authenticator/authenticator.ts';",
        'src/authenticator/authenticator.ts': '',
      },
      /\(node adapter\) imports src\/authenticator\/authenticator\.ts/,
    ],
    [
      'a package in another package',
      { 'src/packages/ntlm/a.ts': "import { b } from '../digest/b.ts';", 'src/packages/digest/b.ts': '' },
      /src\/packages\/ntlm\/a\.ts imports its sibling src\/packages\/digest\/b\.ts/,
    ],
    [
      'a circle',
      {
        'src/sspi/a.ts': "import { b } from './b.ts';",
        'src/sspi/b.ts': "import { c } from './c.ts';",
        'src/sspi/c.ts': "import { a } from './a.ts';",
      },
      /circle: src\/sspi\/a\.ts -> src\/sspi\/b\.ts -> src\/sspi\/c\.ts -> src\/sspi\/a\.ts/,
    ],
    [
      'the lower floor of a folder that imports the upper one',
      { 'src/native/gssapi/call/a.ts': "import '../b.ts';", 'src/native/gssapi/b.ts': '' },
      /\(gssapi calls\) imports src\/native\/gssapi\/b\.ts \(gssapi\)/,
    ],
    ['a file of no layer', { 'src/stray.ts': '' }, /src\/stray\.ts belongs to no layer/],
    ['a file that does not exist', { 'src/sspi/a.ts': "import './b.ts';" }, /src\/sspi\/b\.ts, which does not exist/],
    ['a name without meaning', { 'src/http/utils.ts': '' }, /src\/http\/utils\.ts says nothing/],
    ['a folder without meaning', { 'src/sspi/helpers/a.ts': '' }, /says nothing/],
    ['a long file', { 'src/foundation/errors.ts': '\n'.repeat(401) }, /src\/foundation\/errors\.ts has 401 lines/],
  ];
  for (const [name, sources, expected] of violations) {
    it(`finds ${name}`, () => assert.match(problemsOf(sources).join('\n'), expected));
  }

  it('finds a layer that may import one above it', () => {
    const layers = [
      { name: 'low', path: 'src/low/', mayImport: ['high'] },
      { name: 'high', path: 'src/high/', mayImport: [] },
    ];
    assert.deepEqual(architectureProblems(new Map(), { ...architecture, layers }), [
      'layer low may import high, which is not below it',
    ]);
  });

  it('is content with what is allowed', () => {
    assert.deepEqual(
      problemsOf({
        'src/foundation/errors.ts': '',
        'src/sspi/a.ts': "import './b.ts'; // import './c.ts'",
        'src/sspi/b.ts': "import '../foundation/errors.ts'; const text = \"import './c.ts'\"; void text;",
        'src/native/koffi.ts':
          "import type koffi from 'koffi'; import '../foundation/errors.ts'; void import('koffi');",
        'src/native/gssapi/call/a.ts': "import '../../koffi.ts'; import '../../../sspi/a.ts';",
        'src/native/gssapi/a.ts': "import './call/a.ts';",
      }),
      [],
    );
  });
});
