/** The logger of the option is a real pino here: what operators will see, line by line. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import { it } from 'node:test';
import pino from 'pino';
import { sspiAuth } from '../adapters/node.ts';
import { memoryAccounts } from '../src/index.ts';
import { listen } from './lab/ports.ts';

it('pino gets one structured line for a refusal, and nothing of the token', async () => {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const protect = sspiAuth({
    accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
    logger: pino({ level: 'info' }, destination),
  });
  await using server = await listen(createServer(protect((_request, response) => response.end('in'))));
  const token = Buffer.from('NTLMSSP\0\x03\0\0\0not a message').toString('base64');
  const response = await fetch(server.origin, { headers: { Authorization: `NTLM ${token}` } });
  assert.equal(response.status, 401);
  protect.close();
  assert.equal(lines.length, 1);
  const [line] = lines;
  assert.deepEqual(
    [line?.['level'], line?.['scheme'], line?.['reason'], line?.['msg'], typeof line?.['durationMilliseconds']],
    [40, 'NTLM', 'SEC_E_INVALID_TOKEN', 'sspi-auth: refused', 'number'],
  );
  assert.match(String(line?.['peer']), /^127\.0\.0\.1:\d+$/);
  assert.ok(!JSON.stringify(line).includes(token));
});
