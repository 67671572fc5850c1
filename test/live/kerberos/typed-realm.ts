/** An MIT KDC whose services have keys, and sessions, of every encryption type. */
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { keytabKey } from '../../lab/kerberos/ap-request-forge.ts';
import type { SealingKey } from '../../lab/kerberos/ap-request-mutations.ts';

/** A key of a keytab. */
export function keyOf(keytab: string, service = 'HTTP/localhost', encryptionType = 18): SealingKey {
  return { encryptionType, value: keytabKey(keytab, service, encryptionType) };
}

/** Encryption types as MIT krb5 names them. */
const typeNames: ReadonlyMap<number, string> = new Map([
  [17, 'aes128-cts'],
  [18, 'aes256-cts'],
  [19, 'aes128-sha2'],
  [20, 'aes256-sha2'],
  [23, 'rc4-hmac'],
]);

/** Types of the keys of a service and of the sessions with it. Those of HTTP/localhost are 18. */
export const typePairs: readonly (readonly [service: number, session: number])[] = [
  [17, 17],
  [19, 19],
  [20, 20],
  [23, 23],
  [18, 23],
  [23, 18],
  [20, 17],
  [17, 19],
];

/** A service whose key has one type, as its sessions have. */
export interface TypedService {
  /** `HTTP@host`. */
  readonly target: string;
  readonly key: SealingKey;
  /** Encryption type of its sessions. */
  readonly session: number;
}

/** An MIT KDC with services of every encryption type. */
export interface TypedRealm {
  readonly kdc: Kdc;
  /** HTTP/localhost first. */
  readonly services: readonly TypedService[];
}

/** Starts it; `allow_rc4` is set for KDC, clients and acceptors. */
export async function startTypedRealm(): Promise<TypedRealm> {
  const kdc = await startKdc({ defaults: ['allow_rc4 = true'] });
  const named = typePairs.map(([service, session]) => {
    const [name, type] = [`HTTP/type-${service}-${session}.test.local`, typeNames.get(service) ?? ''];
    const commands = [
      `addprinc -randkey -e ${type}:normal ${name}`,
      `setstr ${name} session_enctypes ${typeNames.get(session) ?? ''}`,
      `ktadd -k ${kdc.keytab} -e ${type}:normal ${name}`,
    ];
    return { name, service, session, commands };
  });
  await kdc.administer(named.flatMap(({ commands }) => commands));
  const services = [{ name: 'HTTP/localhost', service: 18, session: 18 }, ...named].map(
    ({ name, service, session }) => ({
      target: name.replace('/', '@'),
      key: keyOf(kdc.keytab, name, service),
      session,
    }),
  );
  return { kdc, services };
}
