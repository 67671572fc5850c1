import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anchors, codeSpans, fences, linkTargets } from './markdown.ts';

describe('Markdown', () => {
  const markdown = [
    '# What `request.user` is',
    '[a](docs/a.md#b), ![b](b.png), [c](#d-e) and `[no](none.md)`',
    '```ts file=a.ts',
    'const a = `[no](none.md)`;',
    '# no heading',
    '```',
    '| `a` | ``b ` c`` |',
    '```',
    'plain',
    '```',
    '## 2. The keytab: who, _how_?',
    '## Ümlaut & more',
    '## Twice',
    '## Twice',
    '## [Linked](a.md) words',
  ].join('\n');

  it('has fenced blocks, with language, note and line', () => {
    assert.deepEqual(fences(`${markdown}\n`), [
      { language: 'ts', note: 'file=a.ts', code: 'const a = `[no](none.md)`;\n# no heading\n', line: 3 },
      { language: '', note: '', code: 'plain\n', line: 8 },
    ]);
  });

  it('has links outside code', () => {
    assert.deepEqual(linkTargets(markdown), ['docs/a.md#b', 'b.png', '#d-e', 'a.md']);
  });

  it('has code within lines', () => {
    assert.deepEqual(codeSpans(markdown), ['request.user', '[no](none.md)', 'a', 'b ` c']);
  });

  it('has the anchors that GitHub gives', () => {
    assert.deepEqual(anchors(markdown), [
      'what-requestuser-is',
      '2-the-keytab-who-how',
      'ümlaut--more',
      'twice',
      'twice-1',
      'linked-words',
    ]);
  });
});
