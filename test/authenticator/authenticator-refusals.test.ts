/** What lets nobody in, and the result of CompleteAuthToken. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import {
  assertBare401,
  FakeSocket,
  field,
  first,
  later,
  scripted,
  userOf,
  usualScript,
} from './scripted-authenticator.ts';
import type { Script, Step } from './scripted-package.ts';

/** What a package may answer to the second token that must let nobody in. */
const refusals: Readonly<Record<string, Step>> = {
  ...Object.fromEntries(
    Sspi.acceptSecurityContextStatuses
      .filter(({ value }) => value >= 0x80000000 && value !== Sspi.SEC_E_NO_AUTHENTICATING_AUTHORITY)
      .map(({ value, name }) => [name, { status: value }]),
  ),
  'G07: SEC_I_RENEGOTIATE': { status: 0x00090321 },
  'G07: an unknown positive code': { status: 0x00012345 },
  'G07: a failure as int32': { status: Sspi.SEC_E_LOGON_DENIED | 0 },
  'G07: 1': { status: 1 },
  'SEC_E_INCOMPLETE_MESSAGE, which leaves a context': { status: Sspi.SEC_E_INCOMPLETE_MESSAGE },
  'A21: an exception': { throws: new Error('the verifier is broken') },
  'no reply at all': { raw: undefined },
  'a reply without a status': { raw: { context: {} } },
  'a status that is no number': { raw: { status: '0' } },
  'G08: a null session': { attributes: Sspi.ASC_RET_NULL_SESSION },
  'C20: an anonymous account': { account: { isAnonymous: true } },
  'C22: the Guest account': { account: { isGuest: true } },
  'C21: an account without a name': { account: { userName: '' } },
  'an account that is none': { account: new Error() },
  'a token without groups': { account: { groups: undefined } as unknown as NonNullable<Step['account']> },
  'completion that fails': {
    status: Sspi.SEC_I_COMPLETE_NEEDED,
    completion: { status: Sspi.SEC_E_MESSAGE_ALTERED },
  },
  'completion that throws': { status: Sspi.SEC_I_COMPLETE_NEEDED, completion: { throws: new Error('broken') } },
  'completion that never comes to an end': {
    status: Sspi.SEC_I_COMPLETE_NEEDED,
    completion: { status: Sspi.SEC_I_COMPLETE_NEEDED },
  },
  'completion that only ever says go on': {
    status: Sspi.SEC_I_COMPLETE_AND_CONTINUE,
    completion: { status: Sspi.SEC_I_COMPLETE_AND_CONTINUE },
  },
};

describe('refusals: the same bytes whatever the cause, and nothing left behind', () => {
  const table: Script = { ...usualScript, ...refusals };
  for (const name of Object.keys(refusals)) {
    for (const [leg, prepare] of [
      ['first', false],
      ['second', true],
    ] as const) {
      it(`${name}, as the answer to the ${leg} token`, () => {
        const s = scripted(table);
        const socket = new FakeSocket();
        if (prepare) s.now(socket, first('hello'));
        assertBare401(s.request(socket, prepare ? later(name) : first(name)));
        assert.equal(s.package.live, 0);
        assert.equal(s.authenticator.pendingHandshakes, 0);
        assert.equal(socket.listenerCount('close'), 0);
        assertBare401(s.request(socket));
      });
    }
  }

  it('an account source that is away is 503, without a challenge, and leaves nothing behind either', () => {
    const s = scripted({ ...usualScript, away: { status: Sspi.SEC_E_NO_AUTHENTICATING_AUTHORITY } });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const outcome = s.now(socket, later('away'));
    assert.ok(outcome.type === 'refused');
    assert.deepEqual([outcome.status, outcome.retryAfter], [503, 10]);
    assert.deepEqual([field(outcome, 'Retry-After'), field(outcome, 'WWW-Authenticate')], ['10', undefined]);
    assert.equal(s.package.live, 0);
    assertBare401(s.request(socket));
  });

  it('a yes without a context', () => {
    const s = scripted({ yes: { withoutContext: true } });
    assertBare401(s.request(new FakeSocket(), first('yes')));
  });

  it('A01, A02: no token, spaces, or what is not base64', () => {
    const s = scripted(usualScript);
    for (const value of [
      'NTLM',
      'NTLM  ',
      'NTLM TlRM_-NT',
      'NTLM TlRMTVM',
      'NTLM TlRM TVNT',
      'NTLM TlRMTVN=',
      'NTLM ====',
    ]) {
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      assertBare401(s.request(socket, value));
      assert.equal(s.package.live, 0, value);
    }
    assert.ok(s.package.asked.every((text) => text === 'hello'));
  });

  it('A05: a token over the limit', () => {
    const s = scripted(usualScript, { limits: { tokenBytes: 15 } });
    const exact = `NTLM ${Buffer.alloc(15).toString('base64')}`;
    assertBare401(s.request(new FakeSocket(), exact));
    assert.equal(s.package.asked.length, 1);
    assertBare401(s.request(new FakeSocket(), `NTLM ${Buffer.alloc(16).toString('base64')}`));
    assertBare401(s.request(new FakeSocket(), `NTLM ${'A'.repeat(1_000_000)}`));
    assert.equal(s.package.asked.length, 1);
    assert.deepEqual(
      s.log.map(({ record }) => record['reason']),
      ['SEC_E_INVALID_TOKEN', 'token-too-large', 'token-too-large'],
    );
  });

  it('A06, A07: two fields or a list are 400, end the handshake and are never tried one by one', () => {
    const s = scripted(usualScript, {}, {});
    for (const value of [
      [later('right'), later('right')],
      [later('right'), 'Basic YTpi'],
      `${later('right')}, ${later('right')}`,
      `${later('right')},Digest x=y`,
      'NTLM\tAAAA',
      '@ AAAA',
      '',
    ]) {
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      const outcome = s.now(socket, value);
      assert.ok(outcome.type === 'refused');
      assert.equal(outcome.status, 400, JSON.stringify(value));
      assert.equal(outcome.body, '400 Bad Request\n');
      assert.equal(s.package.live, 0);
    }
    assert.ok(!s.package.asked.includes('right'));
  });
});

describe('CompleteAuthToken', () => {
  it('gives the result after SEC_I_COMPLETE_NEEDED', () => {
    const s = scripted({
      ...usualScript,
      right: { status: Sspi.SEC_I_COMPLETE_NEEDED, output: 'for the client', completion: { attributes: 0x800 } },
    });
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    const outcome = s.now(socket, later('right'));
    assert.ok(outcome.type === 'authenticated');
    assert.equal(outcome.sspi?.attributes, 0x800);
    assert.equal(field(outcome, 'WWW-Authenticate'), `NTLM ${Buffer.from('for the client').toString('base64')}`);
    assert.equal(s.package.live, 0);
  });

  it('may have the last word to the client', () => {
    const s = scripted({
      right: { status: Sspi.SEC_I_COMPLETE_NEEDED, output: 'a draft', completion: { output: 'complete' } },
    });
    const outcome = s.now(new FakeSocket(), first('right'));
    assert.equal(field(outcome, 'WWW-Authenticate'), `NTLM ${Buffer.from('complete').toString('base64')}`);
  });

  it('is only one more leg after SEC_I_COMPLETE_AND_CONTINUE', () => {
    const s = scripted({
      ...usualScript,
      hello: { status: Sspi.SEC_I_COMPLETE_AND_CONTINUE, output: 'go on', completion: {} },
    });
    const socket = new FakeSocket();
    const outcome = s.now(socket, first('hello'));
    assert.equal(outcome.type, 'challenge');
    assert.deepEqual(field(outcome, 'WWW-Authenticate'), [`NTLM ${Buffer.from('go on').toString('base64')}`]);
    assert.equal(s.authenticator.pendingHandshakes, 1);
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
    assert.equal(s.package.live, 0);
  });
});
