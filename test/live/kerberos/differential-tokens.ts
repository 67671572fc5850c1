/** Real tokens of several clients and KDCs, with the key that opens them: what `differential.live.test.ts` alters. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as Gss from '../../../src/formats/kerberos/gss-flags.ts';
import { programFile } from '../../lab/clients/client.ts';
import { mutual, notMutual, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import type { SealingKey } from '../../lab/kerberos/ap-request-mutations.ts';
import { libraryTokens } from '../../lab/kerberos/gss-library.ts';
import { full } from '../../lab/matrix.ts';
import { runChecked } from '../../lab/process.ts';
import { startSambaAd } from '../../lab/samba-ad.ts';
import { useRealm } from './acceptor.ts';
import { keyOf, startTypedRealm } from './typed-realm.ts';
import type { TypedService } from './typed-realm.ts';

/** Application data of the channel bindings, of clients that send them and of the acceptor. */
export const bindingsText = 'tls-server-end-point:x';

/** A token, and the key of the service that opens its ticket. */
export interface SourceToken {
  readonly token: Buffer;
  readonly key: SealingKey;
}

/** Where tokens come from. */
export interface TokenSource extends AsyncDisposable {
  /** Tokens of now: a token is good for as long as the clocks may differ. */
  fresh(): Promise<readonly SourceToken[]>;
  readonly keytab: string;
  /** KRB5_CONFIG and KRB5_KTNAME. */
  readonly env: Readonly<Record<string, string>>;
}

/** Tokens of one service. */
function under(key: SealingKey, tokens: readonly Buffer[]): SourceToken[] {
  return tokens.map((token) => ({ token, key }));
}

/**
 * An MIT KDC and MIT's client: with and without mutual authentication, channel bindings, a forwarded ticket, and with
 * keys of every encryption type.
 */
export async function mitTokens(): Promise<TokenSource> {
  const { kdc, services } = await startTypedRealm();
  useRealm(kdc);
  const client = await startGssClient(await kdc.signIn('alice', ['-f']));
  const bindings = Buffer.from(bindingsText);
  return {
    async fresh() {
      const tokens: SourceToken[] = [];
      for (const { target, key } of services) {
        const ofService = [
          await client.initiate({ target, bindings }),
          await client.initiate({ target, flags: [...notMutual, 'delegate_to_peer'] }),
        ];
        tokens.push(...under(key, ofService));
      }
      const usual = [
        await client.initiate(),
        await client.initiate({ flags: ['integrity'] }),
        await client.initiate({ flags: [...mutual, 'delegate_to_peer'] }),
      ];
      return [...tokens, ...under(keyOf(kdc.keytab), usual)];
    },
    keytab: kdc.keytab,
    env: kdc.env,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await kdc.stop();
    },
  };
}

/** Heimdal's client with tickets of an MIT KDC. */
export async function heimdalTokens(): Promise<TokenSource> {
  const { kdc, services } = await startTypedRealm();
  const env = await kdc.signIn('alice', ['-f']);
  // MIT's client puts the tickets of the services into the cache, which is then Heimdal's.
  await runChecked(
    'kvno',
    services.map(({ target }) => target.replace('@', '/')),
    { env },
  );
  const token = async ({ target, key }: TypedService, flags: number): Promise<SourceToken[]> =>
    under(key, await libraryTokens('libgssapi.so.3', env, { target, count: 1, flags }));
  return {
    async fresh() {
      const tokens: SourceToken[] = [];
      for (const service of services) {
        tokens.push(...(await token(service, 0)), ...(await token(service, Gss.GSS_C_MUTUAL_FLAG)));
        if (service === services[0]) tokens.push(...(await token(service, Gss.GSS_C_MUTUAL_FLAG | 1)));
      }
      return tokens;
    },
    keytab: kdc.keytab,
    env: kdc.env,
    [Symbol.asyncDispose]: () => kdc.stop(),
  };
}

/** Java's client with tickets of an MIT KDC. */
export async function javaTokens(): Promise<TokenSource> {
  const { kdc, services } = await startTypedRealm();
  // Java has RC4 only where weak cryptography is allowed, by a name of its own.
  const configuration = kdc.file('java-krb5.conf');
  const usual = await readFile(kdc.env['KRB5_CONFIG'] ?? '', 'utf8');
  await writeFile(configuration, usual.replace('allow_rc4', 'allow_weak_crypto'));
  const env = await kdc.signIn('alice', ['-f']);
  const words = [
    `-Djava.security.krb5.conf=${configuration}`,
    '-Djavax.security.auth.useSubjectCredsOnly=false',
    `-Djava.security.auth.login.config=${programFile('jaas.conf')}`,
    programFile('GssTokens.java'),
    ...services.map(({ target }) => target),
  ];
  return {
    async fresh() {
      const lines = (await runChecked('java', words, { env, timeout: 60_000 })).trim().split('\n');
      return lines.map((line, index) => {
        // As many tokens for each service.
        const service = services[Math.floor((index * services.length) / lines.length)];
        if (service === undefined) throw new Error('Java gave too many tokens');
        return { token: Buffer.from(line, 'hex'), key: service.key };
      });
    },
    keytab: kdc.keytab,
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

/** Restricts the web service to encryption types, by the bits of MS-KILE section 2.2.7. */
const restrict = (bits: number): string => `
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
parameters = LoadParm()
parameters.load("/etc/samba/smb.conf")
directory = SamDB(session_info=system_session(), lp=parameters)
directory.modify_ldif("""dn: CN=svc-web,CN=Users,%s
changetype: modify
replace: msDS-SupportedEncryptionTypes
msDS-SupportedEncryptionTypes: ${bits}
""" % directory.domain_dn())
`;

/**
 * Samba's Active Directory: large PACs, nested groups, SIDs of the resource domain, a ticket of S4U2Self, and keys of
 * every encryption type that it has.
 */
export async function activeDirectoryTokens(): Promise<TokenSource> {
  const domain = await startSambaAd();
  try {
    const configuration = domain.env['KRB5_CONFIG'] ?? '';
    const usual = await readFile(configuration, 'utf8');
    await writeFile(configuration, usual.replace('[realms]', ' allow_rc4 = true\n[realms]'));
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
    const sources = [
      { env: alice, type: 18 },
      { env: bob, type: 18 },
      { env: ofUser, type: 18 },
    ];
    for (const [bits, type] of [
      [0x4, 23],
      [0x8, 17],
    ] as const) {
      await domain.namespace.runChecked('/usr/bin/python3', ['-c', restrict(bits)]);
      sources.push({ env: await domain.signIn('alice', services, ['-f']), type });
    }
    const clients: { readonly client: GssClient; readonly key: SealingKey }[] = [];
    for (const { env, type } of sources) {
      clients.push({ client: await startGssClient(env), key: keyOf(keytab, 'HTTP/localhost', type) });
    }
    const [ofAlice] = clients;
    return {
      async fresh() {
        const tokens = await Promise.all(
          clients.map(async ({ client, key }) => ({ token: await client.initiate(), key })),
        );
        if (ofAlice !== undefined) {
          const bound = await ofAlice.client.initiate({ bindings: Buffer.from(bindingsText) });
          tokens.push({ token: bound, key: ofAlice.key });
        }
        return tokens;
      },
      keytab,
      env: { ...domain.env, KRB5_KTNAME: `FILE:${keytab}` },
      async [Symbol.asyncDispose]() {
        for (const { client } of clients) await client[Symbol.asyncDispose]();
        await domain.stop();
      },
    };
  } catch (error) {
    await domain.stop();
    throw error;
  }
}
