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

describe('commands of Windows in the documents', () => {
  it('have a link to Microsoft’s page for them in the same part', () => {
    // What no page needs to explain.
    const plain = ['set', 'node'];
    let linked = 0;
    for (const { path, line, code, place } of allBlocks().filter(({ language }) =>
      /^(?:bat|powershell)$/.test(language),
    )) {
      const lines = readDocument(path).split('\n');
      const start = lines.slice(0, line).findLastIndex((text) => text.startsWith('#'));
      const length = lines.slice(line).findIndex((text) => text.startsWith('## '));
      const part = lines.slice(start, length < 0 ? undefined : line + length).join('\n');
      for (const command of commandsOf(code)) {
        const [program = ''] = command.split(' ');
        if (plain.includes(program)) continue;
        const links = part.match(/https:\/\/learn\.microsoft\.com\/[\w/-]+/g) ?? [];
        assert.ok(
          links.some((link) => link.endsWith(`/${program.toLowerCase()}`)),
          `${place}: no link for ${program}`,
        );
        linked++;
      }
    }
    assert.ok(linked >= 8);
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
