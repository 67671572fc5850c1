/**
 * A security package that answers as a table says: for tests of what stands above the packages. It verifies nobody, so
 * nothing that is proved with it is proved about a protocol.
 */
import * as Sspi from '../../src/sspi/index.ts';
import type {
  AcceptCall,
  AcceptReply,
  Answer,
  ContextAttribute,
  ContextAttributeValues,
  PackageContext,
  PackageCredential,
  SecurityContextToken,
  SecurityPackage,
} from '../../src/sspi/index.ts';

/** What the package answers to one token. */
export interface Step {
  /** Default SEC_E_OK. */
  readonly status?: number;
  /** Text of the output token; none where left out. */
  readonly output?: string;
  /** Further output buffers. */
  readonly buffers?: readonly Sspi.SecBuffer[];
  readonly attributes?: number;
  readonly expiry?: Date;
  readonly diagnosis?: Sspi.Diagnosis;
  /** Count of an incomplete message. */
  readonly missing?: number;
  /** What encryptMessage and decryptMessage answer while this step stands. */
  readonly message?: () => Sspi.MessageAnswer | Promise<Sspi.MessageAnswer>;
  /** What applyControlToken answers while this step stands. */
  readonly control?: (input: readonly Sspi.SecBuffer[]) => number;
  /** Answers a first leg without a context. */
  readonly withoutContext?: true;
  /** Is thrown instead of an answer. */
  readonly throws?: Error;
  /** Answers with a promise, which `ScriptedPackage.settle` settles. */
  readonly waits?: true;
  /** What completeAuthToken answers after this step. */
  readonly completion?: Step;
  /** The account of the context, or what a broken package gives for one. */
  readonly account?: Partial<SecurityContextToken> | Error;
  readonly keepAfterHandshake?: boolean;
  /** SECPKG_ATTR_CLIENT_SPECIFIED_TARGET; the package does not know the attribute where left out. */
  readonly target?: string;
  /** Does not say which package ran. */
  readonly nameless?: true;
  /** Is answered in place of everything else: for what is no reply at all. */
  readonly raw?: unknown;
}

/** Steps by the text of the token that asks for them. */
export type Script = Readonly<Record<string, Step>>;

const FIRST = 'NTLMSSP\0\x01\0\0\0';

/** A token that begins a handshake. */
export function firstToken(text: string): string {
  return FIRST + text;
}

const alice: SecurityContextToken = {
  userName: 'alice',
  domain: 'LAB',
  groups: [],
  isAnonymous: false,
  isGuest: false,
};

interface Waiting {
  readonly text: string;
  readonly settle: (rejection?: Error) => void;
}

export class ScriptedPackage implements SecurityPackage {
  readonly info: Sspi.SecurityPackageInfo;
  readonly script: Script;
  /** Texts of the tokens it was asked about, in order. */
  readonly asked: string[] = [];
  /** Every call it was asked with. */
  readonly calls: AcceptCall[] = [];
  /** Contexts made, and of these the deleted ones; one deleted twice would make the second the greater. */
  made = 0;
  deleted = 0;
  freed = 0;
  readonly #waiting: Waiting[] = [];

  constructor(script: Script, name = 'Scripted') {
    this.script = script;
    this.info = { name, comment: '', capabilities: 0, version: 1, rpcId: 0xffff, maxToken: 1024 };
  }

  /** Contexts that exist. */
  get live(): number {
    return this.made - this.deleted;
  }

  /** Texts of the tokens whose answer is waited for. */
  get waiting(): readonly string[] {
    return this.#waiting.map(({ text }) => text);
  }

  /** Settles the oldest promise. @param rejection rejects it */
  settle(rejection?: Error): void {
    const oldest = this.#waiting.shift();
    if (oldest === undefined) throw new Error('nobody waits');
    oldest.settle(rejection);
  }

  acquireCredentials(): PackageCredential {
    return {
      accept: (call) => this.answer(call, undefined),
      free: () => {
        this.freed++;
      },
    };
  }

  answer(call: AcceptCall, context: ScriptedContext | undefined): AcceptReply | Promise<AcceptReply> {
    const text = Buffer.from(Sspi.findBuffer(call.input, Sspi.SECBUFFER_TOKEN)?.data ?? []).toString('latin1');
    const key = text.startsWith(FIRST) ? text.slice(FIRST.length) : text;
    this.asked.push(key);
    this.calls.push(call);
    const step = this.script[key] ?? { status: Sspi.SEC_E_INVALID_TOKEN };
    return this.reply(key, step, context);
  }

  reply(key: string, step: Step, context: ScriptedContext | undefined): AcceptReply | Promise<AcceptReply> {
    const reply = (): AcceptReply => {
      if (step.throws !== undefined) throw step.throws;
      if ('raw' in step) return step.raw as AcceptReply;
      const status = step.status ?? Sspi.SEC_E_OK;
      const kept = Sspi.keepsContext(status >>> 0) && step.withoutContext !== true;
      const next = context ?? (kept ? new ScriptedContext(this) : undefined);
      next?.stand(step);
      return {
        status,
        ...(context === undefined && next !== undefined ? { context: next } : undefined),
        output: [
          ...(step.output === undefined ? [] : [{ type: Sspi.SECBUFFER_TOKEN, data: Buffer.from(step.output) }]),
          ...(step.buffers ?? []),
        ],
        attributes: step.attributes,
        expiry: step.expiry,
        diagnosis: step.diagnosis,
        missing: step.missing,
      };
    };
    if (step.waits !== true) return reply();
    return new Promise((resolve, reject) => {
      const settle = (rejection?: Error): void => {
        if (rejection === undefined) resolve(reply());
        else reject(rejection);
      };
      this.#waiting.push({ text: key, settle });
    });
  }
}

class ScriptedContext implements PackageContext {
  readonly #owner: ScriptedPackage;
  #step: Step = {};

  constructor(owner: ScriptedPackage) {
    this.#owner = owner;
    owner.made++;
  }

  stand(step: Step): void {
    this.#step = step;
    const { message, control } = step;
    if (message !== undefined) this.encryptMessage = this.decryptMessage = message;
    if (control !== undefined) this.applyControlToken = control;
  }

  encryptMessage?: () => Sspi.MessageAnswer | Promise<Sspi.MessageAnswer>;
  decryptMessage?: () => Sspi.MessageAnswer | Promise<Sspi.MessageAnswer>;
  applyControlToken?: (input: readonly Sspi.SecBuffer[]) => number;

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    return this.#owner.answer(call, this);
  }

  completeAuthToken(): AcceptReply | Promise<AcceptReply> {
    const { completion = {} } = this.#step;
    const account = this.#step.account;
    return this.#owner.reply('completion', { ...(account === undefined ? {} : { account }), ...completion }, this);
  }

  get keepAfterHandshake(): boolean {
    return this.#step.keepAfterHandshake === true;
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]>;
  queryAttribute(attribute: ContextAttribute): Answer<ContextAttributeValues[ContextAttribute]> {
    const { target, nameless } = this.#step;
    if (attribute === Sspi.SECPKG_ATTR_CLIENT_SPECIFIED_TARGET && target !== undefined) {
      return { status: Sspi.SEC_E_OK, value: target };
    }
    if (attribute !== Sspi.SECPKG_ATTR_NEGOTIATION_INFO || nameless) return { status: Sspi.SEC_E_UNSUPPORTED_FUNCTION };
    return { status: Sspi.SEC_E_OK, value: { package: this.#owner.info, state: Sspi.SECPKG_NEGOTIATION_COMPLETE } };
  }

  queryToken(): Answer<SecurityContextToken> {
    const { account } = this.#step;
    if (account instanceof Error) return { status: Sspi.SEC_E_OK, value: null as unknown as SecurityContextToken };
    return { status: Sspi.SEC_E_OK, value: { ...alice, ...account } };
  }

  delete(): void {
    this.#owner.deleted++;
  }
}
