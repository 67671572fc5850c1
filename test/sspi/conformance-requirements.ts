/** The rows of the requirements. */
import assert from 'node:assert/strict';
import { ntlmPackage } from '../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import type { ClientOptions } from '../packages/ntlm/ntlm-client.ts';
import { kerberosDelegates, peerIsTold } from './conformance-kerberos.ts';
import {
  accounts,
  assertStatus,
  ntlm,
  HTTP,
  digestCredential,
  digestLeg,
  digestAnswer,
  bindings,
  bindingsBuffer,
  otherBindings,
  bound,
  assertGranted,
} from './conformance-handshakes.ts';
import { clientCertificateIsRequired, streamOfRecords } from './conformance-schannel.ts';
import type { ConformanceRow } from './conformance-row.ts';
import { decryptNow, encryptNow } from './messages-now.ts';

export const requirementRows: readonly ConformanceRow[] = [
  {
    kind: 'requirement',
    name: 'ASC_REQ_ALLOCATE_MEMORY',
    says: 'NTLM allocates its challenge, says so on the first leg and leaves the caller’s buffers alone',
    async holds(witness) {
      const credential = await witness.acquire(ntlmPackage, { accounts, domain: 'LAB', computerName: 'SERVER' });
      const own = new Uint8Array(1);
      const result = await witness.accept(credential, undefined, negotiateMessage(WINDOWS_FLAGS), {
        requirements: Sspi.ASC_REQ_ALLOCATE_MEMORY,
        output: [{ type: Sspi.SECBUFFER_TOKEN, data: own }],
      });
      assertStatus(result, Sspi.SEC_I_CONTINUE_NEEDED);
      assert.equal(result.attributes, Sspi.ASC_RET_ALLOCATED_MEMORY);
      assert.notEqual(result.output[0]!.data.buffer, own.buffer);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_ALLOW_MISSING_BINDINGS',
    says: 'NTLM lets a client pass that says nothing of bindings, and still refuses wrong ones',
    async holds(witness) {
      const options = { buffers: [bindingsBuffer], requirements: Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS };
      assertStatus((await ntlm(witness, options)).last, Sspi.SEC_E_OK);
      assertStatus((await ntlm(witness, { ...options, client: bound(bindings) })).last, Sspi.SEC_E_OK);
      assertStatus((await ntlm(witness, { ...options, client: bound(otherBindings) })).last, Sspi.SEC_E_BAD_BINDINGS);
      assertStatus((await ntlm(witness, { ...options, requirements: 0 })).last, Sspi.SEC_E_BAD_BINDINGS);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_CONFIDENTIALITY',
    says: 'NTLM seals messages and notices a changed one; Digest over HTTP refuses',
    async holds(witness) {
      const { last } = await ntlm(witness, { requirements: Sspi.ASC_REQ_CONFIDENTIALITY });
      assertGranted(last, Sspi.ASC_RET_CONFIDENTIALITY);
      const plain = Buffer.from('a message');
      const sealed = encryptNow(last.context!, [{ type: Sspi.SECBUFFER_DATA, data: plain }]);
      const data = Sspi.findBuffer(sealed.value!, Sspi.SECBUFFER_DATA)!.data;
      assert.notDeepEqual(Buffer.from(data), plain);
      // Sealed by the server is nothing the server would take for the client's.
      assert.notEqual(decryptNow(last.context!, sealed.value!).status, Sspi.SEC_E_OK);
      const credential = await digestCredential(witness);
      const refused = await digestLeg(witness, credential, undefined, '', HTTP | Sspi.ASC_REQ_CONFIDENTIALITY);
      assertStatus(refused, Sspi.SEC_E_SECURITY_QOS_FAILED);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_CONNECTION',
    says: 'NTLM and Digest grant it where it is asked for and not where it is not',
    async holds(witness) {
      const granted = (await ntlm(witness, { requirements: Sspi.ASC_REQ_CONNECTION })).last;
      assertGranted(granted, Sspi.ASC_RET_CONNECTION);
      const not = (await ntlm(witness, { requirements: 0 })).last;
      assert.equal((not.attributes ?? 0) & Sspi.ASC_RET_CONNECTION, 0);
      const credential = await digestCredential(witness);
      const challenge = await digestLeg(witness, credential, undefined, '', HTTP);
      const requirements = HTTP | Sspi.ASC_REQ_CONNECTION;
      const last = await digestLeg(witness, credential, challenge.context, digestAnswer(challenge), requirements);
      assertGranted(last, Sspi.ASC_RET_CONNECTION);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_DELEGATE',
    says: 'a forwarded ticket becomes a cache that gets tickets of the KDC; without the requirement none is kept',
    needs: ['kdc'],
    holds: kerberosDelegates,
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_EXTENDED_ERROR',
    says: 'MIT’s client reads a replay out of KRB-ERROR, raw and in SPNEGO, and takes a reject; without it no token',
    needs: ['kdc'],
    holds: peerIsTold,
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_HTTP',
    says: 'Digest challenges for HTTP with it and has no other mechanism without it',
    async holds(witness) {
      const credential = await digestCredential(witness);
      assertStatus(await digestLeg(witness, credential, undefined, '', 0), Sspi.SEC_E_UNSUPPORTED_FUNCTION);
      const challenge = await digestLeg(witness, credential, undefined, '', HTTP);
      assertStatus(challenge, Sspi.SEC_I_CONTINUE_NEEDED);
      const last = await digestLeg(witness, credential, challenge.context, digestAnswer(challenge), HTTP);
      assertStatus(last, Sspi.SEC_E_OK);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_INTEGRITY',
    says: 'NTLM signs; with a client that does not negotiate it the attribute is missing and makeSignature refuses',
    async holds(witness) {
      const requirements = Sspi.ASC_REQ_INTEGRITY;
      const { last } = await ntlm(witness, { requirements });
      assertGranted(last, Sspi.ASC_RET_INTEGRITY);
      const message = [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from('a message') }];
      assert.equal(Sspi.makeSignature(last.context!, message).value?.[0]?.data.byteLength, 16);
      const unsigned = (await ntlm(witness, { requirements, client: { flags: WINDOWS_FLAGS & ~0x30 } })).last;
      assertStatus(unsigned, Sspi.SEC_E_OK);
      assert.equal((unsigned.attributes ?? 0) & Sspi.ASC_RET_INTEGRITY, 0);
      assert.equal(Sspi.makeSignature(unsigned.context!, message).status, Sspi.SEC_E_QOP_NOT_SUPPORTED);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_MUTUAL_AUTH',
    says: 'Schannel grants it to a certificate of `ca`, and refuses a client with none or with one of another authority',
    holds: clientCertificateIsRequired,
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_PROXY_BINDINGS',
    says: 'NTLM without bindings of its own wants some of the client, whatever they are',
    async holds(witness) {
      const requirements = Sspi.ASC_REQ_PROXY_BINDINGS;
      assertStatus((await ntlm(witness, { requirements, client: bound(otherBindings) })).last, Sspi.SEC_E_OK);
      assertStatus((await ntlm(witness, { requirements })).last, Sspi.SEC_E_BAD_BINDINGS);
      const zeros: Partial<ClientOptions> = { pairs: [[10, new Uint8Array(16)]] };
      assertStatus((await ntlm(witness, { requirements, client: zeros })).last, Sspi.SEC_E_BAD_BINDINGS);
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_REPLAY_DETECT',
    says: 'Digest answers a nonce count that was used with a new challenge; NTLM numbers its messages',
    async holds(witness) {
      const requirements = HTTP | Sspi.ASC_REQ_REPLAY_DETECT;
      const credential = await digestCredential(witness);
      const challenge = await digestLeg(witness, credential, undefined, '', requirements);
      const answer = digestAnswer(challenge);
      assertGranted(await digestLeg(witness, credential, undefined, answer, requirements), Sspi.ASC_RET_REPLAY_DETECT);
      assertStatus(await digestLeg(witness, credential, undefined, answer, requirements), Sspi.SEC_I_CONTINUE_NEEDED);
      assertGranted(
        (await ntlm(witness, { requirements: Sspi.ASC_REQ_REPLAY_DETECT })).last,
        Sspi.ASC_RET_REPLAY_DETECT,
      );
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_SEQUENCE_DETECT',
    says: 'Digest answers a nonce count below the highest with a new challenge, and only then; NTLM numbers its messages',
    async holds(witness) {
      for (const [requirements, status] of [
        [HTTP | Sspi.ASC_REQ_SEQUENCE_DETECT, Sspi.SEC_I_CONTINUE_NEEDED],
        [HTTP, Sspi.SEC_E_OK],
      ] as const) {
        const credential = await digestCredential(witness);
        const challenge = await digestLeg(witness, credential, undefined, '', requirements);
        const second = await digestLeg(
          witness,
          credential,
          undefined,
          digestAnswer(challenge, '00000002'),
          requirements,
        );
        assertGranted(second, requirements & Sspi.ASC_RET_SEQUENCE_DETECT);
        const first = await digestLeg(
          witness,
          credential,
          undefined,
          digestAnswer(challenge, '00000001'),
          requirements,
        );
        assertStatus(first, status);
      }
      assertGranted(
        (await ntlm(witness, { requirements: Sspi.ASC_REQ_SEQUENCE_DETECT })).last,
        Sspi.ASC_RET_SEQUENCE_DETECT,
      );
    },
  },
  {
    kind: 'requirement',
    name: 'ASC_REQ_STREAM',
    says: 'Schannel grants it; two records that came at once are opened one by one, the rest comes back',
    holds: streamOfRecords,
  },
];

/** All thirty-five, in the order of docs/sspi.md. */
