import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KerbValidationInfo } from '../../src/formats/kerberos/kerb-validation-info.ts';
import type { UpnDnsInfo } from '../../src/formats/kerberos/pac.ts';
import { accountOfPac, accountOfPrincipal, anonymousAccount } from '../../src/identity/kerberos-account.ts';
import { accountName } from '../../src/identity/identity.ts';
import { parsePrincipal } from '../../src/formats/kerberos/principal.ts';
import { hasControlCharacter } from '../../src/foundation/text.ts';

const DOMAIN = 'S-1-5-21-1-2-3';
const ELSEWHERE = 'S-1-5-21-7-8-9';
const principal = { name: 'alice', realm: 'CORP.TEST' };

const info: KerbValidationInfo = {
  effectiveName: 'Alice',
  fullName: 'Alice Liddell',
  logonServer: 'DC',
  logonDomainName: 'CORP',
  logonDomainId: DOMAIN,
  userId: 1104,
  primaryGroupId: 513,
  groupIds: [
    { relativeId: 1201, attributes: 7 },
    { relativeId: 513, attributes: 7 },
  ],
  userFlags: 0,
  userAccountControl: 0,
  extraSids: [{ sid: 'S-1-18-1', attributes: 7 }],
  resourceGroupDomainSid: ELSEWHERE,
  resourceGroupIds: [{ relativeId: 1301, attributes: 0x20000007 }],
  logonTime: 0n,
  kickOffTime: 0n,
};
const upn: UpnDnsInfo = {
  upn: 'alice@corp.example',
  dnsDomainName: 'CORP.TEST',
  upnIsConstructed: false,
  samName: undefined,
  sid: undefined,
};
type Account = ReturnType<typeof accountOfPac>;
const accountOf = (change: Partial<KerbValidationInfo> = {}, upnInfo?: UpnDnsInfo, anonymous = false): Account =>
  accountOfPac(principal, false, { info: { ...info, ...change }, upnInfo }, anonymous);
const sids = (account: Account): readonly (string | undefined)[] => account.groups.map(({ sid }) => sid);

describe('a principal', () => {
  it('is split at the one separator that is not escaped (D18)', () => {
    assert.deepEqual(parsePrincipal('alice@CORP.TEST'), principal);
    assert.deepEqual(parsePrincipal('HTTP/web@R'), { name: 'HTTP/web', realm: 'R' });
    assert.deepEqual(parsePrincipal('a\\@b@R'), { name: 'a\\@b', realm: 'R' });
    assert.deepEqual(parsePrincipal('a\\\\@R\\@S'), { name: 'a\\\\', realm: 'R\\@S' });
    for (const text of ['', 'alice', '@R', 'alice@', 'a@b@c', 'alice\\@R', 'alice@R\\']) {
      assert.equal(parsePrincipal(text), undefined, text);
    }
  });

  it('with a control character is told apart from all others (A09)', () => {
    for (let code = 0; code < 0x180; code++) {
      const isControl = code < 0x20 || (code >= 0x7f && code < 0xa0);
      assert.equal(hasControlCharacter(`a${String.fromCharCode(code)}b`), isControl, code.toString(16));
    }
  });

  it('without a PAC is an account without SIDs and groups', () => {
    assert.deepEqual(accountOfPrincipal(principal, false), {
      userName: 'alice',
      userPrincipalName: 'alice@CORP.TEST',
      groups: [],
      isAnonymous: false,
      isGuest: false,
    });
  });

  it('is anonymous by its flags or by its name, with a PAC or without', () => {
    const anonymous = { name: 'WELLKNOWN/ANONYMOUS', realm: 'WELLKNOWN:ANONYMOUS' };
    assert.ok(accountOfPrincipal(principal, true).isAnonymous);
    assert.ok(accountOfPrincipal(anonymous, false).isAnonymous);
    assert.ok(accountOfPac(anonymous, false, { info }, false).isAnonymous);
    assert.ok(accountOf({}, undefined, true).isAnonymous);
    assert.ok(accountOf({ userId: 0, extraSids: [{ sid: 'S-1-5-7', attributes: 7 }] }).isAnonymous);
    const known = accountOf();
    assert.deepEqual(anonymousAccount(known), { ...known, isAnonymous: true });
    assert.equal(known.isAnonymous, false, 'what other tickets share stays as it is');
  });
});

describe('the account of a PAC (MS-KILE 3.4.5.3)', () => {
  it('of another realm has the name of the ticket, and groups by SID alone (D18)', () => {
    const builtIn = { sid: 'S-1-5-32-544', attributes: 7 };
    const evil = { ...info, effectiveName: 'Administrator', extraSids: [...info.extraSids, builtIn] };
    const upnInfo = { ...upn, upn: 'administrator@corp.example' };
    const account = accountOfPac({ name: 'mallory', realm: 'OTHER.TEST' }, true, { info: evil, upnInfo }, false);
    assert.equal(accountName(account), 'mallory@OTHER.TEST');
    assert.equal(account.userName, 'mallory');
    assert.equal(account.domain, undefined);
    assert.equal(account.userPrincipalName, 'mallory@OTHER.TEST');
    assert.equal(account.sid, `${DOMAIN}-1104`);
    assert.deepEqual(sids(account), [...sids(accountOf()).slice(0, 3), 'S-1-5-32-544', `${ELSEWHERE}-1301`]);
    assert.ok(account.groups.every((group) => !('name' in group)));
  });

  it('has names, SID and groups of all four kinds', () => {
    assert.deepEqual(accountOf({}, upn), {
      userName: 'Alice',
      domain: 'CORP',
      userPrincipalName: 'alice@corp.example',
      displayName: 'Alice Liddell',
      sid: `${DOMAIN}-1104`,
      groups: [
        { sid: `${DOMAIN}-1201`, attributes: 7, denyOnly: false },
        { sid: `${DOMAIN}-513`, name: 'CORP\\Domain Users', attributes: 7, denyOnly: false },
        { sid: 'S-1-18-1', name: 'Authentication authority asserted identity', attributes: 7, denyOnly: false },
        { sid: `${ELSEWHERE}-1301`, attributes: 0x20000007, denyOnly: false },
      ],
      isAnonymous: false,
      isGuest: false,
    });
  });

  it('is frozen, its groups too: requests of one ticket share it', () => {
    const account = accountOf();
    assert.ok([account, account.groups, ...account.groups].every(Object.isFrozen));
  });

  it('has the primary group where no list names it, and each group once, as it is named first', () => {
    assert.deepEqual(sids(accountOf({ groupIds: [], extraSids: [], resourceGroupIds: [] })), [`${DOMAIN}-513`]);
    const denied = { relativeId: 513, attributes: 0x10 };
    const extraSids = [{ sid: `${DOMAIN}-513`, attributes: 7 }];
    const account = accountOf({ groupIds: [denied, denied], extraSids, resourceGroupIds: [] });
    assert.deepEqual(
      account.groups.map(({ sid, denyOnly }) => [sid, denyOnly]),
      [[`${DOMAIN}-513`, true]],
    );
  });

  it('grants nothing by a group that is for denying only, or not enabled', () => {
    for (const [attributes, denyOnly] of [
      [7, false],
      [4, false],
      [0x10, true],
      [0x14, true],
      [3, true],
      [0, true],
    ] as const) {
      const relativeId = 1201;
      const [inList] = accountOf({ groupIds: [{ relativeId, attributes }] }).groups;
      assert.equal(inList?.denyOnly, denyOnly, String(attributes));
      const extra = accountOf({ extraSids: [{ sid: 'S-1-5-32-544', attributes }] });
      assert.equal(extra.groups.find(({ sid }) => sid === 'S-1-5-32-544')?.denyOnly, denyOnly);
      const ofResource = accountOf({ resourceGroupIds: [{ relativeId, attributes }] });
      assert.equal(ofResource.groups.find(({ sid }) => sid === `${ELSEWHERE}-1201`)?.denyOnly, denyOnly);
    }
  });

  it('takes resource groups without a domain for those of the account', () => {
    assert.ok(sids(accountOf({ resourceGroupDomainSid: undefined })).includes(`${DOMAIN}-1301`));
  });

  it('of UserId 0 is the first extra SID, where there is one (MS-PAC 2.5)', () => {
    const extraSids = [
      { sid: `${ELSEWHERE}-1500`, attributes: 7 },
      { sid: 'S-1-18-1', attributes: 7 },
    ];
    assert.equal(accountOf({ userId: 0, extraSids }).sid, `${ELSEWHERE}-1500`);
    assert.equal(accountOf({ extraSids }).sid, `${DOMAIN}-1104`);
    assert.ok(!('sid' in accountOf({ userId: 0, extraSids: [] })));
  });

  it('is Guest by its RID alone, and never without saying so', () => {
    assert.equal(accountOf({ userId: 501 }).isGuest, true);
    for (const userId of [0, 500, 502, 1501]) assert.equal(accountOf({ userId }).isGuest, false);
  });

  it('has the names of its principal where the PAC has none', () => {
    const account = accountOf({ effectiveName: '', fullName: '', logonDomainName: '' }, { ...upn, upn: '' });
    assert.equal(account.userName, 'alice');
    assert.equal(account.userPrincipalName, 'alice@CORP.TEST');
    assert.ok(!('domain' in account) && !('displayName' in account));
    assert.equal(accountOf().userPrincipalName, 'alice@CORP.TEST');
  });
});
