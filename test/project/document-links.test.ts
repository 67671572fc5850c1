/** What the documents point at is there: files, headings, options, scripts. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { describe, it } from 'node:test';
import { accountFileOptions } from '../../src/accounts/account-file.ts';
import { limitOptions } from '../../src/authenticator/limit-options.ts';
import { options } from '../../src/authenticator/options.ts';
import { kerberosOptions } from '../../src/native/gssapi/kerberos-auth-data.ts';
import { digestOptions, digestProtocolOptions } from '../../src/packages/digest/digest-auth-data.ts';
import { ntlmOptions } from '../../src/packages/ntlm/ntlm-auth-data.ts';
import { credsspOptions } from '../../src/packages/credssp/credssp-auth-data.ts';
import { schannelOptions } from '../../src/packages/schannel/schannel-auth-data.ts';
import { documents, readDocument, root } from '../lab/documents.ts';
import { anchors, codeSpans, fences, linkTargets } from '../lab/markdown.ts';

const all = documents();

/** Links of a document that lead nowhere. */
function brokenLinks(path: string, markdown: string): string[] {
  return linkTargets(markdown).filter((target) => {
    if (/^https?:/.test(target)) return false;
    const [file = '', anchor] = target.split('#');
    const place = file === '' ? path : join(dirname(path), decodeURIComponent(file));
    if (file !== '' && !existsSync(join(root, place))) return true;
    if (anchor === undefined) return false;
    if (extname(place) !== '.md') return true;
    return !anchors(place === path ? markdown : readDocument(place)).includes(decodeURIComponent(anchor));
  });
}

/** npm scripts that a document tells its reader to run. */
function scriptsNamedIn(markdown: string): string[] {
  const code = [...codeSpans(markdown), ...fences(markdown).map((fence) => fence.code)].join('\n');
  const named = [...code.matchAll(/\bnpm (?:run (?:--\S+ )*([\w:]+)|(test|start)\b)/g)];
  return [...new Set(named.map(([, name, test]) => name ?? test ?? ''))];
}

/** Files of this repository that a document names in code: `src/http/outcome.ts`, `test/lab/`. */
function filesNamedIn(markdown: string): string[] {
  return codeSpans(markdown).filter((span) => /^(?:src|adapters|test|docs|examples|bench)\/[\w./-]*$/.test(span));
}

/** Options that a document names by their group or with a value: `limits.tokenBytes`, `anonymous: true`. */
function optionsNamedIn(markdown: string): string[] {
  return codeSpans(markdown).flatMap((span) => {
    const member = /^(?:limits|digest)\.\w+$/.exec(span)?.[0];
    if (member !== undefined) return [member];
    return (
      /^([a-z]\w*): (?:['"[{(\d]|true|false|inGroup|memoryAccounts|smbpasswdFile|pino|console)/.exec(span)?.[1] ?? []
    );
  });
}

const optionNames = new Set([
  ...Object.keys(options),
  ...Object.keys(limitOptions).map((name) => `limits.${name}`),
  ...Object.keys(digestProtocolOptions).map((name) => `digest.${name}`),
  ...[accountFileOptions, credsspOptions, digestOptions, kerberosOptions, ntlmOptions, schannelOptions].flatMap(
    (table) => Object.keys(table),
  ),
]);

describe('the documents', () => {
  it('are found', () => {
    for (const path of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/options.md']) {
      assert.ok(all.has(path), path);
    }
  });

  /** What is wrong with any document, each with its path. */
  const problems = (find: (markdown: string, path: string) => readonly string[]): string[] =>
    [...all].flatMap(([path, markdown]) => find(markdown, path).map((problem) => `${path}: ${problem}`));

  it('link to what is there', () => {
    assert.deepEqual(
      problems((markdown, path) => brokenLinks(path, markdown)),
      [],
    );
  });

  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(readDocument('package.json')) as { scripts: Record<string, string> };
    assert.deepEqual(
      problems((markdown) => scriptsNamedIn(markdown).filter((name) => !(name in scripts))),
      [],
    );
  });

  it('name files that exist', () => {
    assert.deepEqual(
      problems((markdown) => filesNamedIn(markdown).filter((name) => !existsSync(join(root, name)))),
      [],
    );
  });

  it('name options that exist', () => {
    // The one about other libraries names theirs, and the threat model those to come.
    const others = ['docs/migrating.md', 'docs/threat-model.md'];
    assert.deepEqual(
      problems((markdown, path) =>
        others.includes(path) ? [] : optionsNamedIn(markdown).filter((name) => !optionNames.has(name)),
      ),
      [],
    );
  });

  it('can all be reached from README.md', () => {
    const reached = new Set(['README.md']);
    for (const path of reached) {
      for (const target of linkTargets(all.get(path) ?? '')) {
        const place = join(dirname(path), target.split('#')[0] ?? '');
        if (all.has(place)) reached.add(place);
      }
    }
    assert.deepEqual(
      [...all.keys()].filter((path) => !reached.has(path)),
      [],
    );
  });

  it('the pages that tell of the house name many of its files', () => {
    assert.ok(filesNamedIn(all.get('ARCHITECTURE.md') ?? '').length > 40);
    assert.ok(filesNamedIn(all.get('CONTRIBUTING.md') ?? '').length > 20);
  });
});

describe('these tests themselves', () => {
  it('find a link to a file or a heading that is not there', () => {
    const markdown =
      '# A\n\n[a](linux.md#2-the-keytab) [b](linux.md#none) [c](none.md) [d](#a) [e](#b) [f](https://x.y)';
    assert.deepEqual(brokenLinks('docs/a.md', markdown), ['linux.md#none', 'none.md', '#b']);
  });

  it('find scripts, files and options where documents name them', () => {
    assert.deepEqual(
      scriptsNamedIn('`npm run a:b`, `npm run --silent c`\n\n```sh\nnpm ci && npm test\n```\nnpm run d'),
      ['a:b', 'c', 'test'],
    );
    assert.deepEqual(filesNamedIn('`src/a.ts`, `src/`, src/b.ts, `src/{a,b}.ts`'), ['src/a.ts', 'src/']);
    assert.deepEqual(
      optionsNamedIn('`limits.a`, `anonymous: true`, `skip: (request) => 1`, `Via`, `Cache-Control: 1`'),
      ['limits.a', 'anonymous', 'skip'],
    );
  });
});
