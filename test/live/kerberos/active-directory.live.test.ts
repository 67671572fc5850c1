import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import {
  decodePac,
  PAC_CLIENT_INFO,
  PAC_KDC_CHECKSUM,
  PAC_LOGON_INFO,
  PAC_SERVER_CHECKSUM,
  pacServerSignatureInput,
} from '../../../src/formats/kerberos/pac.ts';
import type { SecurityContextToken } from '../../../src/sspi/index.ts';
import { checksum } from '../../lab/kerberos/aes-sha1.ts';
import {
  kerberosString,
  keytabKey,
  openApRequest,
  pacAuthorizationData,
  pacOf,
  sealApRequest,
} from '../../lab/kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { adapters } from '../../adapters/servers.ts';
import type { Answer } from '../../adapters/servers.ts';
import { curl } from '../../lab/curl.ts';
import { canMakeNamespaces, startSambaAd } from '../../lab/samba-ad.ts';
import type { SambaDomain } from '../../lab/samba-ad.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable, useRealm } from './acceptor.ts';
import type { Acceptor } from './acceptor.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';

const ready = await tier('samba-ad', ['python3-gssapi'], canMakeNamespaces);
const gssapis = [
  { ...mit, ready },
  { ...heimdal, ready: ready.skip === false ? await tier('heimdal') : ready },
  { ...portable, ready },
];
const services = ['HTTP/localhost', 'HTTP/web.corp.example.test'];
/** KERB_CHECKSUM: HMAC_SHA1_96_AES256. */
const AES256 = 16;

/** What the directory itself computes: the SIDs of all groups of the domain that an account is in (MS-ADTS 3.1.1.4.5.19). */
const tokenGroups = `
import sys
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_unpack
from samba.param import LoadParm
from samba.samdb import SamDB
parameters = LoadParm()
parameters.load("/etc/samba/smb.conf")
directory = SamDB(session_info=system_session(), lp=parameters)
user = directory.search(directory.domain_dn(), expression="(sAMAccountName=%s)" % sys.argv[1], attrs=[])[0]
for value in directory.search(user.dn, scope=0, attrs=["tokenGroups"])[0]["tokenGroups"]:
    sid = str(ndr_unpack(security.dom_sid, value))
    if sid.startswith("S-1-5-21-"):
        print(sid)
`;

describe('Kerberos with tickets of an Active Directory', ready, () => {
  let domain: SambaDomain;
  let alice: Readonly<Record<string, string>>;
  let client: GssClient;
  let key: Buffer;
  before(async () => {
    domain = await startSambaAd();
    useRealm(domain);
    // Engineering in Staff in Everybody: alice is a member of all three.
    const samba = (...words: string[]): Promise<string> => domain.namespace.runChecked('samba-tool', words);
    for (const group of ['Staff', 'Everybody']) await samba('group', 'add', group);
    await samba('group', 'addmembers', 'Staff', 'Engineering');
    await samba('group', 'addmembers', 'Everybody', 'Staff');
    // A group of the resource domain: Kerberos carries it beside those of the account domain.
    await samba('group', 'add', 'Locals', '--group-scope=Domain');
    await samba('group', 'addmembers', 'Locals', 'Staff');
    await samba('group', 'addmembers', 'Domain Admins', 'bob');
    alice = await domain.signIn('alice', services, ['-f']);
    client = await startGssClient(alice);
    key = keytabKey(domain.keytab, 'HTTP/localhost');
  });
  after(async () => {
    await client[Symbol.asyncDispose]();
    await domain.stop();
  });

  const sidOf = async (name: string): Promise<string> => {
    const printed = await domain.namespace.runChecked('wbinfo', ['-n', `CORP\\${name}`]);
    return printed.split(' ')[0] ?? '';
  };

  for (const { name: gssapi, options, library, ready: runs } of gssapis)
    describe(gssapi, runs, () => {
      let server: Acceptor;
      before(async () => {
        server = await acceptor({ library, keytab: domain.keytab, requirePac: true });
      });
      after(() => {
        server[Symbol.dispose]();
      });

      it('the account is the one that wbinfo knows, with every group it is in, nested ones included', async () => {
        const { status, token, why } = await server.verify(await client.initiate());
        assert.equal(status, 'SEC_E_OK', why);
        assert.ok(token !== undefined, 'no token');
        const { groups, ...account } = token;
        const sid = await sidOf('alice');
        assert.deepEqual(account, {
          userName: 'alice',
          domain: 'CORP',
          userPrincipalName: 'alice@corp.example.test',
          displayName: 'Alice',
          sid,
          isAnonymous: false,
          isGuest: false,
        });
        // winbindd keeps what it knew of alice before the groups were made.
        await domain.namespace.runChecked('net', ['cache', 'flush']);
        const wanted = (await domain.namespace.runChecked('/usr/bin/python3', ['-c', tokenGroups, 'alice']))
          .trim()
          .split('\n');
        const found = groups.map((group) => group.sid ?? '').filter((group) => group.startsWith('S-1-5-21-'));
        assert.deepEqual(found.toSorted(), wanted.toSorted());
        const known = (await domain.namespace.runChecked('wbinfo', ['--user-sids', sid])).trim().split('\n');
        for (const group of known.filter((line) => /^S-1-5-21-/.test(line) && line !== sid))
          assert.ok(found.includes(group), group);
        for (const name of ['Engineering', 'Staff', 'Everybody', 'Locals', 'Domain Users']) {
          assert.ok(found.includes(await sidOf(name)), name);
        }
        assert.equal(groups.find(({ name }) => name === 'CORP\\Domain Users')?.sid, await sidOf('Domain Users'));
        assert.ok(
          groups.every(({ attributes, denyOnly }) => (attributes & 4) === 4 && !denyOnly),
          JSON.stringify(groups),
        );
      });

      it('an administrator is known by the groups of the domain and of BUILTIN', async () => {
        await using bob = await startGssClient(await domain.signIn('bob', services));
        const { token } = await server.verify(await bob.initiate({ target: 'HTTP@web.corp.example.test' }));
        assert.equal(token?.userName, 'bob');
        assert.ok(
          token.groups.some(({ name }) => name === 'CORP\\Domain Admins'),
          JSON.stringify(token.groups),
        );
      });

      it('curl signs in through Express with its groups', async () => {
        await using running = await adapters['Express 5']!({ ...options, keytab: domain.keytab });
        const url = `http://localhost:${running.port}/`;
        const { status, body } = await curl(['--negotiate', '-u', ':', url], { env: alice });
        assert.equal(status, 200);
        const { user } = JSON.parse(body) as Answer;
        assert.equal(user?.name, 'CORP\\alice');
        assert.ok(
          user.groups.some(({ name }) => name === 'CORP\\Domain Users'),
          body,
        );
        const engineering = await sidOf('Engineering');
        assert.ok(
          user.groups.some(({ sid }) => sid === engineering),
          body,
        );
      });

      describe('a PAC that was tampered with, in a ticket under the right key', () => {
        /** The token with its PAC altered; `sign` makes the server signature right again. */
        const altered = async (
          alter: (pac: Buffer) => Uint8Array,
          sign: boolean,
          alterRest: (open: OpenApRequest) => void = () => undefined,
        ): Promise<Buffer> => {
          const open = openApRequest(await client.initiate(), key);
          alterRest(open);
          const pac = Buffer.from(alter(pacOf(open.encTicket.get(10)!)));
          if (sign) signServer(pac, key);
          open.encTicket.set(10, pacAuthorizationData(pac));
          return sealApRequest(open, key);
        };
        const at = (pac: Buffer, type: number): { header: number; offset: number; size: number } => {
          const count = pac.readUInt32LE(0);
          for (let header = 8; header < 8 + 16 * count; header += 16) {
            if (pac.readUInt32LE(header) === type) {
              return { header, offset: Number(pac.readBigUInt64LE(header + 8)), size: pac.readUInt32LE(header + 4) };
            }
          }
          throw new Error(`no PAC buffer of type ${type}`);
        };
        /** The PAC with a second buffer at its end, equal to the first of a type. */
        const withAnother = (pac: Buffer, type: number, typeOfCopy = type): Buffer => {
          const { header, offset, size } = at(pac, type);
          const headersEnd = 8 + 16 * pac.readUInt32LE(0);
          // Buffers begin at multiples of eight.
          const buffers = Buffer.alloc(Math.ceil((pac.byteLength - headersEnd) / 8) * 8 + size);
          pac.copy(buffers, 0, headersEnd);
          pac.copy(buffers, buffers.byteLength - size, offset, offset + size);
          const copied = Buffer.from(pac.subarray(header, header + 16));
          const larger = Buffer.concat([pac.subarray(0, headersEnd), copied, buffers]);
          larger.writeUInt32LE(pac.readUInt32LE(0) + 1, 0);
          for (let entry = 8; entry < headersEnd; entry += 16) {
            larger.writeBigUInt64LE(larger.readBigUInt64LE(entry + 8) + 16n, entry + 8);
          }
          larger.writeUInt32LE(typeOfCopy, headersEnd);
          larger.writeBigUInt64LE(BigInt(larger.byteLength - size), headersEnd + 8);
          return larger;
        };
        const never = (token: SecurityContextToken | undefined): void => assert.equal(token, undefined);

        it('D13: control: an unaltered PAC signed again by the forge is accepted', async () => {
          const { status, token, why } = await server.verify(await altered((pac) => pac, true));
          assert.equal(status, 'SEC_E_OK', why);
          assert.equal(token?.userName, 'alice');
        });

        it('D12: control: one more buffer, of a type that nobody knows, is accepted', async () => {
          const more = await altered((pac) => withAnother(pac, PAC_SERVER_CHECKSUM, 99), true);
          assert.equal((await server.verify(more)).token?.userName, 'alice');
        });

        const unsigned: readonly (readonly [string, (pac: Buffer) => Uint8Array])[] = [
          ['D13: the user id is 500', (pac) => (pac.writeUInt32LE(500, userIdOffset(pac)), pac)],
          ['D13: a bit of the signature', (pac) => ((pac[at(pac, PAC_SERVER_CHECKSUM).offset + 4]! ^= 1), pac)],
          ['D12: no server signature', (pac) => (pac.writeUInt32LE(99, at(pac, PAC_SERVER_CHECKSUM).header), pac)],
          ['D12: no KDC signature', (pac) => (pac.writeUInt32LE(99, at(pac, PAC_KDC_CHECKSUM).header), pac)],
          ['D12: signature type CRC-32', (pac) => (pac.writeInt32LE(1, at(pac, PAC_SERVER_CHECKSUM).offset), pac)],
          ['D12: signature type 0', (pac) => (pac.writeInt32LE(0, at(pac, PAC_SERVER_CHECKSUM).offset), pac)],
          ['D12: HMAC-MD5 without the key', (pac) => hmacMd5Signed(pac)],
          ['D12: cBuffers 2^32-1', (pac) => (pac.writeUInt32LE(0xffffffff, 0), pac)],
          [
            'D12: an offset behind the end',
            (pac) => (pac.writeBigUInt64LE(0xfffffffffffffff8n, at(pac, PAC_LOGON_INFO).header + 8), pac),
          ],
          [
            'D12: a size behind the end',
            (pac) => (pac.writeUInt32LE(0xfffffff0, at(pac, PAC_LOGON_INFO).header + 4), pac),
          ],
          ['D12: cut in half', (pac) => pac.subarray(0, pac.byteLength / 2)],
        ];
        for (const [name, alter] of unsigned) {
          it(`${name}: nobody is signed in, whether a PAC is required or not`, async () => {
            using lenient = await acceptor({ library, keytab: domain.keytab });
            never((await server.verify(await altered(alter, false))).token);
            never((await lenient.verify(await altered(alter, false))).token);
          });
        }

        const resigned: readonly (readonly [string, (pac: Buffer) => Uint8Array])[] = [
          ['D12: two server signatures, alike', (pac) => withAnother(pac, PAC_SERVER_CHECKSUM)],
          [
            'D14: the client is another',
            (pac) => (pac.write('b', at(pac, PAC_CLIENT_INFO).offset + 10, 'utf16le'), pac),
          ],
          [
            'D14: the time of authentication is another',
            (pac) => (pac.writeUInt32LE(1, at(pac, PAC_CLIENT_INFO).offset), pac),
          ],
          ['D15: GroupCount 2^31', (pac) => (pac.writeUInt32LE(0x80000000, userIdOffset(pac) + 8), pac)],
          [
            'D15: GroupCount one too many',
            (pac) => (pac.writeUInt32LE(pac.readUInt32LE(userIdOffset(pac) + 8) + 1, userIdOffset(pac) + 8), pac),
          ],
          [
            'D15: logon information that is no NDR',
            (pac) => (pac.fill(0xff, at(pac, PAC_LOGON_INFO).offset, at(pac, PAC_LOGON_INFO).offset + 40), pac),
          ],
        ];
        for (const [name, alter] of resigned) {
          it(`${name}, signed: nobody is signed in, whether a PAC is required or not`, async () => {
            using lenient = await acceptor({ library, keytab: domain.keytab });
            never((await server.verify(await altered(alter, true))).token);
            never((await lenient.verify(await altered(alter, true))).token);
          });
        }

        it('D16: a verified PAC without logon information gives the principal alone, and fails where one is required', async () => {
          const without = (pac: Buffer): Buffer => (pac.writeUInt32LE(99, at(pac, PAC_LOGON_INFO).header), pac);
          using lenient = await acceptor({ library, keytab: domain.keytab });
          const { token } = await lenient.verify(await altered(without, true));
          assert.equal(token?.userPrincipalName, 'alice@CORP.EXAMPLE.TEST');
          assert.deepEqual(token.groups, []);
          never((await server.verify(await altered(without, true))).token);
        });

        it('D18: a KDC of another realm that writes our domain into its PAC gives its user no name of ours', async () => {
          const ofOtherRealm = await altered(
            (pac) => pac,
            true,
            ({ encTicket, authenticator }) => {
              encTicket.set(2, kerberosString('OTHER.TEST'));
              authenticator.set(1, kerberosString('OTHER.TEST'));
            },
          );
          const { status, token, why } = await server.verify(ofOtherRealm);
          assert.equal(status, 'SEC_E_OK', why);
          assert.equal(token?.userPrincipalName, 'alice@OTHER.TEST');
          assert.deepEqual([token.userName, token.domain], ['alice', undefined]);
          assert.ok(token.groups.some(({ sid }) => /^S-1-5-21-.*-513$/.test(sid ?? '')));
          assert.ok(token.groups.every((group) => !('name' in group)));
        });

        it('D17: who has the key of the service can make any PAC: only the domain controller could tell', async () => {
          const forged = await altered((pac) => (pac.writeUInt32LE(500, userIdOffset(pac)), pac), true);
          assert.match((await server.verify(forged)).token?.sid ?? '', /-500$/);
          // So the operator can have none believed.
          using principals = await acceptor({ library, keytab: domain.keytab, ignorePac: true });
          const again = await altered((pac) => (pac.writeUInt32LE(500, userIdOffset(pac)), pac), true);
          const { token } = await principals.verify(again);
          assert.equal(token?.userPrincipalName, 'alice@CORP.EXAMPLE.TEST');
          assert.deepEqual([token.sid, token.domain, token.groups], [undefined, undefined, []]);
        });

        /** Offset of UserId: headers 20, times 48, strings 48, two counts 4. */
        function userIdOffset(pac: Buffer): number {
          return at(pac, PAC_LOGON_INFO).offset + 20 + 48 + 48 + 4;
        }
        function signServer(pac: Buffer, serviceKey: Buffer): void {
          const { offset } = at(pac, PAC_SERVER_CHECKSUM);
          pac.writeInt32LE(AES256, offset);
          checksum(serviceKey, 17, pacServerSignatureInput(pac)).copy(pac, offset + 4);
        }
        function hmacMd5Signed(pac: Buffer): Buffer {
          const { offset } = at(pac, PAC_SERVER_CHECKSUM);
          pac.writeInt32LE(-138, offset);
          createHmac('md5', Buffer.alloc(16))
            .update(pac)
            .digest()
            .subarray(0, 12)
            .copy(pac, offset + 4);
          return pac;
        }
      });
    });

  it('the PAC of the controller holds what this library reads on its own, too', async () => {
    const open = openApRequest(await client.initiate(), key);
    const pac = pacOf(open.encTicket.get(10)!);
    const types = decodePac(pac).map(({ type }) => type);
    for (const type of [PAC_LOGON_INFO, PAC_CLIENT_INFO, PAC_SERVER_CHECKSUM, PAC_KDC_CHECKSUM]) {
      assert.ok(types.includes(type), types.join());
    }
    const { offset } = decodePac(pac).find(({ type }) => type === PAC_SERVER_CHECKSUM)!;
    const signature = pac.subarray(offset + 4, offset + 16);
    assert.deepEqual(checksum(key, 17, pacServerSignatureInput(pac)), signature);
  });
});
