/** What the servers of the clients' test ground offer: each is one set of options. */
import type { MemoryAccount, SspiAuthOptions } from '../../../src/index.ts';

/** The account that clients sign in with, where they have no ticket. */
export const account = { domain: 'LAB', userName: 'alice', password: 'Secret-1' } as const satisfies MemoryAccount;

/** One set of options. */
export interface OfferDescription {
  /** As docs/clients.md says it. */
  readonly title: string;
  /** Whether every situation is tried, or only whether the client comes in at all. */
  readonly every: boolean;
  /** Whether it takes tickets. */
  readonly tickets: boolean;
  /** Without accounts and keytab. */
  readonly options: Pick<SspiAuthOptions, 'schemes' | 'packages' | 'digest'>;
}

/** Every offer by its name. */
export const offers = {
  ntlm: { title: 'NTLM', every: true, tickets: false, options: { schemes: ['NTLM'] } },
  kerberos: {
    title: 'Negotiate with Kerberos',
    every: true,
    tickets: true,
    options: { schemes: ['Negotiate'], packages: ['Kerberos'] },
  },
  'scheme-kerberos': {
    title: "`['Kerberos']`",
    every: false,
    tickets: true,
    options: { schemes: ['Kerberos'] },
  },
  'negotiate-ntlm': {
    title: 'Negotiate with NTLM',
    every: true,
    tickets: false,
    options: { schemes: ['Negotiate'] },
  },
  digest: { title: 'Digest', every: true, tickets: false, options: { schemes: ['Digest'] } },
  'digest-sha-256': {
    title: "`['SHA-256']`",
    every: false,
    tickets: false,
    options: { schemes: ['Digest'], digest: { algorithms: ['SHA-256'] } },
  },
  'digest-md5-first': {
    title: "`['MD5', 'SHA-256']`",
    every: false,
    tickets: false,
    options: { schemes: ['Digest'], digest: { algorithms: ['MD5', 'SHA-256'] } },
  },
  'digest-md5': {
    title: "`['MD5']`",
    every: true,
    tickets: false,
    options: { schemes: ['Digest'], digest: { algorithms: ['MD5'] } },
  },
  /** What a server with a keytab and accounts offers by default. */
  everything: { title: 'everything', every: false, tickets: true, options: {} },
  /** The same, Digest first. */
  'everything-digest-first': {
    title: "`['Digest', 'Negotiate', 'NTLM']`",
    every: false,
    tickets: true,
    options: { schemes: ['Digest', 'Negotiate', 'NTLM'] },
  },
} as const satisfies Readonly<Record<string, OfferDescription>>;

/** Name of an offer. */
export type Offer = keyof typeof offers;
/** Every name. */
export const offerNames = Object.keys(offers) as readonly Offer[];

/** The schemes of Authorization that a client knows, as offers have them. */
export type ClientScheme = 'ntlm' | 'kerberos' | 'negotiate-ntlm' | 'digest';

/** The offers that somebody who knows these schemes is tried with. */
export function offersFor(schemes: readonly ClientScheme[]): Offer[] {
  return offerNames.filter((name) => {
    if (name === 'everything') return true;
    if (name === 'scheme-kerberos') return schemes.includes('kerberos');
    if (name.startsWith('digest') || name === 'everything-digest-first') return schemes.includes('digest');
    return (schemes as readonly string[]).includes(name);
  });
}
