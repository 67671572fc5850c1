/** Handshakes of Schannel that prove rows of the table. */
import assert from 'node:assert/strict';
import type { ConnectionOptions } from 'node:tls';
import { schannelPackage } from '../../src/packages/schannel/index.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { recordsOf, TlsClient } from '../packages/schannel/tls-client.ts';
import { certificates } from '../vectors/certificates.ts';
import { assertGranted, assertStatus } from './conformance-handshakes.ts';
import type { Result } from './conformance-handshakes.ts';
import type { Witness } from './witness.ts';

const { ca, server, alice, stranger } = certificates;

const tokenOf = ({ output }: Result): Uint8Array =>
  Sspi.findBuffer(output, Sspi.SECBUFFER_TOKEN)?.data ?? new Uint8Array(0);

/** A handshake of two legs. */
async function handshake(witness: Witness, client: TlsClient, requirements: number): Promise<Result> {
  const mapCertificate = (): { readonly userName: string } => ({ userName: 'alice' });
  const credential = await witness.acquire(schannelPackage, { ...server, ca: ca.cert, mapCertificate });
  const first = await witness.accept(credential, undefined, await client.next(), { requirements });
  assertStatus(first, Sspi.SEC_I_CONTINUE_NEEDED);
  const last = await witness.accept(credential, first.context, await client.next(tokenOf(first)), { requirements });
  await client.next(tokenOf(last));
  return last;
}

/** Row package Schannel. */
export async function schannelEstablishes(witness: Witness): Promise<void> {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const options: ConnectionOptions = { minVersion: version, maxVersion: version, ca: ca.cert };
    using client = new TlsClient({ ...options, rejectUnauthorized: true, servername: 'localhost' });
    const last = await handshake(witness, client, Sspi.ASC_REQ_CONNECTION);
    assertStatus(last, Sspi.SEC_E_OK);
    assert.equal(client.socket.authorized, true);
  }
}

/** Row SEC_E_INCOMPLETE_MESSAGE. */
export async function incompleteRecord(witness: Witness): Promise<void> {
  using client = new TlsClient();
  const credential = await witness.acquire(schannelPackage, server);
  const [hello] = recordsOf(await client.next());
  const cut = await witness.accept(credential, undefined, hello!.subarray(0, 100));
  assertStatus(cut, Sspi.SEC_E_INCOMPLETE_MESSAGE);
  assert.equal(cut.missing, hello!.byteLength - 100);
  assert.ok(cut.context !== undefined);
  assertStatus(await witness.accept(credential, cut.context, hello!), Sspi.SEC_I_CONTINUE_NEEDED);
}

/** Row ASC_REQ_MUTUAL_AUTH. */
export async function clientCertificateIsRequired(witness: Witness): Promise<void> {
  const requirements = Sspi.ASC_REQ_MUTUAL_AUTH;
  using right = new TlsClient(alice);
  const granted = await handshake(witness, right, requirements);
  assertGranted(granted, Sspi.ASC_RET_MUTUAL_AUTH);
  assert.equal(Sspi.querySecurityContextToken(granted.context!).value?.userName, 'alice');
  for (const options of [{}, stranger]) {
    using wrong = new TlsClient(options);
    assertStatus(await handshake(witness, wrong, requirements), Sspi.SEC_E_LOGON_DENIED);
  }
  using unasked = new TlsClient(alice);
  const without = await handshake(witness, unasked, 0);
  assert.equal(without.attributes! & Sspi.ASC_RET_MUTUAL_AUTH, 0);
}

/** Row ASC_REQ_STREAM. */
export async function streamOfRecords(witness: Witness): Promise<void> {
  using client = new TlsClient();
  const last = await handshake(witness, client, Sspi.ASC_REQ_STREAM);
  assertGranted(last, Sspi.ASC_RET_STREAM);
  const sent = Buffer.concat([await client.send('one, '), await client.send('two')]);
  let text = '';
  for (let bytes: Uint8Array | undefined = sent; bytes !== undefined;) {
    const opened = await Sspi.decryptMessage(last.context!, [{ type: Sspi.SECBUFFER_DATA, data: bytes }]);
    assert.equal(Sspi.statusName(opened.status), 'SEC_E_OK');
    text += Buffer.from(Sspi.findBuffer(opened.value!, Sspi.SECBUFFER_DATA)!.data).toString();
    bytes = Sspi.findBuffer(opened.value!, Sspi.SECBUFFER_EXTRA)?.data;
  }
  assert.equal(text, 'one, two');
}
