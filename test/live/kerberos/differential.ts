/** Alters tokens, hands them to all acceptors, and holds what these say against each other. */
import { isDeepStrictEqual } from 'node:util';
import { applicationTag, contextTag, DER_SEQUENCE, DerReader } from '../../../src/formats/der.ts';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { decodeApRequest, decodeKerberosToken } from '../../../src/formats/kerberos/kerberos-token.ts';
import {
  ASC_REQ_ALLOW_MISSING_BINDINGS,
  ASC_REQ_CONNECTION,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_NATIVE_NAMES,
  deleteSecurityContext,
  queryContextAttributes,
  statusName,
} from '../../../src/sspi/index.ts';
import { cipherOf } from '../../lab/kerberos/ciphers.ts';
import { dice, mutate } from '../../lab/kerberos/ap-request-mutations.ts';
import type { Mutation, SealingKey } from '../../lab/kerberos/ap-request-mutations.ts';
import { startLibraryAcceptor } from '../../lab/kerberos/gss-library.ts';
import type { LibraryAcceptor, LibraryAnswer } from '../../lab/kerberos/gss-library.ts';
import { accountOf, acceptor, mit, portable } from './acceptor.ts';
import type { Acceptor, VerifyOptions } from './acceptor.ts';
import { laxerThanHeimdal, laxerThanMit, stricterThanHeimdal, stricterThanMit } from './differences.ts';
import type { Difference } from './differences.ts';
import { bindingsText } from './differential-tokens.ts';
import type { SourceToken, TokenSource } from './differential-tokens.ts';

/** How much to compare. */
export interface Comparison {
  readonly runs: number;
  readonly seed: number;
  /** Whether Heimdal is here. */
  readonly heimdal: boolean;
  /** Called about once a minute, with the number of tokens that were compared. */
  readonly onProgress?: (done: number, summary: Summary) => void;
}

/** What came out. */
export interface Summary {
  accepted: number;
  refused: number;
  /** Tokens by encryption types: of the service's key, and of the session key. */
  readonly types: Record<string, number>;
  /** Differences that are on the list, by reason. */
  readonly known: Record<string, number>;
  /** Times that a library ended its own process. */
  crashes: number;
  readonly unexplained: string[];
}

/** What one of our packages says of a token. */
interface Own {
  readonly isAccepted: boolean;
  readonly why: string;
  readonly output: Buffer;
  readonly client: string;
  /** Account and attributes. */
  readonly details: unknown;
}

const crashed: Own = { isAccepted: false, why: 'not asked', output: Buffer.alloc(0), client: '', details: undefined };
const batchSize = 500;
/** Milliseconds after which tokens are too old to be altered. */
const freshFor = 60_000;
/** Milliseconds between two reports of progress. */
const progressEvery = 60_000;
const bindings = encodeChannelBindings(Buffer.from(bindingsText));

async function ask(server: Acceptor, token: Buffer, options: VerifyOptions): Promise<Own> {
  const result = await server.accept(token, options);
  const output = Buffer.from(result.output.find(({ type }) => type === SECBUFFER_TOKEN)?.data ?? []);
  const why = `${statusName(result.status)} ${result.diagnosis?.text ?? ''}`;
  if (result.context === undefined) return { isAccepted: false, why, output, client: '', details: undefined };
  const { value } = queryContextAttributes(result.context, SECPKG_ATTR_NATIVE_NAMES);
  const details = [accountOf(result.context), value?.server, result.attributes, result.output.map(({ type }) => type)];
  deleteSecurityContext(result.context);
  return { isAccepted: true, why, output, client: value?.client ?? '', details };
}

const RC4 = 23;

/** The fields of an AP-REP that both sides must agree in: the time of the client, and whether there are key and number. */
function replyFields(
  output: Buffer,
  sessionKey: SealingKey,
  { withKey, withKeyType }: { readonly withKey: boolean; readonly withKeyType: boolean },
): unknown {
  if (output.byteLength === 0) return undefined;
  const { tokenId, message } = decodeKerberosToken(output);
  const reply = new DerReader(new DerReader(message).content(applicationTag(15), 'AP-REP'));
  const parts = reply.enter(DER_SEQUENCE, 'AP-REP');
  parts.content(contextTag(0), 'pvno');
  parts.content(contextTag(1), 'msg-type');
  const sealed = parts.enter(contextTag(2), 'enc-part').enter(DER_SEQUENCE, 'enc-part');
  const type = sealed.content(contextTag(0), 'etype');
  const cipher = sealed.enter(contextTag(2), 'cipher').octetString('cipher');
  const opened = cipherOf(sessionKey.encryptionType).decrypt(sessionKey.value, 12, cipher);
  const plain = new DerReader(opened);
  const fields = new DerReader(plain.content(applicationTag(27), 'EncAPRepPart')).enter(DER_SEQUENCE, 'EncAPRepPart');
  const time = Buffer.from(fields.content(contextTag(0), 'ctime')).toString('hex');
  const microseconds = Buffer.from(fields.content(contextTag(1), 'cusec')).toString('hex');
  const rest: number[] = [];
  let keyType: string | undefined;
  for (let tag = fields.peek(); tag !== undefined; tag = fields.peek()) {
    const isKey = tag === contextTag(2);
    if (!isKey || withKey) rest.push(tag);
    const content = Buffer.from(fields.content(tag, 'field'));
    if (isKey && withKeyType) keyType = content.subarray(2, 7).toString('hex');
  }
  return { tokenId, type: Buffer.from(type).toString('hex'), time, microseconds, rest, keyType };
}

class Comparer {
  readonly summary: Summary = { accepted: 0, refused: 0, types: {}, known: {}, crashes: 0, unexplained: [] };

  #explain(list: readonly Difference[], refusal: string, message: string): void {
    // The bytes stand at the end.
    const bytes = message.slice(message.lastIndexOf(' ') + 1);
    const known = list.find((entry) => entry.refusal.test(refusal) && (entry.plain?.test(bytes) ?? true));
    if (known === undefined) this.summary.unexplained.push(message);
    else this.summary.known[known.because] = (this.summary.known[known.because] ?? 0) + 1;
  }

  count({ key, token }: SourceToken): void {
    const { sessionEncryptionType } = decodeApRequest(decodeKerberosToken(token).message);
    const types = `${key.encryptionType}, ${sessionEncryptionType}`;
    this.summary.types[types] = (this.summary.types[types] ?? 0) + 1;
  }

  compare(mutation: Mutation, own: Own, provider: Own, mits: LibraryAnswer, heimdals: LibraryAnswer | undefined): void {
    const { kind, token, plain, sessionKey } = mutation;
    const said = (name: string, { isAccepted, why }: Own | LibraryAnswer): string =>
      `${name} ${isAccepted ? 'accepts' : `refuses (${why})`}`;
    const message = [
      kind,
      said('ours', own),
      said('MIT krb5', mits),
      said('our provider over it', provider),
      ...(heimdals === undefined ? [] : [said('Heimdal', heimdals)]),
      (plain ?? token).toString('hex'),
    ].join('; ');
    if (mits.hasCrashed || heimdals?.hasCrashed === true) this.summary.crashes++;
    if (own.isAccepted) this.summary.accepted++;
    else this.summary.refused++;
    if (own.isAccepted && !mits.isAccepted) this.#explain(laxerThanMit, mits.why, message);
    else if (own.isAccepted && !provider.isAccepted) this.#explain(laxerThanMit, provider.why, message);
    else if (!own.isAccepted && mits.isAccepted) this.#explain(stricterThanMit, own.why, message);
    if (own.isAccepted && provider.isAccepted && !isDeepStrictEqual(own.details, provider.details)) {
      const [ours, theirs] = [own.details, provider.details].map((details) => JSON.stringify(details, undefined, 1));
      this.summary.unexplained.push(`account or attributes ${firstDifference(ours, theirs)}; ${message}`);
    }
    for (const [library, answer] of [
      ['MIT krb5', mits],
      ['our provider over MIT krb5', provider],
      ['Heimdal', heimdals],
    ] as const) {
      if (answer === undefined || !own.isAccepted || !answer.isAccepted) continue;
      if (own.client !== answer.client) {
        this.summary.unexplained.push(`client ${own.client}, of ${library} ${answer.client}; ${message}`);
      }
      if (sessionKey === undefined || own.output.byteLength === 0 || answer.output.byteLength === 0) {
        // Without a checksum of GSSAPI, Heimdal does not go by the options of the AP-REQ; MIT krb5 does.
        if (library !== 'Heimdal' && own.output.byteLength > 0 !== answer.output.byteLength > 0) {
          this.summary.unexplained.push(`one AP-REP, not of ${library}; ${message}`);
        }
        continue;
      }
      // Of the types that a client lists (RFC 4537), each takes the one that its own settings put first.
      const withKeyType = answer === provider;
      // Tokens of RC4 cannot say which key they use: ours and MIT krb5 make none, Heimdal does where the client has none.
      const withKey = library !== 'Heimdal' || sessionKey.encryptionType !== RC4;
      const [ours, theirs] = [own, answer].map(({ output }) =>
        replyFields(output, sessionKey, { withKey, withKeyType }),
      );
      if (!isDeepStrictEqual(ours, theirs)) {
        this.summary.unexplained.push(`AP-REP ${JSON.stringify([ours, library, theirs])}; ${message}`);
      }
    }
    if (heimdals === undefined) return;
    if (own.isAccepted && !heimdals.isAccepted) this.#explain(laxerThanHeimdal, heimdals.why, message);
    if (!own.isAccepted && heimdals.isAccepted) this.#explain(stricterThanHeimdal, own.why, message);
  }
}

/** Compares altered tokens of a source. */
export async function compareTokens(
  source: TokenSource,
  { runs, seed, heimdal, onProgress }: Comparison,
): Promise<Summary> {
  const options = { keytab: source.keytab, replayCache: false, delegate: false, allowRc4: true };
  using ours = await acceptor({ ...options, library: portable.library });
  using provider = await acceptor({ ...options, library: mit.library });
  await using mits = startLibraryAcceptor('libgssapi_krb5.so.2', source.env, bindingsText);
  await using heimdals = heimdal ? startLibraryAcceptor('libgssapi.so.3', source.env, bindingsText) : undefined;
  const comparer = new Comparer();
  const roll = dice(seed);
  let tokens: readonly SourceToken[] = [];
  let freshUntil = 0;
  let reportAt = Date.now() + progressEvery;
  for (let done = 0; done < runs; done += batchSize) {
    if (Date.now() >= freshUntil) {
      tokens = await source.fresh();
      freshUntil = Date.now() + freshFor;
    }
    const asked = Array.from({ length: Math.min(batchSize, runs - done) }, () => {
      const chosen = tokens[roll(tokens.length)];
      if (chosen === undefined) throw new Error('the source has no token');
      const mutation = mutate(chosen.token, chosen.key, roll);
      comparer.count(chosen);
      return { mutation, token: mutation.token, isBound: roll(3) === 0 };
    });
    const library = (of: LibraryAcceptor | undefined): Promise<LibraryAnswer[]> | undefined => of?.accept(asked);
    // First: a token at which the library crashes must not reach it in this process.
    const [ofMit = [], ofHeimdal] = await Promise.all([library(mits), library(heimdals)]);
    const own: [Own, Own][] = [];
    for (const [index, { token, isBound }] of asked.entries()) {
      const how: VerifyOptions = {
        requirements: ASC_REQ_CONNECTION | ASC_REQ_ALLOW_MISSING_BINDINGS,
        ...(isBound ? { bindings } : {}),
      };
      const other = ofMit[index]?.hasCrashed === true ? crashed : await ask(provider, token, how);
      own.push([await ask(ours, token, how), other]);
    }
    for (const [index, { mutation }] of asked.entries()) {
      const [both, mitsAnswer] = [own[index], ofMit[index]];
      if (both === undefined || mitsAnswer === undefined) throw new Error('an answer is missing');
      comparer.compare(mutation, both[0], both[1], mitsAnswer, ofHeimdal?.[index]);
    }
    if (Date.now() < reportAt) continue;
    reportAt = Date.now() + progressEvery;
    onProgress?.(done + asked.length, comparer.summary);
  }
  return comparer.summary;
}

/** The first lines that differ. */
function firstDifference(ours = '', theirs = ''): string {
  const [own, other] = [ours.split('\n'), theirs.split('\n')];
  const at = own.findIndex((line, index) => line !== other[index]);
  return `${own[at]?.trim()} instead of ${other[at]?.trim()}`;
}
