/** Digest of processes that serve the same clients, each with an authenticator of its own, and of MD5 alone. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { describe, it } from 'node:test';
import { sspiAuth } from '../../../adapters/node.ts';
import { memoryAccounts } from '../../../src/index.ts';
import type { DigestOptions, Logger } from '../../../src/index.ts';
import { curl } from '../../lab/curl.ts';
import { listen } from '../../lab/ports.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);
const alice = ['--digest', '-u', 'alice:Wonderland-7'];

/** One worker's request listener; it ends the connection of each challenge, where it is told to. */
function worker(
  digest: DigestOptions | undefined,
  endsConnections = false,
  logger: Logger | false = false,
): RequestListener {
  const protect = sspiAuth({
    accounts,
    logger,
    schemes: ['Digest'],
    ...(digest === undefined ? undefined : { digest }),
  });
  const listener = protect((request, response) => void response.end(request.user?.userName));
  return (request, response) => {
    if (endsConnections) response.setHeader('Connection', 'close');
    listener(request, response);
  };
}

describe('Digest by two workers, a connection each', ready, () => {
  /** Statuses that curl is given: its first connection is the first worker's, all that follow are the second's. */
  async function statuses(first: DigestOptions | undefined, second: DigestOptions | undefined): Promise<number[]> {
    const workers = [worker(first, true), worker(second)];
    let connections = 0;
    const served = new WeakMap<object, RequestListener>();
    const server = createServer((request, response) => served.get(request.socket)?.(request, response));
    server.on('connection', (socket) => {
      const next = workers[Math.min(connections++, 1)];
      if (next !== undefined) served.set(socket, next);
    });
    await using listening = await listen(server);
    const { responses, body } = await curl([...alice, listening.origin]);
    if (responses.at(-1)?.status === 200) assert.equal(body.endsWith('alice'), true);
    return responses.map(({ status }) => status);
  }

  it('with one secret, the nonce of the other is too old: curl tries again and its user is asked nothing', async () => {
    const secret = 'a text of thirty-two bytes or more';
    assert.deepEqual(await statuses({ secret }, { secret: Buffer.from(secret) }), [401, 401, 200]);
  });

  it('E03: without one, the nonce of the other is forged', async () => {
    assert.deepEqual(await statuses(undefined, undefined), [401, 401]);
    assert.deepEqual(await statuses({ secret: 'a'.repeat(32) }, { secret: 'b'.repeat(32) }), [401, 401]);
  });
});

describe('Digest by four workers, a connection for each request, each at the next worker', ready, () => {
  for (const [what, digest, count, diagnosis] of [
    [
      'one secret',
      { secret: 'a'.repeat(32) },
      10,
      /^give the processes one "store".*have all requests of a client reach the same .*: 8 nonces in a row /,
    ],
    ['secrets of their own', undefined, 2, /^give all processes one digest\.secret.*: the nonce is not of this server/],
  ] as const) {
    it(`with ${what}: curl comes to an end, and the log says what is wrong`, async () => {
      const log: string[] = [];
      const keep = (record: object): void => {
        if ('diagnosis' in record) log.push(String(record.diagnosis));
      };
      const logger: Logger = { info: () => undefined, warn: keep, error: keep };
      const workers = Array.from({ length: 4 }, () => worker(digest, true, logger));
      let requests = 0;
      await using listening = await listen(
        createServer((request, response) => workers[requests++ % 4]?.(request, response)),
      );
      const { responses } = await curl([...alice, '--max-time', '20', listening.origin]);
      assert.deepEqual(
        responses.map(({ status }) => status),
        Array(count).fill(401),
      );
      assert.equal(log.length, 1);
      assert.match(log[0] ?? '', diagnosis);
    });
  }
});

describe('Digest of one algorithm', ready, () => {
  it('offers that alone', async () => {
    for (const algorithm of ['MD5', 'SHA-256'] as const) {
      await using listening = await listen(createServer(worker({ algorithms: [algorithm] })));
      const { responses, status } = await curl([...alice, listening.origin]);
      assert.equal(status, 200);
      const challenges = responses[0]?.headers.get('www-authenticate') ?? [];
      assert.deepEqual(
        challenges.map((text) => /algorithm=([\w-]+)/.exec(text)?.[1]),
        [algorithm],
      );
    }
  });
});
