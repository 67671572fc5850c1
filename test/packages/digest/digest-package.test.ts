import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import type { DigestAccepted } from '../../../src/accounts/account-source.ts';
import { identityOf } from '../../../src/identity/identity.ts';
import { digestAlgorithmNames } from '../../../src/crypto/digest-response.ts';
import { parseDigestFields } from '../../../src/formats/digest/fields.ts';
import { digestPackage } from '../../../src/packages/digest/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { answerChallenge } from './digest-client.ts';
import { DigestServer, REALM, TestAccounts, sourceOf, texts } from './digest-server.ts';

const { ASC_REQ_HTTP } = Sspi;

describe('digestPackage', () => {
  const open: Sspi.ContextHandle[] = [];
  const kept = (result: Sspi.AcceptSecurityContextResult): Sspi.ContextHandle => {
    assert.ok(result.context !== undefined, Sspi.statusName(result.status));
    open.push(result.context);
    return result.context;
  };
  afterEach(() => {
    for (const context of open.splice(0)) Sspi.deleteSecurityContext(context);
  });

  it('challenges with one token for each algorithm, SHA-256 first', () => {
    const result = new DigestServer().verify('');
    kept(result);
    assert.equal(Sspi.statusName(result.status), 'SEC_I_CONTINUE_NEEDED');
    assert.equal(result.attributes, undefined);
    const challenges = result.output.map(({ data }) => parseDigestFields(data));
    assert.deepEqual(
      challenges.map((fields) => fields.get('algorithm')?.value),
      ['SHA-256', 'MD5'],
    );
    for (const fields of challenges) {
      assert.deepEqual([...fields.keys()], ['realm', 'nonce', 'qop', 'algorithm', 'charset']);
      assert.equal(fields.get('realm')?.value, REALM);
      assert.equal(fields.get('qop')?.value, 'auth');
    }
    assert.ok(result.output.every(({ data }) => data.byteLength <= digestPackage.info.maxToken));
  });

  it('stays below maxToken with the longest realm', () => {
    const { output } = new DigestServer({ realm: '"'.repeat(512) }).verify('');
    assert.ok(output.every(({ data }) => data.byteLength <= digestPackage.info.maxToken));
  });

  for (const algorithm of digestAlgorithmNames) {
    it(`accepts ${algorithm} on the context of the challenge`, () => {
      const server = new DigestServer({ algorithms: [algorithm] });
      const first = server.verify('');
      const context = kept(first);
      const challenge = texts(first.output).find((text) => text.includes(`algorithm=${algorithm}`))!;
      const second = server.verify(answerChallenge(challenge), { context });
      assert.equal(Sspi.statusName(second.status), 'SEC_E_OK');
      assert.equal(second.context, context);
      assert.deepEqual(second.output, []);
      assert.equal(second.expiry, undefined);
    });

    it(`accepts ${algorithm} on a first call`, () => {
      const server = new DigestServer();
      const result = server.verify(answerChallenge(server.challenge(algorithm)));
      kept(result);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    });
  }

  it('offers and verifies only the algorithms it was given', () => {
    const server = new DigestServer({ algorithms: ['MD5'] });
    assert.deepEqual(Object.keys(server.challenges()), ['MD5']);
    assert.equal(server.status(answerChallenge(server.challenge('MD5'))), 'SEC_E_OK');
  });

  it('takes the realm of the call instead of its own', () => {
    const server = new DigestServer();
    const challenge = server.challenges({ realm: 'Zürich "1"' })['SHA-256']!;
    const answer = Buffer.from(answerChallenge(challenge), 'utf8');
    assert.equal(server.status(answer, { realm: 'Zürich "1"' }), 'SEC_E_OK');
    assert.equal(server.status(answer), 'SEC_E_LOGON_DENIED');
    assert.equal(server.status('', { realm: 'a\r\nb' }), 'SEC_E_INVALID_TOKEN');
    assert.equal(server.status('', { realm: '\ud800' }), 'SEC_E_INVALID_TOKEN');
  });

  it('accepts names in UTF-8, plain and as ext-value', () => {
    const server = new DigestServer();
    const account = { userName: 'Jäsøn Doe', password: 'Secret, or not?' };
    assert.equal(server.status(Buffer.from(answerChallenge(server.challenge(), account), 'utf8')), 'SEC_E_OK');
    const write = { username: undefined, 'username*': "UTF-8''J%C3%A4s%C3%B8n%20Doe" };
    assert.equal(server.status(answerChallenge(server.challenge(), { ...account, write })), 'SEC_E_OK');
  });

  it('gives the account as its source spells it, with the domain of the server where it has none', () => {
    const server = new DigestServer();
    const names: [string, string, string][] = [
      ['ALICE', 'Circle of Life', 'EXAMPLE\\alice'],
      ['example\\Alice', 'Circle of Life', 'EXAMPLE\\alice'],
      ['OTHER\\BOB', 'Builder', 'OTHER\\bob'],
    ];
    for (const [userName, password, name] of names) {
      const context = kept(server.verify(answerChallenge(server.challenge(), { userName, password })));
      assert.equal(Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NAMES).value, name);
      const token = Sspi.querySecurityContextToken(context).value!;
      assert.ok(Object.isFrozen(token) && Object.isFrozen(token.groups));
      assert.equal(identityOf(token, 'Digest')?.name, name);
    }
  });

  it('is nobody as Guest', () => {
    const accounts = new TestAccounts([{ userName: 'alice', password: 'Circle of Life', sid: 'S-1-5-21-1-2-3-501' }]);
    const server = new DigestServer({ accounts });
    const context = kept(server.verify(answerChallenge(server.challenge())));
    assert.equal(identityOf(Sspi.querySecurityContextToken(context).value!, 'Digest'), undefined);
  });

  it('answers what is asked of an established context, and nothing of a challenged one', () => {
    const server = new DigestServer();
    const first = server.verify('');
    const context = kept(first);
    const status = (attribute: Sspi.ContextAttribute): string =>
      Sspi.statusName(Sspi.queryContextAttributes(context, attribute).status);
    assert.equal(status(Sspi.SECPKG_ATTR_NAMES), 'SEC_E_INVALID_HANDLE');
    const requirements = ASC_REQ_HTTP | Sspi.ASC_REQ_CONNECTION | Sspi.ASC_REQ_REPLAY_DETECT;
    server.verify(answerChallenge(texts(first.output)[0]!), { context, requirements });
    const value = <A extends Sspi.ContextAttribute>(attribute: A): Sspi.ContextAttributeValues[A] | undefined =>
      Sspi.queryContextAttributes(context, attribute).value;
    assert.equal(value(Sspi.SECPKG_ATTR_PACKAGE_INFO)?.name, 'Digest');
    assert.deepEqual(value(Sspi.SECPKG_ATTR_NEGOTIATION_INFO), {
      package: digestPackage.info,
      state: Sspi.SECPKG_NEGOTIATION_COMPLETE,
    });
    assert.equal(value(Sspi.SECPKG_ATTR_FLAGS), Sspi.ASC_RET_CONNECTION | Sspi.ASC_RET_REPLAY_DETECT);
    assert.deepEqual(value(Sspi.SECPKG_ATTR_SIZES), {
      maxToken: digestPackage.info.maxToken,
      maxSignature: 0,
      blockSize: 0,
      securityTrailer: 0,
    });
    assert.deepEqual(value(Sspi.SECPKG_ATTR_LIFESPAN), { start: new Date(server.clock.wall), expiry: undefined });
    assert.equal(status(Sspi.SECPKG_ATTR_SESSION_KEY), 'SEC_E_UNSUPPORTED_FUNCTION');
  });

  it('says STATUS_LOGON_FAILURE to a call after SEC_E_OK', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    const context = kept(server.verify(answer));
    assert.equal(server.status(answer, { context }), 'STATUS_LOGON_FAILURE');
  });

  it('wants an answer on the second leg', () => {
    const server = new DigestServer();
    const context = kept(server.verify(''));
    assert.equal(server.status('', { context }), 'SEC_E_INVALID_TOKEN');
  });

  it('says SEC_E_NO_CREDENTIALS once its credential is freed', () => {
    const server = new DigestServer();
    const answer = answerChallenge(server.challenge());
    Sspi.freeCredentialsHandle(server.credential);
    assert.equal(server.status(answer), 'SEC_E_NO_CREDENTIALS');
  });

  const requirementCases: [string, number, string, number?][] = [
    ['none', ASC_REQ_HTTP, 'SEC_E_OK', 0],
    ['CONNECTION', ASC_REQ_HTTP | Sspi.ASC_REQ_CONNECTION, 'SEC_E_OK', Sspi.ASC_RET_CONNECTION],
    ['REPLAY_DETECT', ASC_REQ_HTTP | Sspi.ASC_REQ_REPLAY_DETECT, 'SEC_E_OK', Sspi.ASC_RET_REPLAY_DETECT],
    ['SEQUENCE_DETECT', ASC_REQ_HTTP | Sspi.ASC_REQ_SEQUENCE_DETECT, 'SEC_E_OK', Sspi.ASC_RET_SEQUENCE_DETECT],
    ['ALLOCATE_MEMORY', ASC_REQ_HTTP | Sspi.ASC_REQ_ALLOCATE_MEMORY, 'SEC_E_OK', Sspi.ASC_RET_ALLOCATED_MEMORY],
    ['DELEGATE: not had', ASC_REQ_HTTP | Sspi.ASC_REQ_DELEGATE, 'SEC_E_OK', 0],
    ['MUTUAL_AUTH: not had', ASC_REQ_HTTP | Sspi.ASC_REQ_MUTUAL_AUTH, 'SEC_E_OK', 0],
    ['EXTENDED_ERROR: not had', ASC_REQ_HTTP | Sspi.ASC_REQ_EXTENDED_ERROR, 'SEC_E_OK', 0],
    ['CONFIDENTIALITY', ASC_REQ_HTTP | Sspi.ASC_REQ_CONFIDENTIALITY, 'SEC_E_SECURITY_QOS_FAILED'],
    ['INTEGRITY', ASC_REQ_HTTP | Sspi.ASC_REQ_INTEGRITY, 'SEC_E_SECURITY_QOS_FAILED'],
    ['PROXY_BINDINGS', ASC_REQ_HTTP | Sspi.ASC_REQ_PROXY_BINDINGS, 'SEC_E_BAD_BINDINGS'],
    ['no HTTP: SASL', 0, 'SEC_E_UNSUPPORTED_FUNCTION'],
  ];
  for (const [name, requirements, status, attributes] of requirementCases) {
    it(`requirement ${name}: ${status}`, () => {
      const server = new DigestServer();
      const result = server.verify(answerChallenge(server.challenge()), { requirements });
      if (result.context !== undefined) kept(result);
      assert.equal(Sspi.statusName(result.status), status);
      assert.equal(result.attributes, attributes);
      if (status !== 'SEC_E_OK') assert.equal(server.status('', { requirements }), status);
    });
  }

  it('with SEQUENCE_DETECT takes counts in their order only', () => {
    const server = new DigestServer();
    const challenge = server.challenge();
    const requirements = ASC_REQ_HTTP | Sspi.ASC_REQ_SEQUENCE_DETECT;
    const use = (nc: string): string => server.status(answerChallenge(challenge, { nc }), { requirements });
    assert.deepEqual(['00000002', '00000001', '00000003'].map(use), ['SEC_E_OK', 'SEC_I_CONTINUE_NEEDED', 'SEC_E_OK']);
  });

  it('is synchronous where the source is, and waits where the source does', async () => {
    const accounts = new TestAccounts([{ userName: 'alice', password: 'Circle of Life' }]);
    const server = new DigestServer({ accounts: sourceOf(async (logon) => accounts.verifyDigest(logon)) });
    const challenge = server.challenge();
    const pending = server.accept(answerChallenge(challenge));
    assert.ok(pending instanceof Promise);
    const result = await pending;
    kept(result);
    assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    const wrong = await server.accept(answerChallenge(challenge, { nc: '00000002', password: 'wrong' }));
    assert.equal(Sspi.statusName(wrong.status), 'SEC_E_LOGON_DENIED');
  });

  it('waits for a promise of another realm', async () => {
    const answer = '({ result: "accepted", account: { userName: "alice" } })';
    for (const promise of [`Promise.resolve(${answer})`, `({ then(settle) { settle(${answer}); } })`]) {
      const server = new DigestServer({ accounts: sourceOf(() => runInNewContext(promise) as DigestAccepted) });
      const result = await server.accept(answerChallenge(server.challenge()));
      kept(result);
      assert.equal(Sspi.statusName(result.status), 'SEC_E_OK');
    }
  });

  it('names the kind of what a source threw, and no more: its message may hold anything', async () => {
    for (const fails of [
      () => {
        throw Object.assign(new Error('the password is x'), { code: 'ECONNREFUSED' });
      },
      () => Promise.reject(Object.assign(new Error('the password is x'), { code: 'ECONNREFUSED' })),
    ]) {
      const server = new DigestServer({ accounts: sourceOf(fails) });
      const { diagnosis } = await server.accept(answerChallenge(server.challenge()));
      assert.equal(diagnosis?.account, 'alice');
      assert.match(diagnosis.text ?? '', /: the account source test failed: Error ECONNREFUSED$/);
    }
  });

  it('A21: fails closed whatever the source does', async () => {
    const bad: [string, () => unknown, string][] = [
      ['unavailable', () => ({ result: 'unavailable', reason: 'x' }), 'SEC_E_NO_AUTHENTICATING_AUTHORITY'],
      [
        'a promise of unavailable',
        async () => ({ result: 'unavailable', reason: 'x' }),
        'SEC_E_NO_AUTHENTICATING_AUTHORITY',
      ],
      ['undefined', () => undefined, 'SEC_E_LOGON_DENIED'],
      ['true', () => true, 'SEC_E_LOGON_DENIED'],
      ['accepted without account', () => ({ result: 'accepted' }), 'SEC_E_LOGON_DENIED'],
      ['accepted without name', () => ({ result: 'accepted', account: { userName: '' } }), 'SEC_E_LOGON_DENIED'],
      ['an exception', () => assert.fail('source'), 'SEC_E_INTERNAL_ERROR'],
      ['a rejection', async () => assert.fail('source'), 'SEC_E_INTERNAL_ERROR'],
      [
        'a rejection of another realm',
        () => runInNewContext('Promise.reject(new Error("source"))') as unknown,
        'SEC_E_INTERNAL_ERROR',
      ],
    ];
    for (const [name, answer, status] of bad) {
      const server = new DigestServer({ accounts: sourceOf(() => answer() as DigestAccepted) });
      const result = await server.accept(answerChallenge(server.challenge()));
      assert.equal(Sspi.statusName(result.status), status, name);
      assert.equal(result.context, undefined, name);
    }
  });

  it('leaves no context behind', () => {
    const before = Sspi.liveHandles().contexts;
    const server = new DigestServer();
    for (const token of [
      '',
      'x',
      answerChallenge(server.challenge()),
      answerChallenge(server.challenge(), { password: 'no' }),
    ]) {
      server.status(token);
    }
    assert.equal(Sspi.liveHandles().contexts, before);
  });
});
