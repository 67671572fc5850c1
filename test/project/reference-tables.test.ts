/** Words that programs and administrators look up: error codes and reasons of the log. All of them occur, all are documented. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serverReasons } from '../../src/identity/reasons/server.ts';
import { unansweredReasons } from '../../src/identity/reasons/unanswered.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const sources = execFileSync(
  'git',
  ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'src', 'adapters'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .split('\0')
  .filter((path) => path.endsWith('.ts'));

/** The string literals of a union type. */
function unionOf(path: string, name: string): readonly string[] {
  const body = new RegExp(`export type ${name} =([^;]*);`).exec(read(path))?.[1] ?? '';
  return [...body.matchAll(/'([^']+)'/g)].map(([, word = '']) => word);
}

/** First cells of the tables under a heading, where they are code. @param heading left out: of the whole page */
function documented(path: string, word: RegExp, heading?: string): readonly string[] {
  const begin = heading === undefined ? '' : `\n## ${heading}\n`;
  const [, text = ''] = begin === '' ? ['', read(path)] : read(path).split(begin);
  const section = begin === '' ? text : (text.split('\n## ')[0] ?? '');
  return [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = '']) => cell).filter((cell) => word.test(cell));
}

for (const { what, type, definedIn, documentedIn, form, heading } of [
  {
    what: 'error code',
    type: 'SspiAuthErrorCode',
    definedIn: 'src/foundation/errors.ts',
    documentedIn: 'docs/accounts.md',
    form: /^ERR_SSPI_AUTH_\w+$/,
    heading: undefined,
  },
  {
    what: 'reason of the log',
    type: 'AuditReason',
    definedIn: 'src/authenticator/audit.ts',
    documentedIn: 'docs/logging.md',
    form: /^[a-z]+-[a-z-]+$/,
    heading: 'Reasons',
  },
]) {
  describe(`every ${what}`, () => {
    const words = unionOf(definedIn, type);

    it('is documented, and nothing else is', () => {
      assert.ok(words.length > 5, 'the union was found');
      assert.deepEqual([...documented(documentedIn, form, heading)].sort(), [...words].sort());
    });

    it('occurs: something gives it', () => {
      // In its own file it is named once more than in the type.
      const uses = (word: string): number =>
        sources.reduce((sum, path) => sum + read(path).split(`'${word}'`).length - 1, 0);
      assert.deepEqual(
        words.filter((word) => uses(word) < 2),
        [],
      );
    });
  });
}

describe('every cause of a missing answer, and every advice', () => {
  it('is documented, and nothing else is', () => {
    const form = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
    const fields = ['host', 'client', 'offered', 'causes', 'diagnosis', 'peer', 'requests', 'clients', 'others'];
    const causes = documented('docs/logging.md', form, 'Asked for credentials, and none came');
    assert.deepEqual(causes.filter((word) => !fields.includes(word)).sort(), Object.keys(unansweredReasons).sort());
    const advice = Object.entries(serverReasons).flatMap(([id, { said }]) => (said === 'once' ? [id] : []));
    // What is said where there is no logger has no record.
    assert.deepEqual(
      [...documented('docs/logging.md', form, 'Advice').filter((word) => word !== 'advice'), 'no-logger'].sort(),
      [...advice, 'preflight'].sort(),
    );
  });
});
