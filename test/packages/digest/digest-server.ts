/** The Digest package behind the contract, with accounts, clock and randomness of the test's own. */
import { createHash } from 'node:crypto';
import type {
  AccountSource,
  DigestAccepted,
  DigestLogon,
  Refused,
  Unavailable,
} from '../../../src/accounts/account-source.ts';
import { hashedA1, verifyDigestResponse } from '../../../src/crypto/digest-response.ts';
import { digestPackage } from '../../../src/packages/digest/index.ts';
import type { DigestAuthData } from '../../../src/packages/digest/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';

export const REALM = 'http-auth@example.org';

/** An account of the test. */
export interface TestAccount {
  readonly userName: string;
  readonly password: string;
  readonly domain?: string;
  readonly disabled?: boolean;
  readonly sid?: string;
}

/** Verifies against a list; `logons` holds what it was asked. */
export class TestAccounts implements AccountSource {
  readonly description: string;
  readonly logons: DigestLogon[] = [];
  readonly #accounts: readonly TestAccount[];

  constructor(accounts: readonly TestAccount[]) {
    this.#accounts = accounts;
    this.description = `test (${accounts.length} accounts)`;
  }

  verifyDigest(logon: DigestLogon): DigestAccepted | Refused {
    this.logons.push(logon);
    const wanted = logon.userName.toLowerCase();
    const found = this.#accounts.find(
      ({ userName, domain = logon.serverDomain }) =>
        wanted === userName.toLowerCase() || wanted === `${domain}\\${userName}`.toLowerCase(),
    );
    // The same computation for nobody as for somebody (attack G01).
    const a1 = hashedA1(logon.algorithm, logon.userName, logon.realm, found?.password ?? 'nobody has this');
    const right = verifyDigestResponse(a1, logon, logon.response);
    return right && found !== undefined && found.disabled !== true
      ? { result: 'accepted', account: found }
      : { result: 'refused' };
  }
}

/** A source that answers what it is told to. */
export function sourceOf(
  verifyDigest: (
    logon: DigestLogon,
  ) => DigestAccepted | Refused | Unavailable | Promise<DigestAccepted | Refused | Unavailable>,
): AccountSource {
  return { description: 'test', verifyDigest };
}

/** A clock that stands still until it is moved; both readings move apart on demand. */
export class TestClock implements Sspi.Clock {
  wall = 1_700_000_000_000;
  age = 1_000_000;
  now(): number {
    return this.wall;
  }
  elapsed(): number {
    return this.age;
  }
  advance(milliseconds: number): void {
    this.wall += milliseconds;
    this.age += milliseconds;
  }
}

/** Reproducible bytes: SHA-256 of a counter. Not a secret to anybody. */
export function testRandom(seed: string): Sspi.RandomSource {
  let count = 0;
  return (size) => Uint8Array.from(createHash('sha256').update(`${seed}${count++}`).digest().subarray(0, size));
}

/** One call as a test writes it. */
export interface Leg {
  readonly method?: string;
  readonly target?: string;
  readonly realm?: string;
  readonly context?: Sspi.ContextHandle | undefined;
  readonly requirements?: number;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** The text of UTF-8 as node:http shows a header: one character for each byte. */
export const asHeader = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

export class DigestServer {
  /** What the server's own accounts were asked. */
  readonly logons: readonly DigestLogon[];
  readonly clock: TestClock;
  readonly credential: Sspi.CredentialHandle;

  constructor(authData: Partial<DigestAuthData> = {}) {
    this.clock = new TestClock();
    const own = new TestAccounts([
      { userName: 'alice', password: 'Circle of Life' },
      { userName: 'mallory', password: 'Circle of Life', disabled: true },
      { userName: 'bob', password: 'Builder', domain: 'OTHER' },
      { userName: 'Jäsøn Doe', password: 'Secret, or not?' },
    ]);
    this.logons = own.logons;
    this.credential = Sspi.acquireCredentialsHandle({
      package: digestPackage,
      credentialUse: 'inbound',
      authData: {
        ...{ realm: REALM, domain: 'EXAMPLE', clock: this.clock, random: testRandom('digest') },
        ...{ accounts: own, ...authData },
      } satisfies DigestAuthData,
    }) as Sspi.CredentialHandle;
  }

  /** One leg, whether the answer comes now or later. */
  accept(
    token: string | Uint8Array,
    leg: Leg = {},
  ): Sspi.AcceptSecurityContextResult | Promise<Sspi.AcceptSecurityContextResult> {
    const { method = 'GET', target = '/dir/index.html', realm = '', requirements = Sspi.ASC_REQ_HTTP } = leg;
    return Sspi.acceptSecurityContext({
      credential: this.credential,
      context: leg.context,
      input: [
        { type: Sspi.SECBUFFER_TOKEN, data: typeof token === 'string' ? latin1(token) : token },
        { type: Sspi.SECBUFFER_PKG_PARAMS, data: latin1(method) },
        { type: Sspi.SECBUFFER_PKG_PARAMS | Sspi.SECBUFFER_READONLY, data: latin1(target) },
        { type: Sspi.SECBUFFER_PKG_PARAMS, data: new Uint8Array(0) },
        { type: Sspi.SECBUFFER_PKG_PARAMS, data: Uint8Array.from(Buffer.from(realm, 'utf16le')) },
      ],
      requirements,
      targetDataRep: Sspi.SECURITY_NETWORK_DREP,
    });
  }

  /** One leg that must be answered synchronously. */
  verify(token: string | Uint8Array, leg: Leg = {}): Sspi.AcceptSecurityContextResult {
    const result = this.accept(token, leg);
    if (result instanceof Promise) throw new Error('answered with a promise');
    return result;
  }

  /** Name of the status of one leg; its context is deleted. */
  status(token: string | Uint8Array, leg: Leg = {}): string {
    const { status, context } = this.verify(token, leg);
    if (context !== undefined) Sspi.deleteSecurityContext(context);
    return Sspi.statusName(status);
  }

  /** New challenges by algorithm. */
  challenges(leg: Leg = {}): Record<string, string> {
    const { output, context } = this.verify('', leg);
    if (context !== undefined) Sspi.deleteSecurityContext(context);
    return Object.fromEntries(texts(output).map((text) => [/algorithm=([^,]+)/.exec(text)?.[1] ?? '', text] as const));
  }

  /** A new challenge of one algorithm. */
  challenge(algorithm = 'SHA-256'): string {
    const text = this.challenges()[algorithm];
    if (text === undefined) throw new Error(`no challenge for ${algorithm}`);
    return text;
  }
}

/** Output tokens as text. */
export function texts(output: readonly Sspi.SecBuffer[]): string[] {
  return output.map(({ data }) => Buffer.from(data).toString('utf8'));
}
