/**
 * Who may import whom. The table below is the architecture: a file belongs to the first layer whose pattern fits its path,
 * and may import its own layer and those it names. Type imports count as well.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { architectureProblems } from './lab/architecture.ts';
import type { Architecture } from './lab/architecture.ts';

const architecture: Architecture = {
  layers: [
    // The foundation: no state, no I/O.
    { name: 'errors', path: 'src/errors.ts', mayImport: [] },
    { name: 'thenable', path: 'src/thenable.ts', mayImport: [] },
    { name: 'formats', path: 'src/formats/', mayImport: ['errors'], modules: ['node:buffer'] },
    { name: 'crypto', path: 'src/crypto/', mayImport: ['errors', 'formats'], modules: ['node:crypto'] },

    // The contract, who judges by it, and the security packages behind it.
    {
      name: 'sspi',
      path: 'src/sspi/',
      mayImport: ['errors', 'formats', 'crypto'],
      modules: ['node:crypto'],
    },
    {
      name: 'accounts',
      path: 'src/accounts/',
      mayImport: ['errors', 'formats', 'crypto', 'sspi'],
      modules: ['node:'],
    },
    {
      name: 'packages',
      path: 'src/packages/',
      mayImport: ['errors', 'thenable', 'formats', 'crypto', 'sspi', 'accounts'],
      modules: ['node:'],
      siblings: 'apart',
    },
    {
      name: 'native',
      path: 'src/native/',
      mayImport: ['errors', 'formats', 'crypto', 'sspi', 'accounts'],
      modules: ['node:', 'koffi'],
    },
    { name: 'contract', path: 'src/sspi.ts', mayImport: ['errors', 'sspi', 'accounts', 'providers'] },

    // HTTP: knows the contract and no package.
    { name: 'identity', path: ['src/identity.ts', 'src/require-group.ts'], mayImport: ['errors', 'formats', 'sspi'] },
    {
      name: 'context info',
      path: 'src/security-context-info.ts',
      mayImport: ['errors', 'thenable', 'sspi', 'identity'],
      // The last words of a process that may not go on as somebody else.
      modules: ['node:fs'],
    },
    {
      name: 'http',
      path: 'src/http/',
      mayImport: ['errors', 'formats', 'sspi', 'identity', 'context info'],
      modules: ['node:'],
    },
    { name: 'audit', path: 'src/audit.ts', mayImport: ['thenable'], modules: ['node:diagnostics_channel'] },
    {
      name: 'options',
      path: ['src/options.ts', 'src/option-values.ts'],
      mayImport: ['errors', 'sspi', 'accounts', 'identity', 'audit'],
      modules: ['node:os'],
    },
    {
      name: 'authenticator',
      path: ['src/authenticator.ts', 'src/acceptor.ts', 'src/admission.ts'],
      mayImport: ['errors', 'thenable', 'formats', 'sspi', 'http', 'identity', 'context info', 'audit', 'options'],
    },

    // The only door to the packages and to native code.
    {
      name: 'providers',
      path: 'src/providers.ts',
      mayImport: ['errors', 'formats', 'sspi', 'accounts', 'packages', 'native', 'http', 'options', 'audit'],
      modules: ['node:'],
    },

    // The public face, and what stands on it.
    { name: 'create', path: 'src/create-authenticator.ts', mayImport: ['authenticator', 'options', 'providers'] },
    { name: 'server options', path: 'src/recommended-server-options.ts', mayImport: [], modules: ['node:'] },
    {
      name: 'index',
      path: 'src/index.ts',
      mayImport: [
        'errors',
        'accounts',
        'identity',
        'context info',
        'http',
        'audit',
        'options',
        'authenticator',
        'create',
        'server options',
      ],
    },
    { name: 'express adapter', path: 'adapters/express.ts', mayImport: ['index'], modules: ['node:', 'express'] },
    { name: 'fastify adapter', path: 'adapters/fastify.ts', mayImport: ['index'], modules: ['node:', 'fastify'] },
    { name: 'node adapter', path: 'adapters/node.ts', mayImport: ['index'], modules: ['node:'] },
    { name: 'cli', path: 'src/cli/', mayImport: 'anything', modules: ['node:', 'sspi-auth/package.json'] },
  ],
  forbiddenNames: ['utils', 'util', 'helpers', 'helper', 'misc', 'common', 'shared', 'lib'],
  longestFile: 400,
};

/** What may stand at the top of the repository, beside files whose names begin with a dot. */
const topLevel = [
  'adapters',
  'bench',
  'CHANGELOG.md',
  'docs',
  'examples',
  'LICENSE',
  'package-lock.json',
  'package.json',
  'README.md',
  'src',
  'test',
  'tsconfig.json',
];

const root = fileURLToPath(new URL('..', import.meta.url));

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
      { 'src/errors.ts': "export * from './identity.ts';", 'src/identity.ts': '' },
      /\(errors\) imports src\/identity\.ts/,
    ],
    [
      'a dynamic import of native code outside the door',
      { 'src/authenticator.ts': "await import('./native/gssapi/a.ts');", 'src/native/gssapi/a.ts': '' },
      /\(authenticator\) imports src\/native\/gssapi\/a\.ts/,
    ],
    [
      'a type written as import(…)',
      { 'src/audit.ts': "let a: import('./options.ts').Settings;", 'src/options.ts': '' },
      /\(audit\) imports src\/options\.ts/,
    ],
    ['koffi outside native', { 'src/providers.ts': "import koffi from 'koffi';" }, /may not import the module koffi/],
    [
      'koffi through require',
      { 'src/providers.ts': "createRequire(import.meta.url)('koffi'); require('koffi');" },
      /may not import the module koffi/,
    ],
    [
      'a framework in the wrong adapter',
      { 'adapters/fastify.ts': "import express from 'express';" },
      /may not import the module express/,
    ],
    [
      'an adapter past the public face',
      { 'adapters/node.ts': "import { a } from '../src/authenticator.ts';", 'src/authenticator.ts': '' },
      /\(node adapter\) imports src\/authenticator\.ts/,
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
    ['a file of no layer', { 'src/stray.ts': '' }, /src\/stray\.ts belongs to no layer/],
    ['a file that does not exist', { 'src/sspi/a.ts': "import './b.ts';" }, /src\/sspi\/b\.ts, which does not exist/],
    ['a name without meaning', { 'src/http/utils.ts': '' }, /src\/http\/utils\.ts says nothing/],
    ['a folder without meaning', { 'src/sspi/helpers/a.ts': '' }, /says nothing/],
    ['a long file', { 'src/errors.ts': '\n'.repeat(401) }, /src\/errors\.ts has 401 lines/],
  ];
  for (const [name, sources, expected] of violations) {
    it(`finds ${name}`, () => assert.match(problemsOf(sources).join('\n'), expected));
  }

  it('is content with what is allowed', () => {
    assert.deepEqual(
      problemsOf({
        'src/errors.ts': '',
        'src/sspi/a.ts': "import './b.ts'; // import './c.ts'",
        'src/sspi/b.ts': "import '../errors.ts'; const text = \"import './c.ts'\"; void text;",
        'src/native/gssapi/a.ts': "import type koffi from 'koffi'; import '../../sspi/a.ts'; void import('koffi');",
      }),
      [],
    );
  });
});
