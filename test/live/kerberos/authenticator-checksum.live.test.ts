/** The checksum of the authenticator, RFC 4121 section 4.1.1: channel bindings, flags, what is delegated. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import {
  applicationTag,
  contextTag,
  DER_SEQUENCE,
  derElement,
  derInteger,
  derOctetString,
} from '../../../src/formats/der.ts';
import {
  ASC_REQ_ALLOW_MISSING_BINDINGS,
  ASC_REQ_CONNECTION,
  ASC_REQ_DELEGATE,
  ASC_RET_DELEGATE,
} from '../../../src/sspi/index.ts';
import { apOptions, encryptionKey, kerberosString, withChecksum } from '../../lab/kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { startLibraryAcceptor } from '../../lab/kerberos/gss-library.ts';
import { gssClientPackages, startGssClient } from '../../lab/gss-client.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable } from './acceptor.ts';
import { startForgeRealm } from './forge-realm.ts';
import type { ForgeRealm } from './forge-realm.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', gssClientPackages) },
  { ...heimdal, ready: await tier('heimdal', gssClientPackages) },
  { ...portable, ready: await tier('kdc', gssClientPackages) },
];

for (const { name: gssapi, library, ready } of gssapis)
  describe(`what Kerberos of ${gssapi} refuses`, ready, () => {
    let realm: ForgeRealm;
    before(async () => {
      realm = await startForgeRealm(library);
    });
    after(() => realm.stop());

    it('D10: a delegation flag with nothing behind it delegates nothing', async () => {
      using delegating = await acceptor({ library, keytab: realm.kdc.keytab, delegate: true });
      for (const credential of [realm.server, delegating]) {
        const token = await realm.forged(withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 1, 20), c)));
        const verified = await credential.verify(token, { requirements: ASC_REQ_CONNECTION | ASC_REQ_DELEGATE });
        assert.equal(verified.attributes & ASC_RET_DELEGATE, 0);
      }
    });

    it('D10: a ticket that was really forwarded is kept only where the option and the call both ask for it', async () => {
      using delegating = await acceptor({ library, keytab: realm.kdc.keytab, delegate: true });
      const forwarding = { flags: ['mutual_authentication', 'delegate_to_peer'] };
      for (const [credential, asked, kept] of [
        [delegating, ASC_REQ_DELEGATE, ASC_RET_DELEGATE],
        [delegating, 0, 0],
        [realm.server, ASC_REQ_DELEGATE, 0],
        [realm.server, 0, 0],
      ] as const) {
        const token = await realm.client.initiate(forwarding);
        const verified = await credential.verify(token, { requirements: ASC_REQ_CONNECTION | asked });
        assert.equal(verified.status, 'SEC_E_OK', verified.why);
        assert.equal(verified.attributes & ASC_RET_DELEGATE, kept);
      }
    });

    it('D10: no checksum at all means no channel bindings, and fails where they are required', async () => {
      const without = (open: OpenApRequest): void => void open.authenticator.delete(3);
      const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:x'));
      assert.notEqual((await realm.server.verify(await realm.forged(without), { bindings })).status, 'SEC_E_OK');
    });

    it("D11: the flag of bound channels is not the client's to set", async () => {
      // GSS_C_CHANNEL_BOUND_FLAG (0x800) with channel bindings of zeros.
      const claim = withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 0x800, 20), c.fill(0, 4, 20), c));
      const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:x'));
      assert.equal((await realm.server.verify(await realm.forged(claim), { bindings })).status, 'SEC_E_BAD_BINDINGS');
      // Nor is there a need for it.
      assert.equal((await realm.server.verify(await realm.forged(claim))).status, 'SEC_E_OK');
      const bound = await realm.client.initiate({ bindings: Buffer.from('tls-server-end-point:x') });
      assert.equal((await realm.server.verify(bound, { bindings })).status, 'SEC_E_OK');
    });

    it('D11: a client that knows channel bindings may not leave them out', async () => {
      const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:x'));
      const lenient = { bindings, requirements: ASC_REQ_CONNECTION | ASC_REQ_ALLOW_MISSING_BINDINGS };
      const zeros = (data: Uint8Array | undefined) => (open: OpenApRequest) => {
        withChecksum((c) => c.fill(0, 4, 20))(open);
        if (data === undefined) open.authenticator.delete(8);
        else open.authenticator.set(8, data);
      };
      // KERB_AP_OPTIONS_CBT is 0x4000; 0x8000 is KERB_AP_OPTIONS_UNVERIFIED_TARGET_NAME.
      const cases = [
        [undefined, 'SEC_E_OK'],
        [apOptions(0x8000), 'SEC_E_OK'],
        [apOptions(0x4000), 'SEC_E_BAD_BINDINGS'],
        [apOptions(0xc000), 'SEC_E_BAD_BINDINGS'],
      ] as const;
      for (const [data, expected] of cases) {
        const verified = await realm.server.verify(await realm.forged(zeros(data)), lenient);
        assert.equal(verified.status, expected, verified.why);
        // A server without bindings asks for none.
        assert.equal((await realm.server.verify(await realm.forged(zeros(data)))).status, 'SEC_E_OK');
      }
    });

    it('D11: MIT krb5 as a client that knows channel bindings: none are refused, the right ones pass', async () => {
      const config = realm.kdc.file('aware.conf');
      const own = await readFile(realm.env['KRB5_CONFIG'] ?? '', 'utf8');
      await writeFile(config, own.replace('[libdefaults]', '[libdefaults]\n client_aware_channel_bindings = true'));
      await using client = await startGssClient({ ...realm.env, KRB5_CONFIG: config });
      const application = Buffer.from('tls-server-end-point:x');
      const requirements = ASC_REQ_CONNECTION | ASC_REQ_ALLOW_MISSING_BINDINGS;
      const bindings = encodeChannelBindings(application);
      const verify = async (token: Promise<Buffer>): Promise<string> =>
        (await realm.server.verify(await token, { bindings, requirements })).status;
      assert.equal(await verify(client.initiate()), 'SEC_E_BAD_BINDINGS');
      assert.equal(await verify(client.initiate({ bindings: application })), 'SEC_E_OK');
      assert.equal(await verify(realm.client.initiate()), 'SEC_E_OK');
    });

    it('D10: an extension after the checksum is ignored', async () => {
      const alter = withChecksum((content) => Buffer.concat([content, Buffer.from('00000063000000020102', 'hex')]));
      const { status, token } = await realm.server.verify(await realm.forged(alter));
      assert.equal(status, 'SEC_E_OK');
      assert.equal(token?.userName, 'alice');
    });

    it('D20: garbage in place of a delegated ticket grants nothing', async () => {
      using delegating = await acceptor({ library, keytab: realm.kdc.keytab, delegate: true });
      const delegated = (size: number) =>
        withChecksum((content) => {
          const head = content.subarray(0, 28);
          const option = Buffer.concat([head.subarray(0, 24), Buffer.alloc(4)]);
          option.writeUInt32LE(option.readUInt32LE(20) | 1, 20);
          option.writeUInt16LE(1, 24);
          option.writeUInt16LE(size, 26);
          return Buffer.concat([option, Buffer.alloc(size, 0x76)]);
        });
      for (const size of [0, 1, 100, 60_000]) {
        for (const credential of [realm.server, delegating]) {
          const requirements = ASC_REQ_CONNECTION | ASC_REQ_DELEGATE;
          const verified = await credential.verify(await realm.forged(delegated(size)), { requirements });
          assert.equal(verified.attributes & ASC_RET_DELEGATE, 0, `${size} bytes`);
          // Heimdal reads only what is not empty.
          const isRead = gssapi !== 'Heimdal' || size > 0;
          assert.equal(verified.status === 'SEC_E_OK', !isRead, `${size} bytes`);
        }
      }
    });
  });

/** A KRB-CRED that is not encrypted in itself, of tickets and what is said of them. */
function clearCredential(tickets: readonly Uint8Array[], infos: readonly Uint8Array[]): Uint8Array {
  const field = (tag: number, element: Uint8Array): Uint8Array => derElement(contextTag(tag), element);
  const list = derElement(DER_SEQUENCE, field(0, derElement(DER_SEQUENCE, ...infos)));
  const part = derElement(
    DER_SEQUENCE,
    field(0, derInteger(0)),
    field(2, derOctetString(derElement(applicationTag(29), list))),
  );
  const fields = [derInteger(5), derInteger(22), derElement(DER_SEQUENCE, ...tickets), part];
  return derElement(applicationTag(22), derElement(DER_SEQUENCE, ...fields.map((element, tag) => field(tag, element))));
}

describe('a forwarded ticket that says too little of itself', await tier('kdc', gssClientPackages), () => {
  it('D20: is refused without a library; MIT krb5 refuses it, or ends its process', async (t) => {
    const realm = await startForgeRealm(portable.library);
    try {
      await using library = startLibraryAcceptor('libgssapi_krb5.so.2', realm.kdc.env, 'none');
      const bare = derElement(
        DER_SEQUENCE,
        derElement(contextTag(0), encryptionKey(18, Buffer.alloc(32))),
        // Without names.
        derElement(contextTag(1), kerberosString('TEST.LOCAL')),
      );
      const rows = [
        ['no ticket at all', 0, []],
        ['a ticket, and nothing of it', 1, []],
        ['a ticket without names', 1, [bare]],
      ] as const;
      for (const [name, count, infos] of rows) {
        const token = await realm.forged((open) => {
          const ticket = Buffer.from(open.request.get(3) ?? []);
          const message = clearCredential(count === 0 ? [] : [ticket], infos);
          withChecksum((content) => {
            const head = Buffer.concat([content.subarray(0, 24), Buffer.alloc(4)]);
            head.writeUInt32LE(head.readUInt32LE(20) | 1, 20);
            head.writeUInt16LE(1, 24);
            head.writeUInt16LE(message.byteLength, 26);
            return Buffer.concat([head, message]);
          })(open);
        });
        const [answer] = await library.accept([{ token, isBound: false }]);
        t.diagnostic(`${name}: MIT krb5 ${answer?.isAccepted === true ? 'accepts' : (answer?.why ?? '')}`);
        const { status, why } = await realm.server.verify(token);
        assert.equal(status, 'SEC_E_LOGON_DENIED', name);
        assert.match(why, /forwards cannot be read/, name);
      }
    } finally {
      await realm.stop();
    }
  });
});
