/** The programs that docs/ shows, run as they stand: curl signs in to each. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocket } from 'ws';
import { onAnyPort, portLine } from '../../lab/any-port.ts';
import { curl } from '../../lab/curl.ts';
import { codeBlocks, readDocument, root } from '../../lab/documents.ts';
import { startProcess } from '../../lab/process.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
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

  it('A14: WebSockets: odd targets, resets and broken frames do not end the process, and open nothing', async () => {
    await using server = await program('docs/websockets.md', "from 'ws'");
    const { authority } = server;
    const port = Number(authority.split(':')[1]);
    const upgrade = [
      ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    for (const target of [
      '//',
      '/\\',
      '//[',
      'http://[',
      '/?ticket',
      '/?ticket=%',
      '/?ticket=__proto__',
      '*',
      '/?%00',
    ]) {
      await using connection = await RawConnection.open(port);
      const { status } = await connection.exchange({ target, fields: upgrade });
      assert.ok([400, 401].includes(status), `${target}: ${status}`);
    }
    for (let count = 0; count < 50; count++) {
      const connection = await RawConnection.open(port);
      connection.send({ fields: upgrade, body: 'x'.repeat(1000) });
      if (count % 2 === 0) await turn();
      connection.socket.resetAndDestroy();
    }
    for (const broken of [Buffer.alloc(64, 0xff), Buffer.from([0x81, 0x01, 0x41])]) {
      const { body } = await curl([...alice, '-X', 'POST', `http://${authority}/ticket`]);
      const { ticket } = JSON.parse(body) as { ticket: string };
      await using connection = await RawConnection.open(port);
      assert.equal((await connection.exchange({ target: `/?ticket=${ticket}`, fields: upgrade })).status, 101);
      connection.socket.write(broken);
      await connection.ended();
    }
    assert.equal((await curl([...alice, '-X', 'POST', `http://${authority}/ticket`])).status, 200);
  });
});
