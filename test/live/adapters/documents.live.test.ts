/** The programs that docs/ shows, run as they stand: curl signs in to each. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { onAnyPort, portLine } from '../../lab/any-port.ts';
import { curl } from '../../lab/curl.ts';
import { codeBlocks, readDocument, root } from '../../lab/documents.ts';
import { startProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const alice = ['--ntlm', '-u', 'alice:Wonderland-7'];
const tsx = fileURLToPath(import.meta.resolve('tsx'));

interface RunningProgram extends AsyncDisposable {
  /** `localhost:<port>` */
  readonly authority: string;
}

/**
 * Starts a program of a document.
 *
 * @param path of the document
 * @param part of the code of its block
 */
async function program(path: string, part: string): Promise<RunningProgram> {
  const folder = await scratchFolder('program');
  try {
    await symlink(join(root, 'node_modules'), folder.file('node_modules'));
    await writeFile(folder.file('package.json'), '{ "type": "module" }');
    const blocks = codeBlocks(readDocument(path));
    for (const { file, code } of blocks) await writeFile(folder.file(file), code);
    const [block, ...others] = blocks.filter(({ code }) => code.includes(part) && code.includes('.listen('));
    assert.ok(block !== undefined && others.length === 0, `${path} has one program with ${part}`);
    const running = await startProcess(process.execPath, ['--import', tsx, ...onAnyPort, block.file], {
      cwd: folder.path,
      // The package by its name is its sources.
      env: { TSX_TSCONFIG_PATH: join(root, 'tsconfig.json') },
    });
    const dispose = async (): Promise<void> => {
      await running.stop();
      await folder.remove();
    };
    try {
      const [, port = ''] = await running.waitForLine(portLine, 60_000);
      return { authority: `localhost:${port}`, [Symbol.asyncDispose]: dispose };
    } catch (error) {
      await dispose();
      throw error;
    }
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

describe('programs of the documents', ready, () => {
  for (const [name, path, part] of [
    ['node:http', 'docs/frameworks.md', 'protect((request, response)'],
    ['Koa', 'docs/frameworks.md', "from 'koa'"],
    ['Hono', 'docs/frameworks.md', "from 'hono'"],
    ['an adapter of one’s own', 'docs/adapters.md', './protect.js'],
  ] as const) {
    it(`${name}: curl signs in, and a stranger does not`, async () => {
      await using server = await program(path, part);
      const url = `http://${server.authority}/`;
      assert.equal((await curl([url])).status, 401);
      assert.equal((await curl(['--ntlm', '-u', 'alice:wrong', url])).status, 401);
      // Two requests over one connection: the second has no token.
      const { body, responses } = await curl([...alice, url, url]);
      assert.match(body, /^Hello \S+\\aliceHello \S+\\alice$/);
      assert.deepEqual(
        responses.map(({ status }) => status),
        [401, 200, 200],
      );
      // A body that waits for the result arrives after it.
      const upload = await curl([...alice, '-H', 'Expect: 100-continue', '--data', 'a body', url]);
      assert.notEqual(upload.status, 401);
    });
  }

  it('WebSockets: a ticket of a signed-in request opens one, once', async () => {
    await using server = await program('docs/websockets.md', "from 'ws'");
    const { authority } = server;
    assert.equal((await curl(['-X', 'POST', `http://${authority}/ticket`])).status, 401);
    const { body } = await curl([...alice, '-X', 'POST', `http://${authority}/ticket`]);
    const { ticket } = JSON.parse(body) as { ticket: string };

    const refused = async (query: string): Promise<number | undefined> => {
      const [, response] = (await once(new WebSocket(`ws://${authority}/${query}`), 'unexpected-response')) as [
        unknown,
        { statusCode?: number },
      ];
      return response.statusCode;
    };
    assert.equal(await refused(''), 401);
    assert.equal(await refused('?ticket=0123456789abcdef0123456789abcdef'), 401);
    const webSocket = new WebSocket(`ws://${authority}/?ticket=${ticket}`);
    const [message] = (await once(webSocket, 'message')) as [Buffer];
    assert.match(message.toString(), /^Hello \S+\\alice$/);
    webSocket.terminate();
    assert.equal(await refused(`?ticket=${ticket}`), 401);
  });
});
