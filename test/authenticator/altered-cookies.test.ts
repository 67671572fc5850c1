/** A session cookie altered at every byte, sent to a server that lets requests in without a user. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { memoryAccounts } from '../../src/index.ts';
import { forgedTokens, signIn, whoIs } from '../adapters/raw-clients.ts';
import { adapters } from '../adapters/servers.ts';
import { full } from '../lab/matrix.ts';
import { RawConnection } from '../lab/raw-connection.ts';

const count = full() ? 100_000 : 1000;
/** So many are sent at a time. */
const pipelined = 20;

/** What may stand in a cookie (RFC 6265 section 4.1.1), without the semicolon, and what may not but gets through Node. */
const letters = Array.from({ length: 0x5e }, (_, index) => String.fromCharCode(0x21 + index)).filter(
  (it) => it !== ';',
);
letters.push('é', '\u00ff', '\t');

/**
 * Each altered cookie of a value: a byte changed, put in, left out, doubled, or what follows it cut off. Never the same
 * twice running: a connection clears a cookie once.
 */
function* alteredCookies(value: string): Generator<string> {
  let last = value;
  for (let turn = 0; ; turn++) {
    for (let at = 0; at < value.length; at++) {
      const [before, own, after] = [value.slice(0, at), value[at] ?? '', value.slice(at + 1)];
      const letter = letters[(turn + at) % letters.length] ?? 'A';
      const kinds = [
        before + letter + after,
        before + letter + own + after,
        before,
        before + after,
        `${before};${own}${after}`,
        before + own + own + after,
        before + String.fromCharCode(own.charCodeAt(0) ^ (1 << (turn % 7))) + after,
      ];
      for (const kind of kinds) {
        // A tab at an end belongs to no value, nor does what follows a semicolon; a control byte does not get through.
        const read = kind.replace(/;.*/s, '').trim();
        if (read === value || read === last || /\p{Cc}/u.test(kind.replaceAll('\t', ''))) continue;
        last = read;
        yield kind;
      }
    }
  }
}

describe('altered cookies', () => {
  it(`H03: of ${count}, none is a user, none ends the server, and each is cleared`, async (context) => {
    const node = adapters['node:http'];
    assert.ok(node !== undefined);
    await using server = await node({
      accounts: memoryAccounts([{ userName: 'alice', domain: 'LAB', password: 'Wonderland-7' }]),
      domain: 'LAB',
      schemes: ['NTLM'],
      logger: false,
      anonymous: true,
      session: { secrets: [randomBytes(32)], cookie: { secure: false, name: 'sid' } },
    });
    await using signingIn = await RawConnection.open(server.port);
    const set = (await signIn(signingIn, forgedTokens({}))).headers.get('set-cookie')?.[0] ?? '';
    const right = /^sid=([^;]+)/.exec(set)?.[1] ?? assert.fail('no cookie');
    await using connection = await RawConnection.open(server.port);
    assert.equal(whoIs(await connection.exchange({ fields: [`Cookie: sid=${right}`] })), 'alice');
    const cookies = alteredCookies(right);
    const began = performance.now();
    for (let sent = 0; sent < count; sent += pipelined) {
      const values = Array.from({ length: pipelined }, () => cookies.next().value as string);
      connection.send(...values.map((value) => ({ fields: [`Cookie: sid=${value}`] })));
      for (const value of values) {
        const response = await connection.response();
        assert.deepEqual([response.status, whoIs(response)], [200, null], value);
        assert.match(response.headers.get('set-cookie')?.join() ?? '', /^sid=; [^,]*Max-Age=0$/, value);
      }
    }
    context.diagnostic(`${count} cookies in ${Math.round(performance.now() - began)} ms`);
    assert.equal(whoIs(await connection.exchange({ fields: [`Cookie: sid=${right}`] })), 'alice');
  });
});
