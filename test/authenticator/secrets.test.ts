/** What holds a secret shows none: printed, serialised, cloned or looked through. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import { ntowfv1 } from '../../src/crypto/ntlm-keys.ts';
import { createAuthenticator, memoryAccounts, smbpasswdFile } from '../../src/index.ts';
import type { AccountSource } from '../../src/index.ts';
import { digestSettings } from '../../src/packages/digest/digest-auth-data.ts';
import { DigestAcceptor } from '../../src/packages/digest/digest-acceptor.ts';
import { digestPackage } from '../../src/packages/digest/index.ts';
import { NonceIssuer } from '../../src/packages/digest/nonce-issuer.ts';
import { negotiatePackage } from '../../src/packages/negotiate/index.ts';
import { ntlmPackage } from '../../src/packages/ntlm/index.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { scratchFolder } from '../lab/scratch.ts';
import type { ScratchFolder } from '../lab/scratch.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';

const password = 'Wonderland-7';
/** 32 bytes, no two alike. */
const secret = Uint8Array.from(createHash('sha256').update('the secret of this test').digest());
const ntHash = ntowfv1(password);
const sessionKey = Uint8Array.from(createHash('md5').update('the session key of this test').digest());

/** Every way in which the first bytes of a secret might stand in a text. */
function spellings(bytes: Uint8Array): readonly string[] {
  const start = Buffer.from(bytes.subarray(0, 6));
  return [
    [...start].join(', '),
    [...start].join(','),
    start.toString('hex'),
    (start.toString('hex').match(/../g) ?? []).join(' '),
    start.toString('base64').slice(0, 8),
    start.toString('latin1'),
  ];
}
const secrets = [password, ...[secret, ntHash, sessionKey].flatMap(spellings)];

/** All that a program, a logger or a debugger's console would make of a value. */
function* views(value: unknown): Generator<string> {
  const everything = { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity } as const;
  yield inspect(value, { ...everything, showHidden: true, getters: true });
  yield inspect(value, everything);
  yield JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)) ?? '';
  yield String(value);
  if (typeof value !== 'object' || value === null) return;
  yield inspect({ ...value }, everything);
  // Functions cannot be cloned, so the parts of a value that has some are cloned one by one.
  for (const part of [value, ...(Object.values(value) as unknown[])]) {
    try {
      yield inspect(structuredClone(part), everything);
      yield serialize(part).toString('latin1');
    } catch (error) {
      if (!(error instanceof Error) || !/could not be cloned|object Function/.test(error.message)) throw error;
    }
  }
}

function assertNoSecret(value: unknown): void {
  let seen = 0;
  for (const view of views(value)) {
    seen++;
    // Numbers of an array are printed in columns.
    const text = view.replaceAll(/\s+/g, ' ');
    for (const spelling of secrets) {
      assert.ok(!view.includes(spelling) && !text.includes(spelling), view.slice(0, 2000));
    }
  }
  assert.ok(seen >= 4);
}

describe('G04: secrets are not shown', () => {
  let folder: ScratchFolder;
  let file: AccountSource;
  before(async () => {
    folder = await scratchFolder('secrets');
    const line = `alice:1000:${'X'.repeat(32)}:${Buffer.from(ntHash).toString('hex')}:[U          ]:LCT-00000000:\n`;
    writeFileSync(folder.file('smbpasswd'), line, { mode: 0o600 });
    file = smbpasswdFile(folder.file('smbpasswd'));
  });
  after(async () => folder[Symbol.asyncDispose]());

  const accounts = memoryAccounts([
    { userName: 'alice', password },
    { userName: 'bob', ntHash },
  ]);
  const options = { accounts, domain: 'LAB', provider: 'portable', digest: { secret } } as const;

  it('by the test itself: it finds them where they are', () => {
    for (const value of [
      { secret },
      { deep: [{ password }] },
      { ntHash: Buffer.from(ntHash) },
      { text: Buffer.from(secret).toString('hex') },
      Object.defineProperty({}, 'key', { value: secret, enumerable: false }),
      Object.defineProperty({}, 'key', { get: () => secret }),
    ]) {
      assert.throws(() => assertNoSecret(value), assert.AssertionError);
    }
  });

  it('by account sources', () => {
    assertNoSecret(accounts);
    assertNoSecret(file);
  });

  it('by settings, authenticators and what adapters make of them', () => {
    const authenticator = createAuthenticator({ ...options, schemes: ['NTLM', 'Negotiate', 'Digest'] });
    const express = expressSspiAuth(options);
    const node = nodeSspiAuth({ ...options, digest: { secret: Buffer.from(secret).toString('latin1') } });
    for (const value of [authenticator, authenticator.settings, authenticator.settings.digest, express, node]) {
      assertNoSecret(value);
    }
    assert.deepEqual(authenticator.settings.digest?.secret?.copy(), secret, 'it is there');
    express.close();
    node.close();
    authenticator.close();
    assertNoSecret(authenticator);
  });

  it('by credentials and contexts, half open and established', () => {
    const ntlm = { accounts, domain: 'LAB', computerName: 'WEB' };
    const digest = { accounts, domain: 'LAB', realm: 'LAB', secret };
    for (const [owner, authData] of [
      [ntlmPackage, ntlm],
      [digestPackage, digest],
      [negotiatePackage, { packages: [{ package: ntlmPackage, authData: ntlm }] }],
    ] as const) {
      assertNoSecret(owner.acquireCredentials({ credentialUse: 'inbound', principal: undefined, authData }));
      const handle = Sspi.acquireCredentialsHandle({ package: owner, credentialUse: 'inbound', authData });
      assertNoSecret(handle);
      Sspi.freeCredentialsHandle(handle as Sspi.CredentialHandle);
    }
    assertNoSecret(new DigestAcceptor(digestSettings(digest)));
    assertNoSecret(new NonceIssuer(secret, Sspi.systemClock, Sspi.systemRandom));

    const credential = ntlmPackage.acquireCredentials({
      ...{ credentialUse: 'inbound', principal: undefined, authData: ntlm },
    }) as Sspi.PackageCredential;
    const leg = (token: Uint8Array): Sspi.AcceptCall => ({
      ...{ requirements: 0, targetDataRep: 0, input: [{ type: Sspi.SECBUFFER_TOKEN, data: token }] },
    });
    const first = negotiateMessage(WINDOWS_FLAGS);
    const { context, output } = credential.accept(leg(first)) as Sspi.AcceptReply;
    assert.ok(context !== undefined);
    assertNoSecret(context);
    const client = { userName: 'alice', domain: 'LAB', password, mic: true, randomSessionKey: sessionKey };
    const last = authenticateMessage(first, output![0]!.data, client).message;
    assert.equal((context.accept(leg(last)) as Sspi.AcceptReply).status, Sspi.SEC_E_OK);
    assert.deepEqual(context.queryAttribute(Sspi.SECPKG_ATTR_SESSION_KEY).value, sessionKey, 'it is there');
    context.makeSignature?.([{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('message') }], undefined);
    assertNoSecret(context);
    assertNoSecret(context.queryToken().value);
    context.delete();
  });
});
