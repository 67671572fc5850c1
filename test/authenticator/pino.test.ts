/** The logger of the option is a real pino here: what operators will see, line by line. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import { it } from 'node:test';
import { fastify } from 'fastify';
import pino from 'pino';
import fastifySspiAuth from '../../adapters/fastify.ts';
import { sspiAuth } from '../../adapters/node.ts';
import { memoryAccounts } from '../../src/index.ts';
import { listen } from '../lab/ports.ts';

function recording(): { readonly lines: Record<string, unknown>[]; readonly destination: Writable } {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  return { lines, destination };
}

/** What happened to a client, not what is told of the server. */
function isEvent(line: Record<string, unknown>): boolean {
  return 'durationMilliseconds' in line;
}

it("Fastify's own pino gets it where no logger is given, and another where one is", async () => {
  const own = recording();
  const other = recording();
  for (const logger of [undefined, pino({ level: 'info' }, other.destination)]) {
    const app = fastify({ logger: { level: 'warn', stream: own.destination } });
    const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);
    await app.register(fastifySspiAuth, { accounts, ...(logger === undefined ? undefined : { logger }) });
    app.get('/', () => 'in');
    const { statusCode } = await app.inject({ url: '/', headers: { authorization: 'Bearer x' } });
    assert.equal(statusCode, 401);
    await app.close();
  }
  for (const { lines } of [own, other]) {
    assert.deepEqual(
      lines.filter(isEvent).map(({ msg, reason }) => [msg, reason]),
      [['sspi-auth: refused', 'scheme-not-offered']],
    );
  }
});

it('pino gets one structured line for a refusal, and nothing of the token', async () => {
  const { lines, destination } = recording();
  const protect = sspiAuth({
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
    logger: pino({ level: 'info' }, destination),
  });
  await using server = await listen(createServer(protect((_request, response) => response.end('in'))));
  const token = Buffer.from('NTLMSSP\0\x03\0\0\0not a message').toString('base64');
  const response = await fetch(server.origin, { headers: { Authorization: `NTLM ${token}` } });
  assert.equal(response.status, 401);
  protect.close();
  const [line, ...others] = lines.filter(isEvent);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [line?.['level'], line?.['scheme'], line?.['reason'], line?.['msg'], typeof line?.['durationMilliseconds']],
    [40, 'NTLM', 'SEC_E_INVALID_TOKEN', 'sspi-auth: refused', 'number'],
  );
  assert.match(String(line?.['peer']), /^127\.0\.0\.1:\d+$/);
  assert.ok(!JSON.stringify(line).includes(token));
});
