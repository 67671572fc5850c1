/** The account of a client certificate. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientCertificate } from '../../../src/packages/schannel/index.ts';
import type { MapCertificate } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { certificates } from '../../vectors/certificates.ts';
import { SchannelServer } from './schannel-server.ts';
import { TlsClient } from './tls-client.ts';

const { server, ca, alice, twoSids } = certificates;
const mutual = Sspi.ASC_REQ_MUTUAL_AUTH;

async function signIn(mapCertificate: MapCertificate, client = alice): Promise<Sspi.AcceptSecurityContextResult> {
  using acceptor = new SchannelServer({ ...server, ca: ca.cert, mapCertificate });
  using peer = new TlsClient(client);
  return await acceptor.handshake(peer, mutual);
}

describe('mapCertificate', () => {
  it('is given the names of the verified certificate, and gives the account', async () => {
    let given: ClientCertificate | undefined;
    const last = await signIn((certificate) => {
      given = certificate;
      return Promise.resolve({ userName: 'alice', domain: 'LAB', ...(certificate.sid && { sid: certificate.sid }) });
    });
    assert.deepEqual(
      [given?.subject, given?.issuer, given?.userPrincipalName, given?.sid],
      ['DC=local\nDC=test\nCN=Alice', 'CN=Test CA', 'alice@test.local', 'S-1-5-21-1-2-3-1104'],
    );
    const { value } = Sspi.querySecurityContextToken(last.context!);
    assert.deepEqual([value?.userName, value?.domain, value?.sid], ['alice', 'LAB', 'S-1-5-21-1-2-3-1104']);
    assert.equal(Sspi.queryContextAttributes(last.context!, Sspi.SECPKG_ATTR_NAMES).value, 'LAB\\alice');
    Sspi.deleteSecurityContext(last.context!);
  });

  it('that knows nobody leaves the context without an account', async () => {
    const last = await signIn(() => undefined);
    assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
    assert.equal(Sspi.querySecurityContextToken(last.context!).status, Sspi.SEC_E_NO_IMPERSONATION);
    Sspi.deleteSecurityContext(last.context!);
  });

  it('that throws, or gives what is no account, refuses the client (G07)', async () => {
    const secret = new Error('a secret');
    for (const map of [
      () => Promise.reject(secret),
      () => {
        throw secret;
      },
      () => ({}) as never,
      () => ({ userName: 7 }) as never,
      () => 'alice' as never,
    ] as const satisfies readonly MapCertificate[]) {
      const last = await signIn(map);
      assert.equal(Sspi.statusName(last.status), 'SEC_E_INTERNAL_ERROR');
      assert.equal(last.context, undefined);
      assert.match(
        last.diagnosis?.text ?? '',
        /^mapCertificate (?:failed|gave an account that cannot be used)|userName/,
      );
      assert.doesNotMatch(last.diagnosis?.text ?? '', /secret/);
    }
  });

  it('is not asked about a certificate that names two accounts', async () => {
    const last = await signIn(() => assert.fail('asked'), twoSids);
    assert.equal(Sspi.statusName(last.status), 'SEC_E_CERT_UNKNOWN');
  });
});
