/** docs/options.md says what the option tables say, and so does the editor of whoever writes an option. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { format } from 'prettier';
import { optionDocumentation } from '../lab/option-documentation.ts';

describe('docs/options.md', () => {
  it('is what the option tables make of it: npm run docs:options', async () => {
    const written = await readFile(new URL('../../docs/options.md', import.meta.url), 'utf8');
    assert.equal(written, await format(optionDocumentation(), { parser: 'markdown' }));
  });
});
