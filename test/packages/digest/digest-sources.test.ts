/** What the Digest package asks of an account source, and what it makes of the answers, wherever a name has two readings. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource, DigestAccepted, DigestLogon, Refused } from '../../../src/accounts/account-source.ts';
import { digestPackage } from '../../../src/packages/digest/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { answerChallenge } from './digest-client.ts';
import { DigestServer, REALM, TestClock, sourceOf, testRandom, texts } from './digest-server.ts';
import { CHALLENGED, DENIED, MALFORMED, OK } from './digest-results.ts';

const write = { username: String.raw`"EXAMPLE\alice"` };
const [first, second] = ['EXAMPLEalice', String.raw`EXAMPLE\alice`];
const accepted: DigestAccepted = { result: 'accepted', account: { userName: 'alice' } };
const refused: Refused = { result: 'refused' };
const unavailable = { result: 'unavailable', reason: 'no controller' } as const;
const AWAY = 'SEC_E_NO_AUTHENTICATING_AUTHORITY';

describe('Digest: a name of two readings', () => {
  const cases: readonly (readonly [what: string, answers: readonly unknown[], status: string, asked: string[]])[] = [
    ['the first is accepted', [accepted], OK, [first]],
    ['the second is accepted', [refused, accepted], OK, [first, second]],
    ['neither is accepted', [refused, refused], DENIED, [first, second]],
    ['nobody can be asked', [unavailable], AWAY, [first]],
    ['nobody can be asked any more', [refused, unavailable], AWAY, [first, second]],
    ['no result for either', [undefined, undefined], DENIED, [first, second]],
    ['no result for the first', [undefined, accepted], OK, [first, second]],
    ['acceptance without an account is not asked about again', [{ result: 'accepted' }], DENIED, [first]],
    ['an account whose name is no text', [{ result: 'accepted', account: { userName: 7 } }], DENIED, [first]],
    ['an account that is null', [{ result: 'accepted', account: null }], DENIED, [first]],
  ];
  // At once, later, and at once at first but later then.
  for (const later of [[], [0, 1], [1]]) {
    for (const [what, answers, status, asked] of cases) {
      it(`${what}, ${later.length === 0 ? 'at once' : `later from answer ${later[0]} on`}`, async () => {
        const logons: DigestLogon[] = [];
        const verify = (logon: DigestLogon): unknown => {
          const index = logons.push(logon) - 1;
          const answer = answers[index];
          return later.includes(index) ? Promise.resolve(answer) : answer;
        };
        const server = new DigestServer({ accounts: sourceOf(verify as NonNullable<AccountSource['verifyDigest']>) });
        const result = await server.accept(answerChallenge(server.challenge(), { write }));
        if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
        assert.equal(Sspi.statusName(result.status), status);
        assert.deepEqual(
          logons.map(({ userName }) => userName),
          asked,
        );
        const text = status === AWAY ? { text: 'no controller' } : undefined;
        if (status !== OK) assert.deepEqual(result.diagnosis, { account: first, ...text });
      });
    }
  }

  it('A21: an account that cannot be used is a failure of the source, and uses up no count of the nonce', async () => {
    for (const wait of [false, true]) {
      let groups: unknown = [{ name: 'Staff', denyOnly: 'true' }];
      const verify = (): DigestAccepted => ({ result: 'accepted', account: { userName: 'alice', groups } as never });
      const server = new DigestServer({ accounts: sourceOf(() => (wait ? Promise.resolve(verify()) : verify())) });
      const answer = answerChallenge(server.challenge());
      const { status, diagnosis } = await server.accept(answer);
      assert.equal(Sspi.statusName(status), 'SEC_E_INTERNAL_ERROR');
      assert.match(diagnosis?.text ?? '', /account\.groups\[0\]\.denyOnly is "true"\. Give true or false/);
      groups = [];
      const { status: second, context } = await server.accept(answer);
      assert.equal(Sspi.statusName(second), OK);
      Sspi.deleteSecurityContext(context!);
    }
  });

  it('a source that fails at the second reading is an internal error', async () => {
    for (const fails of [
      () => {
        throw new TypeError('x');
      },
      () => Promise.reject(new TypeError('x')),
    ]) {
      for (const wait of [false, true]) {
        const verify = ({ userName }: DigestLogon): Refused | Promise<Refused> =>
          userName === second ? fails() : wait ? Promise.resolve(refused) : refused;
        const server = new DigestServer({ accounts: sourceOf(verify) });
        const result = await server.accept(answerChallenge(server.challenge(), { write }));
        assert.equal(Sspi.statusName(result.status), 'SEC_E_INTERNAL_ERROR');
        assert.match(result.diagnosis?.text ?? '', /: the account source test failed: TypeError$/);
      }
    }
  });

  it('only text is a reason why nobody can be asked: an error may hold anything', async () => {
    for (const wait of [false, true]) {
      const result = { ...unavailable, reason: new Error('the password is x') as unknown as string };
      const server = new DigestServer({ accounts: sourceOf(() => (wait ? Promise.resolve(result) : result)) });
      const { status, diagnosis } = await server.accept(answerChallenge(server.challenge()));
      assert.equal(Sspi.statusName(status), AWAY);
      assert.deepEqual(diagnosis, { account: 'alice' });
    }
  });

  it('a source is asked as itself, about the request as it was sent', () => {
    const accounts = {
      description: 'knows who it is',
      own: accepted,
      logons: [] as DigestLogon[],
      verifyDigest(logon: DigestLogon): DigestAccepted {
        this.logons.push(logon);
        return this.own;
      },
    };
    const server = new DigestServer({ accounts });
    const answer = answerChallenge(server.challenge(), { method: 'PUT', uri: '/dir/index.html', nc: '0000000A' });
    assert.equal(server.status(answer, { method: 'PUT' }), OK);
    const { nonce, response, ...others } = accounts.logons[0]!;
    assert.ok(answer.includes(`nonce="${nonce}"`) && answer.includes(`response="${response}"`));
    assert.deepEqual(others, {
      ...{ userName: 'alice', realm: REALM, algorithm: 'SHA-256', method: 'PUT', uri: '/dir/index.html' },
      ...{ nonceCount: '0000000A', clientNonce: '0a4f113b', qualityOfProtection: 'auth' },
      ...{ serverDomain: 'EXAMPLE', serverName: 'EXAMPLE', serverDnsDomain: undefined },
    });
  });
});

describe('a Digest context by itself', () => {
  const credentialOf = (): Sspi.PackageCredential => {
    const authData = {
      ...{ realm: REALM, domain: 'EXAMPLE', clock: new TestClock(), random: testRandom('itself') },
      accounts: sourceOf(() => accepted),
    };
    return digestPackage.acquireCredentials({ credentialUse: 'inbound', principal: undefined, authData }) as never;
  };
  const call = (...buffers: readonly (string | undefined)[]): Sspi.AcceptCall => ({
    input: buffers.map((text, index) => ({
      type: index === 0 ? Sspi.SECBUFFER_TOKEN : Sspi.SECBUFFER_PKG_PARAMS,
      data: Buffer.from(text ?? '', 'latin1'),
    })),
    requirements: Sspi.ASC_REQ_HTTP,
    targetDataRep: 0,
  });
  const now = (reply: Sspi.AcceptReply | Promise<Sspi.AcceptReply>): Sspi.AcceptReply => {
    assert.ok(!(reply instanceof Promise));
    return reply;
  };
  const NOT_STANDING = { status: Sspi.SEC_E_INVALID_HANDLE };

  it('answers nothing before it stands, nor after its deletion', () => {
    const { context, output } = now(credentialOf().accept(call('')));
    const nothing = (): void => {
      assert.deepEqual(context!.queryToken(), NOT_STANDING);
      assert.deepEqual(context!.queryAttribute(Sspi.SECPKG_ATTR_NAMES), NOT_STANDING);
    };
    nothing();
    const answer = answerChallenge(texts(output!)[0]!);
    assert.equal(now(context!.accept(call(answer, 'GET', '/dir/index.html'))).status, Sspi.SEC_E_OK);
    assert.equal(context!.queryToken().value?.userName, 'alice');
    context!.delete();
    nothing();
  });

  it('no buffer at all asks for challenges; an answer without method, target or a whole realm is malformed', () => {
    const credential = credentialOf();
    const status = (...buffers: readonly string[]): string =>
      Sspi.statusName(now(credential.accept(call(...buffers))).status);
    assert.equal(status(), CHALLENGED);
    const answer = answerChallenge(texts(now(credential.accept(call(''))).output!)[0]!);
    assert.equal(status(answer), MALFORMED);
    assert.equal(status(answer, 'GET'), MALFORMED);
    assert.equal(status(answer, 'GET', '/dir/index.html', '', 'odd'), MALFORMED);
    assert.equal(status(answer, 'GET', '/dir/index.html'), OK);
  });

  it('E03: once its credential is freed, it knows no nonce any more', () => {
    const credential = credentialOf();
    const answer = answerChallenge(texts(now(credential.accept(call(''))).output!)[0]!);
    credential.free();
    assert.equal(Sspi.statusName(now(credential.accept(call(answer, 'GET', '/dir/index.html'))).status), DENIED);
  });
});
