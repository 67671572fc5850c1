import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../../src/foundation/errors.ts';
import { identityOf } from '../../../src/identity/identity.ts';
import { groupsOf, sidAndAttributes } from '../../../src/native/secur32/access-token.ts';
import type { SidAndAttributes } from '../../../src/native/secur32/access-token.ts';
import { layouts } from '../../../src/native/secur32/declarations.ts';
import { writePointer } from '../../../src/native/secur32/native-handles.ts';
import { tokenValue } from '../../../src/native/secur32/token-identity.ts';
import { ASC_RET_INTEGRITY, ASC_RET_NULL_SESSION } from '../../../src/sspi/requirements.ts';

const ADDRESS = 0x7f0012340000n;
const runs = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);

function sidBytes(...subAuthorities: number[]): Buffer {
  const bytes = Buffer.alloc(8 + 4 * subAuthorities.length);
  bytes[0] = 1;
  bytes[1] = subAuthorities.length;
  bytes[7] = 5;
  subAuthorities.forEach((value, index) => bytes.writeUInt32LE(value, 8 + 4 * index));
  return bytes;
}

/** TOKEN_GROUPS as GetTokenInformation lays it: the array, then the SIDs it points to. */
function tokenGroups(groups: readonly (readonly [sid: Buffer, attributes: number])[]): Buffer {
  const first = layouts.TOKEN_GROUPS.offsets.Groups;
  const { size, offsets } = layouts.SID_AND_ATTRIBUTES;
  const head = Buffer.alloc(first + groups.length * size);
  head.writeUInt32LE(groups.length, 0);
  let at = head.byteLength;
  groups.forEach(([sid, attributes], index) => {
    writePointer(head, ADDRESS + BigInt(at), first + index * size + offsets.Sid);
    head.writeUInt32LE(attributes, first + index * size + offsets.Attributes);
    at += sid.byteLength;
  });
  return Buffer.concat([head, ...groups.map(([sid]) => sid)]);
}

describe('TOKEN_GROUPS', () => {
  const memory = tokenGroups([
    [sidBytes(21, 1, 2, 3, 513), 7],
    [sidBytes(32, 544), 0x10],
    [sidBytes(5, 0, 99), 0xc0000007],
  ]);

  it('is read with SIDs and attributes', () => {
    const read = groupsOf(memory, ADDRESS).map(({ sid, attributes }) => [sid, attributes]);
    assert.deepEqual(read, [
      ['S-1-5-21-1-2-3-513', 7],
      ['S-1-5-32-544', 0x10],
      ['S-1-5-5-0-99', 0xc0000007],
    ]);
  });

  it('is refused where the count or a pointer leaves the memory', () => {
    const more = Buffer.from(memory);
    more.writeUInt32LE(1000, 0);
    assert.throws(() => groupsOf(more, ADDRESS), MalformedTokenError);
    for (const address of [
      0n,
      ADDRESS - 1n,
      ADDRESS + BigInt(memory.byteLength),
      ADDRESS + BigInt(memory.byteLength - 4),
    ]) {
      const wrong = Buffer.from(memory);
      writePointer(wrong, address, layouts.TOKEN_GROUPS.offsets.Groups);
      assert.throws(() => groupsOf(wrong, ADDRESS), MalformedTokenError, String(address));
    }
    assert.throws(() => sidAndAttributes(memory.subarray(0, 4), ADDRESS, 0), MalformedTokenError);
  });

  it('never reads outside, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 256 }), fc.boolean(), (bytes, plausible) => {
        const mutated = Buffer.from(bytes);
        if (plausible && mutated.byteLength > 24) {
          mutated.writeUInt32LE(1, 0);
          writePointer(mutated, ADDRESS + BigInt(bytes[1]!), layouts.TOKEN_GROUPS.offsets.Groups);
        }
        try {
          groupsOf(mutated, ADDRESS);
        } catch (error) {
          assert.ok(error instanceof MalformedTokenError);
        }
      }),
      { numRuns: runs },
    );
  });
});

describe('the account of a token', () => {
  const member = (sid: string, attributes = 7): SidAndAttributes => ({ sid, attributes, bytes: new Uint8Array(0) });
  const alice = { userName: 'alice', domain: 'LAB' };
  const user = member('S-1-5-21-1-2-3-1104', 0);

  const rows: readonly {
    readonly what: string;
    readonly account?: { userName: string; domain?: string };
    readonly sid?: string;
    readonly groups?: readonly SidAndAttributes[];
    readonly attributes?: number;
    readonly anonymous?: boolean;
    readonly guest?: boolean;
  }[] = [
    { what: 'a user', sid: user.sid },
    { what: 'a user without a token' },
    { what: 'Guest of a domain or computer (C22)', sid: 'S-1-5-21-1-2-3-501', guest: true },
    { what: 'a renamed Guest', sid: 'S-1-5-21-1-2-3-501', account: { userName: 'Gast' }, guest: true },
    { what: 'a user whose RID ends in 501', sid: 'S-1-5-21-1-2-3-1501' },
    { what: 'a member of the built-in Guests', sid: user.sid, groups: [member('S-1-5-32-546')], guest: true },
    { what: 'a member of them for denying only', sid: user.sid, groups: [member('S-1-5-32-546', 0x10)], guest: true },
    { what: 'a member of other groups', sid: user.sid, groups: [member('S-1-5-32-545'), member('S-1-1-0')] },
    { what: 'a user named guest who is not', sid: user.sid, account: { userName: 'guest' } },
    { what: 'Guest by name, without a token', account: { userName: 'Guest' }, guest: true },
    { what: 'ANONYMOUS LOGON (C20)', sid: 'S-1-5-7', anonymous: true },
    { what: 'ANONYMOUS LOGON by name, without a token', account: { userName: 'Anonymous Logon' }, anonymous: true },
    { what: 'a null session', sid: user.sid, attributes: ASC_RET_NULL_SESSION | ASC_RET_INTEGRITY, anonymous: true },
    { what: 'an empty name (C21)', sid: user.sid, account: { userName: '' }, anonymous: true },
  ];
  for (const { what, account = alice, sid, groups = [], attributes = 0, anonymous = false, guest = false } of rows) {
    it(`${what}: ${anonymous ? 'anonymous' : guest ? 'Guest' : 'a user'}`, () => {
      const content = sid === undefined ? undefined : { user: member(sid, 0), groups };
      const value = tokenValue(account, content, [], attributes);
      assert.deepEqual([value.isAnonymous, value.isGuest], [anonymous, guest]);
      assert.equal(value.sid, sid);
      assert.equal(identityOf(value, 'NTLM') === undefined, anonymous || guest);
      assert.ok(Object.isFrozen(value));
    });
  }
});
