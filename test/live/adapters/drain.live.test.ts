/** A process that leaves by `close({ drain })` and `server.close()`: nobody is cut off, and it ends by itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { begin, forgedTokens, ntlmField, whoIs } from '../../adapters/raw-clients.ts';
import { curl } from '../../lab/curl.ts';
import { root } from '../../lab/documents.ts';
import { matrixRows } from '../../lab/matrix.ts';
import { startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');

const frameworks = ['node:http', 'Express 5', 'Fastify 5', 'Koa 3', 'Hono 4'];

describe('a process that leaves', ready, () => {
  for (const framework of matrixRows(frameworks, () => 'framework')) {
    it(`${framework}: requests and handshakes under way end, new ones are turned away, exit code 0`, async () => {
      const script = join(root, 'test/adapters/draining-process.ts');
      await using app = await startProcess(process.execPath, [...programWords(script), framework], { cwd: root });
      const [, port = ''] = await app.waitForLine(/^port: (\d+)$/);
      const url = `http://127.0.0.1:${port}/`;
      const alice = ['--ntlm', '-u', 'alice:Wonderland-7'];
      // Signed in, with a request under way that the application takes its time for.
      const slow = curl([...alice, url, `${url}slow`]);
      await app.waitForLine(/^slow request$/);
      // Between the legs of a handshake.
      await using pending = await RawConnection.open(Number(port));
      using tokens = forgedTokens({});
      const challenge = await begin(pending, tokens);

      process.kill(app.pid, 'SIGTERM');
      await app.waitForLine(/^draining$/);
      const late = await curl([...alice, url]);
      assert.deepEqual([late.status, late.headers.get('retry-after')], [503, ['1']]);
      const last = await pending.exchange({ fields: [ntlmField(tokens.last(challenge))] });
      assert.equal(whoIs(last), 'alice');
      process.kill(app.pid, 'SIGUSR2');
      await app.waitForLine(/^drained$/);
      const { responses } = await slow;
      assert.deepEqual(
        responses.map(({ status }) => status),
        [401, 200, 200],
      );
      const { code, signal } = await app.ended;
      assert.deepEqual([code, signal], [0, null]);
    });
  }
});
