import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { LONGEST_REASON, reason, rowText } from '../../../src/identity/reasons/reason.ts';
import { argumentFields, listed, shownFields } from '../../../src/identity/reasons/show.ts';
import { anchors } from '../../lab/markdown.ts';
import { commandsOf, marks, reasonDocumentation, rows, valuesOf } from '../../lab/reason-documentation.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

/** Programs of printed commands that test/live/lab/cures.live.test.ts runs. */
const driven = ['chown', 'date', 'kadmin.local', 'kdestroy', 'klist', 'kvno', 'pdbedit', 'samba-tool'];

describe('the table of reasons', () => {
  const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.startsWith('identity/reasons/'))
    .map((path) => read(`src/${path}`));

  it('has no row that nobody says', () => {
    const unused = rows.map(([id]) => id).filter((id) => !sources.some((text) => text.includes(`'${id}'`)));
    assert.deepEqual(unused, []);
  });

  it('points at headings of docs/troubleshooting.md', () => {
    const headings = anchors(read('docs/troubleshooting.md'));
    const strays = rows.filter(([, { anchor }]) => !headings.includes(anchor)).map(([id, { anchor }]) => [id, anchor]);
    assert.deepEqual(strays, []);
  });

  it('is what docs/logging.md lists: npm run docs:reasons', async () => {
    const [, part = ''] = read('docs/logging.md').split(marks[0]);
    const made = await format(reasonDocumentation(), { parser: 'markdown', printWidth: 120, singleQuote: true });
    assert.equal(part.split(marks[1])[0]?.trim(), made.trim());
  });

  it('has a command in its cure for every command, and the other way round', () => {
    for (const [id, row] of rows) {
      const values = valuesOf(row, (field, kind) => (kind === 'names' ? [field] : field));
      const cure = row.cure?.(shownFields(row.fields, values), argumentFields(row.fields, values)) ?? '';
      const printed = [...cure.matchAll(/`([^`]+)`/g)].map(([, command]) => command);
      const declared = row.commands(argumentFields(row.fields, values)).map(({ command }) => command);
      assert.deepEqual([...new Set(printed)].sort(), [...new Set(declared)].sort(), id);
    }
  });

  it('has commands that the tests run, and for those of Windows the page of Microsoft', () => {
    const here = new Set<string>();
    for (const [id, row] of rows) {
      for (const command of commandsOf(row)) {
        const [program = ''] = command.command.split(' ');
        if (command.runs === 'here') here.add(program);
        else assert.match(command.page, /^https:\/\/learn\.microsoft\.com\/en-us\/[\w./()=-]+$/, id);
      }
    }
    assert.deepEqual([...here].sort(), driven);
  });
});

describe('the text of a reason', () => {
  it('never loses its cure, whatever its fields are', () => {
    for (const [id, row] of rows) {
      const values = valuesOf(row, (_, kind) => {
        if (kind === 'number') return 99_999_999;
        return kind === 'names'
          ? Array.from({ length: 100 }, (_each, index) => `${index}/`.repeat(400))
          : '/é '.repeat(2000);
      });
      const cure = row.cure?.(shownFields(row.fields, values), argumentFields(row.fields, values)) ?? '';
      assert.ok(cure.length < LONGEST_REASON - 100, `${id}: ${cure.length}`);
      assert.ok(rowText(row, values).startsWith(cure), id);
      assert.ok(rowText(row, values).length <= LONGEST_REASON, id);
    }
  });

  it('has five names of a list, each once', () => {
    assert.equal(listed(['a', 'b', 'a']), 'a, b');
    assert.equal(listed(['1', '2', '3', '4', '5', '6', '7']), '1, 2, 3, 4, 5 and 2 more');
    assert.equal(listed([]), 'none');
  });

  it('of a keytab with twelve entries and no fitting one: the cure, then the names', () => {
    const names = Array.from(
      { length: 12 },
      (_, index) => `HTTP/host-number-${index}.department.test.local@TEST.LOCAL`,
    );
    const text = reason('keytab-lacks-service', {
      service: 'HTTP/alias.test.local@TEST.LOCAL',
      spn: 'HTTP/alias.test.local',
      keytab: '/etc/http.keytab',
      names,
    });
    assert.match(text, /^export a key for HTTP\/alias\.test\.local@TEST\.LOCAL to the keytab \/etc\/http\.keytab /);
    assert.match(text, /host-number-4\.department\.test\.local@TEST\.LOCAL and 7 more\)$/);
    assert.ok(text.length < LONGEST_REASON);
  });

  it('A09: has no text of a client that could forge a line, or a command', () => {
    const hostile = 'HTTP/a`; rm -rf / #\r\nsspi-auth: $(reboot) \u202e"\'&|';
    for (const [id, row] of rows) {
      const values = valuesOf(row, (_, kind) => (kind === 'number' ? 1 : kind === 'names' ? [hostile] : hostile));
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(rowText(row, values), /[\u0000-\u001f\u202e]/, id);
      for (const { command } of row.commands(argumentFields(row.fields, values))) {
        const words = command.replaceAll(/'(?:[^'])*'/g, '');
        assert.doesNotMatch(words, /[`;$&|#"<>()\r\n]/, id);
      }
    }
    assert.equal(argumentFields({ spn: 'name' }, { spn: '-e' }).spn, 'SPN');
    assert.equal(argumentFields({ path: 'path' }, { path: "/my keytab's" }).path, `'/my keytab'\\''s'`);
  });

  it('A21: has no token and no hash', () => {
    const secrets = [
      '8cc19b6a8cfeac299c2871c86b38de28',
      '8CC19B6A8CFEAC299C2871C86B38DE28',
      'YIIGgYJKoZIhvcSAQICAQBuggZwMIIGbKADAgEFoQMCAQ6iBwMFACAAAACjggVlYYIFYTCCBV2gAwIBBQ==',
      'TlRMTVNTUAADAAAAGAAYAGoAAABcAVwBggAAAAgACABYAAAACgAKAGAAAAAAAAAAagAAAAAAAADeAQAABQKIogUBKAoAAAAP',
    ];
    for (const [id, row] of rows) {
      for (const secret of secrets) {
        // The paths are the operator's own.
        const values = valuesOf(row, (_, kind) =>
          kind === 'number' ? 1 : kind === 'path' ? '/etc/x' : kind === 'names' ? [`a ${secret}`] : `a ${secret} b`,
        );
        assert.ok(!rowText(row, values).toLowerCase().includes(secret.slice(0, 24).toLowerCase()), id);
      }
    }
  });
});
