import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { escapeHtml } from '../../src/cli/html.ts';
import { descriptionLines } from '../../src/cli/description.ts';
import { escapeUnsafe, printable } from '../../src/foundation/text.ts';

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Bidi_Control}|\p{Surrogate}/u;

describe('A09: unsafe characters', () => {
  it('are the same in the log, in a terminal and in HTML, which keeps its white space', () => {
    const onTerminal = (text: string): string =>
      descriptionLines({ title: text, highlights: [], fields: [] }).join('\n');
    for (let code = 0; code < 0x10000; code++) {
      const character = String.fromCharCode(code);
      const escaped = unsafe.test(character) ? `\\u${code.toString(16).padStart(4, '0')}` : character;
      for (const shown of [escapeUnsafe(character), printable(character), onTerminal(character)]) {
        assert.equal(shown, escaped);
      }
      if ('&<>"\''.includes(character)) continue;
      assert.equal(escapeHtml(character), '\t\n\r'.includes(character) ? character : escaped);
    }
  });

  it('are not whole surrogate pairs, only halves', () => {
    assert.equal(escapeUnsafe('\u{1f600}'), '\u{1f600}');
    assert.equal(escapeUnsafe('\udc00\ud800'), '\\udc00\\ud800');
  });
});
