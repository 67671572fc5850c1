/** Every fenced block of the documents is run by a test, or says why it cannot be. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { allBlocks, blockProblem, blockTests, blocksIn, commandsOf } from '../lab/document-blocks.ts';
import { readDocument, root } from '../lab/documents.ts';

describe('the fenced blocks of the documents', () => {
  it('are run, or say why they cannot be', () => {
    const blocks = allBlocks();
    assert.ok(blocks.length >= 60, `${blocks.length} blocks were found`);
    assert.deepEqual(
      blocks.flatMap((block) => blockProblem(block) ?? []),
      [],
    );
  });

  it('are run by tests that exist and take them from the list', () => {
    for (const [language, path] of Object.entries(blockTests)) {
      assert.ok(existsSync(join(root, path)), path);
      const source = readDocument(path);
      const taken = ['js', 'ts'].includes(language) ? 'codeBlocks' : `blocksOf('${language}')`;
      assert.ok(source.includes(taken), `${path} takes its blocks by ${taken}`);
    }
  });
});

describe('these tests themselves', () => {
  const problems = (markdown: string): string[] =>
    blocksIn('a.md', markdown).flatMap((block) => blockProblem(block) ?? []);

  it('find a block that nothing runs', () => {
    assert.match(problems('# A\n\n```\nls\n```\n').join(), /^a\.md:3: no test runs blocks of ""/);
    assert.match(problems('```cobol\nls\n```\n').join(), /^a\.md:1: no test runs blocks of "cobol"/);
    assert.deepEqual(problems('```sh\nls\n```\n'), []);
  });

  it('find a reason that is empty, and take one that is not', () => {
    assert.match(problems('<!-- not run: -->\n\n```sh\nls\n```\n').join(), /gives no reason/);
    assert.match(problems('<!-- not run: Windows -->\n\n```bat\nls\n```\n').join(), /gives no reason/);
    assert.deepEqual(problems('<!-- not run: a command of Windows -->\n\n```bat\nls\n```\n'), []);
    // The comment is about the block that follows it, and no other.
    assert.equal(problems('<!-- not run: a command of Windows -->\n\nText.\n\n```bat\nls\n```\n').length, 1);
  });

  it('read commands without comments, continued lines as one', () => {
    assert.deepEqual(commandsOf('a b  # c\n# d\n\ne \\\n  f\ncurl http://x/#y'), ['a b', 'e f', 'curl http://x/#y']);
  });
});
