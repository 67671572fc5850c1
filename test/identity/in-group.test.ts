import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { whyNotInGroup } from '../../src/identity/in-group.ts';
import { inGroup } from '../../src/index.ts';
import type { Group, Identity } from '../../src/index.ts';

const engineering: Group = { sid: 'S-1-5-21-1-2-3-1105', name: 'CORP\\Engineering', attributes: 7, denyOnly: false };
const nameless: Group = { sid: 'S-1-5-32-545', attributes: 7, denyOnly: false };
const sidless: Group = { name: 'CORP\\Users', attributes: 7, denyOnly: false };

function member(...groups: readonly Group[]): Identity {
  return { name: 'CORP\\alice', userName: 'alice', domain: 'CORP', groups, package: 'Kerberos' };
}

describe('inGroup', () => {
  const cases: readonly (readonly [string, boolean, readonly [string, ...string[]], Identity | null | undefined])[] = [
    ['its SID', true, ['S-1-5-21-1-2-3-1105'], member(engineering)],
    ['its SID in lower case', true, ['s-1-5-21-1-2-3-1105'], member(engineering)],
    ['its whole name, in any case', true, ['corp\\ENGINEERING'], member(engineering)],
    ['one of several', true, ['S-1-5-32-544', 'CORP\\Engineering'], member(engineering)],
    ['the name without its domain', false, ['Engineering'], member(engineering)],
    ['the name of another domain', false, ['EVIL\\Engineering'], member(engineering)],
    ['the beginning of a SID', false, ['S-1-5-21-1-2-3-110'], member(engineering)],
    ['a group that may only deny', false, ['S-1-5-21-1-2-3-1105'], member({ ...engineering, denyOnly: true })],
    [
      'a group that may only deny, as its attributes say',
      false,
      ['S-1-5-21-1-2-3-1105'],
      member({ ...engineering, attributes: 0x17 }),
    ],
    ['a group that is disabled', false, ['S-1-5-21-1-2-3-1105'], member({ ...engineering, attributes: 3 })],
    ['a group of which only the SID is known', true, ['S-1-5-32-545'], member(nameless)],
    ['a group of which only the name is known', true, ['CORP\\Users'], member(sidless)],
    ['others than those of which one thing is known', false, ['CORP\\Engineering'], member(nameless, sidless)],
    ['no groups', false, ['S-1-5-21-1-2-3-1105'], member()],
    ['no user', false, ['S-1-5-21-1-2-3-1105'], undefined],
    ['no user (Fastify)', false, ['S-1-5-21-1-2-3-1105'], null],
  ];
  for (const [what, expected, names, user] of cases) {
    it(`${what}: ${expected}`, () => {
      assert.equal(inGroup(...names)(user), expected);
    });
  }

  it('narrows the user', () => {
    const user: Identity | undefined = [member(engineering)].at(0);
    assert.ok(inGroup('CORP\\Engineering')(user));
    assert.equal(user.userName, 'alice');
  });

  it('refuses to guard nothing', () => {
    assert.throws(() => inGroup(...([] as unknown as [string])), /names no group/);
    assert.throws(() => inGroup(''), /is not a SID or name/);
    assert.throws(() => inGroup(undefined as unknown as string), /is not a SID or name/);
  });
});

describe('why a user is in no group that is asked for', () => {
  const byName = inGroup('CORP\\Engineering');
  const domainUsers: Group = { sid: 'S-1-5-21-1-2-3-513', name: 'CORP\\Domain Users', attributes: 7, denyOnly: false };
  const bySid: Group = { sid: 'S-1-5-21-1-2-3-1105', attributes: 7, denyOnly: false };

  for (const [what, groups, expected] of [
    [
      'a ticket has SIDs alone',
      [domainUsers, bySid],
      /^ask for the SID of the group, .*wants CORP\\Engineering, .*SIDs alone$/,
    ],
    ['there are no groups at all', [], /^see that the groups of the user get here: .*no group of the user is known$/],
    [
      'all names are known',
      [domainUsers],
      /^option authorize wants CORP\\Engineering, and the user is in none of them$/,
    ],
    ['a well-known group needs no name', [domainUsers, nameless], /is in none of them$/],
  ] as const) {
    it(what, () => assert.match(whyNotInGroup(byName, { groups }) ?? '', expected));
  }

  it('a SID that is asked for is missing, and no name', () => {
    const guard = inGroup('S-1-5-21-1-2-3-1106');
    assert.match(whyNotInGroup(guard, { groups: [bySid] }) ?? '', /is in none of them$/);
  });

  it('nothing is known of another function', () => {
    assert.equal(
      whyNotInGroup(() => false, { groups: [bySid] }),
      undefined,
    );
  });
});
