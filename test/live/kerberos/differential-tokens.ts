/** Real tokens of several clients and KDCs, with the key that opens them: what `differential.live.test.ts` alters. */
import { dirname, join } from 'node:path';
import * as Gss from '../../../src/formats/kerberos/gss-flags.ts';
import { programFile } from '../../lab/clients/client.ts';
import { mutual, startGssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import { keytabKey } from '../../lab/kerberos/ap-request-forge.ts';
import { libraryTokens } from '../../lab/kerberos/gss-library.ts';
import { full } from '../../lab/matrix.ts';
import { runChecked } from '../../lab/process.ts';
import { startSambaAd } from '../../lab/samba-ad.ts';
import { useRealm } from './acceptor.ts';

/** Application data of the channel bindings, of clients that send them and of the acceptor. */
export const bindingsText = 'tls-server-end-point:x';

/** Where tokens come from. */
export interface TokenSource extends AsyncDisposable {
  /** Tokens of now: a token is good for as long as the clocks may differ. */
  fresh(): Promise<readonly Buffer[]>;
  readonly keytab: string;
  /** Key of the service, of AES. */
  readonly key: Buffer;
  /** KRB5_CONFIG and KRB5_KTNAME. */
  readonly env: Readonly<Record<string, string>>;
}

/** An MIT KDC and MIT's client: with and without mutual authentication, channel bindings, a forwarded ticket. */
export async function mitTokens(): Promise<TokenSource> {
  const kdc = await startKdc();
  useRealm(kdc);
  const client = await startGssClient(await kdc.signIn('alice', ['-f']));
  return {
    async fresh() {
      return [
        await client.initiate(),
        await client.initiate({ flags: ['integrity'] }),
        await client.initiate({ bindings: Buffer.from(bindingsText) }),
        await client.initiate({ flags: [...mutual, 'delegate_to_peer'] }),
      ];
    },
    keytab: kdc.keytab,
    key: keytabKey(kdc.keytab, 'HTTP/localhost'),
    env: kdc.env,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await kdc.stop();
    },
  };
}

/** Heimdal's client with tickets of an MIT KDC. */
export async function heimdalTokens(): Promise<TokenSource> {
  const kdc = await startKdc();
  const env = await kdc.signIn('alice', ['-f']);
  // MIT's client puts the ticket of the service into the cache, which is then Heimdal's.
  await runChecked('kvno', ['HTTP/localhost'], { env });
  const tokens = async (flags: number): Promise<Buffer> => {
    const [token = Buffer.alloc(0)] = await libraryTokens('libgssapi.so.3', env, 1, flags);
    return token;
  };
  return {
    fresh: async () => [await tokens(0), await tokens(Gss.GSS_C_MUTUAL_FLAG), await tokens(Gss.GSS_C_MUTUAL_FLAG | 1)],
    keytab: kdc.keytab,
    key: keytabKey(kdc.keytab, 'HTTP/localhost'),
    env: kdc.env,
    [Symbol.asyncDispose]: () => kdc.stop(),
  };
}

/** Java's client with tickets of an MIT KDC. */
export async function javaTokens(): Promise<TokenSource> {
  const kdc = await startKdc();
  const env = await kdc.signIn('alice', ['-f']);
  const words = [
    `-Djava.security.krb5.conf=${kdc.env['KRB5_CONFIG'] ?? ''}`,
    '-Djavax.security.auth.useSubjectCredsOnly=false',
    `-Djava.security.auth.login.config=${programFile('jaas.conf')}`,
    programFile('GssTokens.java'),
  ];
  return {
    async fresh() {
      const lines = (await runChecked('java', words, { env, timeout: 60_000 })).trim().split('\n');
      return lines.map((line) => Buffer.from(line, 'hex'));
    },
    keytab: kdc.keytab,
    key: keytabKey(kdc.keytab, 'HTTP/localhost'),
    env: kdc.env,
    [Symbol.asyncDispose]: () => kdc.stop(),
  };
}

/** A domain in which alice has nested groups and groups of the resource domain, and bob is in many. */
const seed = (groups: number): string => `
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
parameters = LoadParm()
parameters.load("/etc/samba/smb.conf")
directory = SamDB(session_info=system_session(), lp=parameters)
directory.transaction_start()
for name in ["Staff", "Everybody"]:
    directory.newgroup(name)
directory.newgroup("Locals", grouptype=-2147483644)
for group, member in [("Staff", "Engineering"), ("Everybody", "Staff"), ("Locals", "Staff")]:
    directory.add_remove_group_members(group, [member])
for index in range(${groups}):
    directory.newgroup("Group%d" % index)
    directory.add_remove_group_members("Group%d" % index, ["bob"])
# So that the service signs in by its own name, as S4U2Self wants it.
directory.modify_ldif("""dn: CN=svc-web,CN=Users,%s
changetype: modify
replace: userPrincipalName
userPrincipalName: HTTP/localhost@CORP.EXAMPLE.TEST
""" % directory.domain_dn())
directory.transaction_commit()
`;

/** Samba's Active Directory: large PACs, nested groups, SIDs of the resource domain, and a ticket of S4U2Self. */
export async function activeDirectoryTokens(): Promise<TokenSource> {
  const domain = await startSambaAd();
  try {
    await domain.namespace.runChecked('/usr/bin/python3', ['-c', seed(full() ? 1000 : 100)], { timeout: 300_000 });
    // The other keytab has the key under three names: each acceptor reports another one then.
    const words = ['domain', 'exportkeytab', '/var/lib/samba/one.keytab', '--principal=HTTP/localhost'];
    await domain.namespace.runChecked('samba-tool', words);
    const keytab = join(dirname(domain.keytab), 'one.keytab');
    const services = ['HTTP/localhost'];
    const alice = await domain.signIn('alice', services, ['-f']);
    const bob = await domain.signIn('bob', services);
    const service = { ...domain.env, KRB5CCNAME: `${bob['KRB5CCNAME'] ?? ''}-service` };
    const input = `${domain.passwords['svc-web']}\n`;
    await domain.namespace.runChecked('kinit', [`HTTP/localhost@${domain.realm}`], { env: service, input });
    const ofUser = { ...domain.env, KRB5CCNAME: `${service.KRB5CCNAME}-alice` };
    const impersonate = ['--out-cache', ofUser.KRB5CCNAME, '-U', 'alice', 'HTTP/localhost'];
    await domain.namespace.runChecked('kvno', impersonate, { env: service });
    const clients = [await startGssClient(alice), await startGssClient(bob), await startGssClient(ofUser)];
    const [ofAlice] = clients;
    return {
      async fresh() {
        const tokens = await Promise.all(clients.map((client) => client.initiate()));
        if (ofAlice !== undefined) tokens.push(await ofAlice.initiate({ bindings: Buffer.from(bindingsText) }));
        return tokens;
      },
      keytab,
      key: keytabKey(keytab, 'HTTP/localhost'),
      env: { ...domain.env, KRB5_KTNAME: `FILE:${keytab}` },
      async [Symbol.asyncDispose]() {
        for (const client of clients) await client[Symbol.asyncDispose]();
        await domain.stop();
      },
    };
  } catch (error) {
    await domain.stop();
    throw error;
  }
}
