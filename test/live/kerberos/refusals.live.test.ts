import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { derElement, derInteger } from '../../../src/formats/der.ts';
import { decodeApRequest, decodeKerberosToken } from '../../../src/formats/kerberos-token.ts';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import {
  ASC_REQ_CONNECTION,
  ASC_REQ_DELEGATE,
  ASC_REQ_EXTENDED_ERROR,
  ASC_RET_DELEGATE,
} from '../../../src/sspi/index.ts';
import {
  checksumContent,
  checksumField,
  encryptionKey,
  flagBits,
  kerberosString,
  kerberosTime,
  keytabKey,
  openApRequest,
  principalName,
  sealApRequest,
} from '../../kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../kerberos/ap-request-forge.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, outputToken, useRealm } from './acceptor.ts';
import type { Acceptor } from './acceptor.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';

const packages = ['python3-gssapi', 'faketime'];
const gssapis = [
  { ...mit, ready: await tier('kdc', packages) },
  { ...heimdal, ready: await tier('heimdal', packages) },
];
const MINUTE = 60_000;

/** Where Heimdal says no in another word than MIT krb5. */
const wordsOfHeimdal: Readonly<Record<string, string>> = {
  'D04: ticket marked INVALID': 'SEC_E_TIME_SKEW',
  'D10: Lgth is not 16': 'SEC_E_BAD_BINDINGS',
  'D10: delegation longer than the checksum': 'SEC_E_BAD_BINDINGS',
  'D19, G07: DCE style': 'SEC_E_LOGON_DENIED',
};

for (const { name: gssapi, library, ready } of gssapis)
  describe(`what Kerberos of ${gssapi} refuses`, ready, () => {
    let kdc: Kdc;
    let client: GssClient;
    let env: Readonly<Record<string, string>>;
    let server: Acceptor;
    let key: Buffer;
    before(async () => {
      kdc = await startKdc({ services: ['HTTP/localhost', 'HTTP/web.test.local', 'cifs/localhost'] });
      useRealm(kdc);
      env = await kdc.signIn('alice', ['-f']);
      client = await startGssClient(env);
      server = await acceptor({ library, keytab: kdc.keytab });
      key = keytabKey(kdc.keytab, 'HTTP/localhost');
    });
    after(async () => {
      server[Symbol.dispose]();
      await client[Symbol.asyncDispose]();
      await kdc.stop();
    });

    /** A real token with something altered inside and sealed again with the right keys. */
    const forged = async (alter: (open: OpenApRequest) => void): Promise<Buffer> => {
      const open = openApRequest(await client.initiate(), key);
      alter(open);
      return sealApRequest(open, key);
    };

    it('accepts a forged token in which nothing was altered: the forge itself is sound', async () => {
      const { status, token } = await server.judge(await forged(() => undefined));
      assert.equal(status, 'SEC_E_OK');
      assert.equal(token?.userName, 'alice');
    });

    const time = (offset: number): Uint8Array => kerberosTime(Date.now() + offset);
    const withChecksum = (alter: (content: Buffer) => Uint8Array, type?: number) => (open: OpenApRequest) => {
      open.authenticator.set(3, checksumField(alter(checksumContent(open.authenticator.get(3)!)), type));
    };
    type Case = readonly [name: string, alter: (open: OpenApRequest) => void, status: string, why: RegExp];
    const cases: readonly Case[] = [
      [
        'D03: ctime six minutes ahead',
        (o) => o.authenticator.set(5, time(6 * MINUTE)),
        'SEC_E_TIME_SKEW',
        /(359|36[01]) seconds ahead/,
      ],
      [
        'D03: ctime six minutes behind',
        (o) => o.authenticator.set(5, time(-6 * MINUTE)),
        'SEC_E_TIME_SKEW',
        /(359|36[01]) seconds behind/,
      ],
      [
        'D03: year 9999',
        (o) => o.authenticator.set(5, time(Date.UTC(9999, 0) - Date.now())),
        'SEC_E_TIME_SKEW',
        /ahead/,
      ],
      [
        'D03: no time at all',
        (o) => o.authenticator.set(5, derElement(0x18, Buffer.from('20260101'))),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      ['D04: ticket expired', (o) => o.encTicket.set(7, time(-6 * MINUTE)), 'SEC_E_CONTEXT_EXPIRED', /has expired/],
      ['D04: ticket not yet valid', (o) => o.encTicket.set(6, time(30 * MINUTE)), 'SEC_E_TIME_SKEW', /not yet valid/],
      // INVALID is bit 7 of TicketFlags, RFC 4120 section 5.3.
      ['D04: ticket marked INVALID', (o) => o.encTicket.set(0, flagBits(0x01000000)), 'SEC_E_LOGON_DENIED', /./],
      [
        'D05: ticket of another service under the same key',
        (o) => o.ticket.set(2, principalName(2, 'cifs', 'localhost')),
        'SEC_E_WRONG_PRINCIPAL',
        /cifs\/localhost@TEST\.LOCAL.*takes HTTP/,
      ],
      [
        'D06: ticket said to be RC4',
        (o) => (o.ticketHeader.encryptionType = 23),
        'SEC_E_ALGORITHM_MISMATCH',
        /ticket .* arcfour-hmac/,
      ],
      [
        'D06: ticket said to be DES',
        (o) => (o.ticketHeader.encryptionType = 3),
        'SEC_E_ALGORITHM_MISMATCH',
        /des-cbc-md5/,
      ],
      [
        'D06: session key said to be RC4',
        (o) => (o.authenticatorEncryptionType = 23),
        'SEC_E_ALGORITHM_MISMATCH',
        /session key .* arcfour-hmac/,
      ],
      [
        'D06: session key of RC4 in the ticket',
        (o) => o.encTicket.set(1, encryptionKey(23, new Uint8Array(16))),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      [
        'D06: subkey of RC4',
        (o) => o.authenticator.set(6, encryptionKey(23, new Uint8Array(16).fill(5))),
        'SEC_E_ALGORITHM_MISMATCH',
        /./,
      ],
      [
        'D07: another client name in the authenticator',
        (o) => o.authenticator.set(2, principalName(1, 'bob')),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      [
        'D07: another realm in the authenticator',
        (o) => o.authenticator.set(1, kerberosString('OTHER.TEST')),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      [
        'D09: AES-128 ticket type for an AES-256 ticket',
        (o) => (o.ticketHeader.encryptionType = 17),
        'SEC_E_LOGON_DENIED',
        /cannot be decrypted/,
      ],
      ['D10: checksum of 23 bytes', withChecksum((c) => c.subarray(0, 23)), 'SEC_E_BAD_BINDINGS', /./],
      ['D10: checksum of no bytes', withChecksum((c) => c.subarray(0, 0)), 'SEC_E_BAD_BINDINGS', /./],
      ['D10: Lgth is not 16', withChecksum((c) => (c.writeUInt32LE(17, 0), c)), 'SEC_E_LOGON_DENIED', /./],
      [
        'D10: delegation longer than the checksum',
        withChecksum(
          (c) => (
            c.writeUInt32LE(c.readUInt32LE(20) | 1, 20),
            Buffer.concat([c.subarray(0, 24), Buffer.from('0100ffff00', 'hex')])
          ),
        ),
        'SEC_E_LOGON_DENIED',
        /./,
      ],
      ['D10: checksum of another type', withChecksum((c) => c, 15), 'SEC_E_LOGON_DENIED', /./],
      [
        'D19: user-to-user',
        (o) => o.request.set(2, flagBits(0x60000000)),
        'SEC_E_UNSUPPORTED_FUNCTION',
        /user-to-user/,
      ],
      // GSS_C_DCE_STYLE would need a third leg: not a clean yes (attack G07).
      [
        'D19, G07: DCE style',
        withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 0x1000, 20), c)),
        'SEC_E_INVALID_TOKEN',
        /./,
      ],
    ];
    for (const [name, alter, status, why] of cases) {
      it(name, async () => {
        const judged = await server.judge(await forged(alter));
        const expected = gssapi === 'Heimdal' ? (wordsOfHeimdal[name] ?? status) : status;
        assert.equal(judged.status, expected, judged.why);
        assert.equal(judged.token, undefined);
        assert.match(judged.why, why);
        // Nothing goes to the client unless the caller asks for extended errors.
        assert.deepEqual(judged.output, []);
      });
    }

    it('D09: a ticket under a known key is taken whatever key version it names: libkrb5 tries the keys it has', async () => {
      for (const keyVersion of [77, -1, undefined]) {
        const token = await forged((open) => (open.ticketHeader.keyVersion = keyVersion));
        assert.equal((await server.judge(token)).token?.userName, 'alice');
      }
      const stranger = Buffer.alloc(32, 9);
      const open = openApRequest(await client.initiate(), key);
      open.ticketHeader.keyVersion = 77;
      const judged = await server.judge(sealApRequest(open, stranger));
      assert.equal(judged.token, undefined);
      assert.match(judged.why, /kvno\) 77, and the keytab .* has kvno 2/);
    });

    it('D10: a delegation flag with nothing behind it delegates nothing', async () => {
      using delegating = await acceptor({ library, keytab: kdc.keytab, delegate: true });
      for (const credential of [server, delegating]) {
        const token = await forged(withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 1, 20), c)));
        const judged = await credential.judge(token, { requirements: ASC_REQ_CONNECTION | ASC_REQ_DELEGATE });
        assert.equal(judged.attributes & ASC_RET_DELEGATE, 0);
      }
    });

    it('D10: no checksum at all means no channel bindings, and fails where they are required', async () => {
      const without = (open: OpenApRequest): void => void open.authenticator.delete(3);
      const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:x'));
      assert.notEqual((await server.judge(await forged(without), { bindings })).status, 'SEC_E_OK');
    });

    it("D11: the flag of bound channels is not the client's to set", async () => {
      // GSS_C_CHANNEL_BOUND_FLAG (0x800) with channel bindings of zeros.
      const claim = withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 0x800, 20), c.fill(0, 4, 20), c));
      const bindings = encodeChannelBindings(Buffer.from('tls-server-end-point:x'));
      assert.equal((await server.judge(await forged(claim), { bindings })).status, 'SEC_E_BAD_BINDINGS');
      // Nor is there a need for it.
      assert.equal((await server.judge(await forged(claim))).status, 'SEC_E_OK');
      const bound = await client.initiate({ bindings: Buffer.from('tls-server-end-point:x') });
      assert.equal((await server.judge(bound, { bindings })).status, 'SEC_E_OK');
    });

    it('D10: an extension after the checksum is ignored', async () => {
      const alter = withChecksum((content) => Buffer.concat([content, Buffer.from('00000063000000020102', 'hex')]));
      const { status, token } = await server.judge(await forged(alter));
      assert.equal(status, 'SEC_E_OK');
      assert.equal(token?.userName, 'alice');
    });

    it('D08: no byte of ticket or authenticator can be altered, and none of the rest helps', async () => {
      const token = await client.initiate();
      // The true one first: what is accepted afterwards with its authenticator would be a replay.
      assert.equal((await server.judge(token)).status, 'SEC_E_OK');
      for (let at = 0; at < token.byteLength; at++) {
        for (const bit of [0x01, 0x80]) {
          const altered = Buffer.from(token);
          altered[at]! ^= bit;
          const { status } = await server.judge(altered);
          assert.notEqual(status, 'SEC_E_OK', `byte ${at}, bit ${bit}`);
        }
      }
    });

    it('A03, A04: every prefix and any trailing byte is refused', async () => {
      const token = await client.initiate();
      for (let length = 0; length < token.byteLength; length++) {
        assert.equal((await server.judge(token.subarray(0, length))).status, 'SEC_E_INVALID_TOKEN');
      }
      assert.equal((await server.judge(Buffer.concat([token, Buffer.of(0)]))).status, 'SEC_E_INVALID_TOKEN');
      assert.equal((await server.judge(token)).status, 'SEC_E_OK');
    });

    it('D08: ciphertexts cut to fewer bytes than a confounder and a MAC', async () => {
      for (const length of [0, 1, 11, 12, 15, 16, 27, 28, 29]) {
        const token = await client.initiate();
        const cut = cutTicket(token, length);
        assert.ok(cut.byteLength < token.byteLength - 200, `${cut.byteLength} bytes`);
        assert.notEqual((await server.judge(cut)).status, 'SEC_E_OK', `${length} bytes`);
      }
    });

    it('D19, B09: tokens of other kinds and mechanisms never reach the library', async () => {
      const spnego = await client.initiate({ mech: 'spnego' });
      assert.equal((await server.judge(spnego)).status, 'SEC_E_INVALID_TOKEN');
      const token = await client.initiate();
      const at = token.indexOf(Buffer.from('06092a864886f712010202', 'hex')) + 11;
      for (const tokenId of [0x0200, 0x0300, 0x0404, 0x0504, 0x0000]) {
        const altered = Buffer.from(token);
        altered.writeUInt16BE(tokenId, at);
        assert.equal((await server.judge(altered)).status, 'SEC_E_INVALID_TOKEN');
      }
      const ntlm = Buffer.from('4e544c4d5353500001000000978208e2', 'hex');
      assert.equal((await server.judge(ntlm)).status, 'SEC_E_INVALID_TOKEN');
      assert.equal((await server.judge(Buffer.alloc(65_537, 0x60))).status, 'SEC_E_INVALID_TOKEN');
    });

    it('D18: a name with a separator in it stays one component', async () => {
      const named =
        (...components: string[]) =>
        (open: OpenApRequest): void => {
          const name = principalName(1, ...components);
          open.encTicket.set(3, name);
          open.authenticator.set(2, name);
          // The PAC of this KDC names alice; it has no logon information, so the name is the principal's.
          open.encTicket.delete(10);
        };
      const enterprise = await server.judge(await forged(named('alice@OTHER.TEST')));
      assert.equal(enterprise.status, 'SEC_E_OK');
      assert.equal(enterprise.token?.userName, 'alice\\@OTHER.TEST');
      assert.equal(enterprise.token.userPrincipalName, 'alice\\@OTHER.TEST@TEST.LOCAL');
      const slash = await server.judge(await forged(named('host/admin')));
      assert.equal(slash.token?.userName, 'host\\/admin');
      const two = await server.judge(await forged(named('host', 'admin')));
      assert.equal(two.token?.userName, 'host/admin');
      const control = await server.judge(await forged(named('al\u001bice')));
      assert.equal(control.status, 'SEC_E_LOGON_DENIED');
      assert.match(control.why, /control characters/);
    });

    it('D13: an account that is known by its ticket is judged by each token all the same', async () => {
      const first = await client.initiate();
      const judged = await server.judge(first);
      assert.equal(judged.status, 'SEC_E_OK');
      /** Another authenticator with the very ticket that was accepted. */
      const again = async (alter: (open: OpenApRequest) => void): Promise<Buffer> =>
        withTicketOf(first, await forged(alter));
      const unaltered = await server.judge(await again(() => undefined));
      assert.equal(unaltered.status, 'SEC_E_OK');
      assert.deepEqual(unaltered.token, judged.token);
      const ofBob = await again((open) => void open.authenticator.set(2, principalName(1, 'bob')));
      assert.notEqual((await server.judge(ofBob)).status, 'SEC_E_OK');
      const otherKey = await again((open) => void open.sessionKey.fill(1));
      assert.notEqual((await server.judge(otherKey)).status, 'SEC_E_OK');
      // GSS_C_ANON_FLAG: whatever the library makes of it, it does so for a known ticket as for a new one.
      const anonymous = withChecksum((c) => (c.writeUInt32LE(c.readUInt32LE(20) | 0x40, 20), c));
      using fresh = await acceptor({ library, keytab: kdc.keytab });
      const known = await server.judge(await again(anonymous));
      const unknown = await fresh.judge(await again(anonymous));
      assert.equal(known.status, unknown.status);
      assert.deepEqual(known.token, unknown.token);
    });

    it('an anonymous principal is no identity', async () => {
      const name = principalName(11, 'WELLKNOWN', 'ANONYMOUS');
      const { status, token } = await server.judge(
        await forged((open) => {
          for (const [part, nameTag, realmTag] of [
            [open.encTicket, 3, 2],
            [open.authenticator, 2, 1],
          ] as const) {
            part.set(nameTag, name);
            part.set(realmTag, kerberosString('WELLKNOWN:ANONYMOUS'));
          }
          open.encTicket.delete(10);
        }),
      );
      if (status === 'SEC_E_OK') assert.equal(token?.isAnonymous, true);
      else assert.equal(token, undefined);
    });

    it('D16: a ticket without logon information is refused where a PAC is required', async () => {
      using strict = await acceptor({ library, keytab: kdc.keytab, requirePac: true });
      const judged = await strict.judge(await client.initiate());
      assert.equal(judged.status, 'SEC_E_LOGON_DENIED');
      assert.match(judged.why, /no PAC/);
    });

    it('D20: garbage in place of a delegated ticket grants nothing', async () => {
      using delegating = await acceptor({ library, keytab: kdc.keytab, delegate: true });
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
        for (const credential of [server, delegating]) {
          const requirements = ASC_REQ_CONNECTION | ASC_REQ_DELEGATE;
          const judged = await credential.judge(await forged(delegated(size)), { requirements });
          assert.equal(judged.attributes & ASC_RET_DELEGATE, 0, `${size} bytes`);
          // Heimdal reads what is not empty.
          const isRead = gssapi === 'MIT krb5' || size > 0;
          assert.equal(judged.status === 'SEC_E_OK', !isRead, `${size} bytes`);
        }
      }
    });

    it('D05: servicePrincipalNames restricts whose tickets are taken, in any case', async () => {
      const web = await client.initiate({ target: 'HTTP@web.test.local' });
      using only = await acceptor({
        library,
        keytab: kdc.keytab,
        servicePrincipalNames: ['http/LOCALHOST@test.local'],
      });
      const refused = await only.judge(web);
      assert.equal(refused.status, 'SEC_E_WRONG_PRINCIPAL');
      assert.match(refused.why, /HTTP\/web\.test\.local@TEST\.LOCAL, and this server takes http\/LOCALHOST/);
      assert.equal((await only.judge(await client.initiate())).status, 'SEC_E_OK');
      assert.equal((await server.judge(web)).status, 'SEC_E_OK');
      const cifs = await server.judge(await client.initiate({ target: 'cifs@localhost' }));
      assert.equal(cifs.status, 'SEC_E_WRONG_PRINCIPAL');
    });

    it('D05: a ticket of another service under the name of this one is refused: only its own keys are loaded', async () => {
      const names = ['HTTP/localhost', 'cifs/localhost'];
      using any = await acceptor({ library, keytab: kdc.keytab, servicePrincipalNames: names });
      const cifs = keytabKey(kdc.keytab, 'cifs/localhost');
      for (const keyVersion of [2, 77, undefined]) {
        const renamed = async (): Promise<Buffer> => {
          const open = openApRequest(await client.initiate({ target: 'cifs@localhost' }), cifs);
          open.ticket.set(2, principalName(2, 'HTTP', 'localhost'));
          open.ticketHeader.keyVersion = keyVersion;
          return sealApRequest(open, cifs);
        };
        const judged = await server.judge(await renamed());
        assert.equal(judged.token, undefined);
        // No library has anything against it by itself, once it has the key.
        if (keyVersion === 77) assert.equal((await any.judge(await renamed())).status, 'SEC_E_OK');
      }
    });

    it('D03: a client whose clock is off is told apart, in seconds, and gets the server time where asked for', async () => {
      await runChecked('kvno', ['HTTP/localhost'], { env });
      await using late = await startGssClient(env, ['faketime', '-f', '+20m']);
      const judged = await server.judge(await late.initiate(), { requirements: ASC_REQ_EXTENDED_ERROR });
      assert.equal(judged.status, 'SEC_E_TIME_SKEW');
      const [, seconds] = /clock is (\d+) seconds ahead/.exec(judged.why) ?? [];
      assert.ok(Math.abs(Number(seconds) - 1200) <= 5, judged.why);
      // KRB-ERROR with KRB_AP_ERR_SKEW (37): error-code [6] INTEGER.
      const error = Buffer.from(outputToken(judged.output));
      assert.ok(
        error.includes(Buffer.concat([Buffer.from('a603', 'hex'), Buffer.from(derInteger(37))])),
        error.toString('hex'),
      );
    });

    it('D06: RC4 of a real KDC is refused by default and taken where allowed', async () => {
      await using old = await startKdc({
        realm: 'OLD.TEST',
        services: ['HTTP/localhost'],
        encryptionTypes: 'aes256-cts:normal rc4-hmac:normal',
      });
      await old.administer([
        'addprinc -randkey -e rc4-hmac:normal HTTP/rc4.old.test',
        `ktadd -k ${old.file('rc4.keytab')} -e rc4-hmac:normal HTTP/rc4.old.test`,
        `ktadd -k ${old.file('rc4.keytab')} HTTP/localhost`,
      ]);
      const rc4 = await startGssClient(await old.signIn('alice'));
      const keytab = old.file('rc4.keytab');
      using refusing = await acceptor({ library, keytab });
      using allowing = await acceptor({ library, keytab, allowRc4: true });
      const target = 'HTTP@rc4.old.test';
      const judged = await refusing.judge(await rc4.initiate({ target }));
      assert.equal(judged.status, 'SEC_E_ALGORITHM_MISMATCH');
      assert.match(judged.why, /arcfour-hmac, which is refused/);
      assert.equal((await allowing.judge(await rc4.initiate({ target }))).status, 'SEC_E_OK');
      await rc4[Symbol.asyncDispose]();
    });
  });

/** Cuts the ciphertext of the ticket to a length by re-encoding the token around it. */
function cutTicket(token: Buffer, length: number): Buffer {
  const open = recode(token, (path, content) =>
    path === '0/14/30/3/1/30/3/30/2/4' ? content.subarray(0, length) : undefined,
  );
  return open;
}

/** Puts the ticket of one token in place of another's. */
function withTicketOf(token: Buffer, other: Buffer): Buffer {
  const cipher = Buffer.from(decodeApRequest(decodeKerberosToken(token).message).ticketCipher);
  return recode(other, (path) => (path === '0/14/30/3/1/30/3/30/2/4' ? cipher : undefined));
}

/** Walks constructed elements and replaces the content of a primitive one by its path of tag numbers. */
function recode(bytes: Buffer, replace: (path: string, content: Buffer) => Buffer | undefined): Buffer {
  const walk = (part: Buffer, path: string): Buffer => {
    const out: Uint8Array[] = [];
    for (let at = 0; at < part.byteLength;) {
      const tag = part[at]!;
      let length = part[at + 1]!;
      let head = 2;
      if (length >= 0x80) {
        head += length & 0x7f;
        length = part.readUIntBE(at + 2, length & 0x7f);
      }
      const content = part.subarray(at + head, at + head + length);
      const name = tag === 0x30 ? '30' : String(tag & 0x1f);
      const here = path === '' ? name : `${path}/${name}`;
      if (here === '0') {
        const inner = 13;
        out.push(derElement(tag, content.subarray(0, inner), walk(content.subarray(inner), here)));
      } else {
        out.push(derElement(tag, (tag & 0x20) !== 0 ? walk(content, here) : (replace(here, content) ?? content)));
      }
      at += head + length;
    }
    return Buffer.concat(out);
  };
  return walk(bytes, '');
}
