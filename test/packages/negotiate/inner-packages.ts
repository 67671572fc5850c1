/**
 * Inner packages for tests of the negotiation itself: their messages have the frames of Kerberos and NTLM, their result
 * is the text of the message, their signatures are real HMACs with sequence numbers. What they do is recorded.
 */
import { createHmac } from 'node:crypto';
import { applicationTag, derElement, derObjectIdentifier } from '../../../src/formats/der.ts';
import { OID_KERBEROS } from '../../../src/formats/object-identifiers.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import type {
  AcceptCall,
  AcceptReply,
  PackageContext,
  PackageCredential,
  SecurityPackage,
} from '../../../src/sspi/index.ts';

/** A Kerberos message in its GSS frame; TOK_ID of AP-REQ. */
export function kerberosToken(text: string, oid = OID_KERBEROS): Uint8Array {
  return derElement(applicationTag(0), derObjectIdentifier(oid), Uint8Array.of(1, 0), Buffer.from(text));
}

/** An NTLM message. */
export function ntlmToken(text: string): Uint8Array {
  return Buffer.from(`NTLMSSP\0${text}`, 'latin1');
}

/** The MIC that the client with this key makes over a list of mechanisms. */
export function clientMic(mechTypes: Uint8Array, sequence = 0): Uint8Array {
  return mac('client', mechTypes, sequence);
}

/** The MIC that an inner context makes. */
export function serverMic(mechTypes: Uint8Array, sequence = 0): Uint8Array {
  return mac('server', mechTypes, sequence);
}

function mac(side: string, message: Uint8Array, sequence: number): Uint8Array {
  return createHmac('sha256', `key of ${side}`).update(`${sequence} `).update(message).digest();
}

/** What inner packages were asked. */
export interface Journal {
  /** Tokens handed to the package, as text, with the leg: `first` or `later`. */
  readonly tokens: string[];
  readonly calls: AcceptCall[];
  made: number;
  deleted: number;
  freed: number;
  resets: number;
}

export function newJournal(): Journal {
  return { tokens: [], calls: [], made: 0, deleted: 0, freed: 0, resets: 0 };
}

export interface InnerOptions {
  readonly asynchronous?: boolean;
  /** Without it signatures are refused and the attribute is missing. */
  readonly integrity?: boolean;
  /** Verifying a signature throws. */
  readonly breaks?: boolean;
  /** False: the attribute is there and signatures are verified, but none is made. */
  readonly signs?: boolean;
}

/**
 * A package whose messages say how it goes on: `ok` (SEC_E_OK), `ok+reply` (SEC_E_OK with a token), `ok+empty`
 * (with one of no bytes), `more` (SEC_I_CONTINUE_NEEDED with a token), `denied`, `denied+reply`, `complete` (SEC_I_COMPLETE_NEEDED), `yes-without`
 * (SEC_E_OK without a context), `throws`.
 */
export function innerPackage(name: string, journal: Journal, options: InnerOptions = {}): SecurityPackage {
  const { asynchronous = false, integrity = true, signs = integrity, breaks = false } = options;
  const info = { name, comment: `inner ${name}`, capabilities: 0, version: 1, rpcId: 0xffff, maxToken: 4096 };
  const answer = (reply: AcceptReply): AcceptReply | Promise<AcceptReply> =>
    asynchronous ? new Promise((resolve) => setImmediate(resolve, reply)) : reply;
  const wrap = name === 'NTLM' ? ntlmToken : kerberosToken;

  const verify = (call: AcceptCall, leg: string, context: PackageContext): AcceptReply => {
    const token = Buffer.from(Sspi.findBuffer(call.input, Sspi.SECBUFFER_TOKEN)?.data ?? []).toString('latin1');
    const said = /[a-z+-]+$/.exec(token)?.[0] ?? '';
    journal.tokens.push(`${leg}:${said}`);
    journal.calls.push(call);
    const output = [{ type: Sspi.SECBUFFER_TOKEN, data: wrap(`reply-to-${said}`) }];
    const result = { type: Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, data: Uint8Array.of(0x10, 0, 0, 0) };
    const attributes = integrity ? Sspi.ASC_RET_INTEGRITY : 0;
    const expiry = new Date(86_400_000);
    switch (said) {
      case 'ok':
        return { status: Sspi.SEC_E_OK, context, attributes, expiry, output: [result] };
      case 'ok+reply':
        return { status: Sspi.SEC_E_OK, context, attributes, expiry, output: [...output, result] };
      case 'ok+empty':
        output[0] = { type: Sspi.SECBUFFER_TOKEN, data: new Uint8Array(0) };
        return { status: Sspi.SEC_E_OK, context, attributes, expiry, output };
      case 'more':
        return { status: Sspi.SEC_I_CONTINUE_NEEDED, context, output };
      case 'complete':
        return { status: Sspi.SEC_I_COMPLETE_NEEDED, context, output };
      case 'incomplete':
        return { status: Sspi.SEC_E_INCOMPLETE_MESSAGE, context, output };
      case 'yes-without':
        return { status: Sspi.SEC_E_OK, attributes };
      case 'denied+reply':
        return { status: Sspi.SEC_E_LOGON_DENIED, output, diagnosis: { text: 'inner says no' } };
      case 'throws':
        throw new Error('inner package broke');
      default:
        return { status: Sspi.SEC_E_LOGON_DENIED, diagnosis: { text: 'inner says no' } };
    }
  };

  class Context implements PackageContext {
    #sent = 0;
    #received = 0;
    #deleted = false;
    readonly keepAfterHandshake = true;
    readonly delegatedCredentials = { kind: 'ticket' as const, credentialCache: `MEMORY:${name}`, expiry: undefined };

    accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
      return answer({ ...verify(call, 'later', this), context: undefined });
    }
    queryAttribute<A extends Sspi.ContextAttribute>(attribute: A): Sspi.Answer<Sspi.ContextAttributeValues[A]> {
      if (attribute !== Sspi.SECPKG_ATTR_NAMES) return { status: Sspi.SEC_E_UNSUPPORTED_FUNCTION };
      return { status: Sspi.SEC_E_OK, value: `user of ${name}` as Sspi.ContextAttributeValues[A] };
    }
    queryToken(): Sspi.Answer<Sspi.SecurityContextToken> {
      const value = { userName: 'user', groups: [], isAnonymous: false, isGuest: false };
      return { status: Sspi.SEC_E_OK, value };
    }
    impersonate(): number {
      return Sspi.SEC_E_NO_IMPERSONATION;
    }
    revert(): number {
      return Sspi.SEC_E_OK;
    }
    makeSignature(message: readonly Sspi.SecBuffer[]): Sspi.Answer<readonly Sspi.SecBuffer[]> {
      if (!signs) return { status: Sspi.SEC_E_QOP_NOT_SUPPORTED };
      const data = mac('server', Sspi.findBuffer(message, Sspi.SECBUFFER_DATA)!.data, this.#sent++);
      return { status: Sspi.SEC_E_OK, value: [{ type: Sspi.SECBUFFER_TOKEN, data }] };
    }
    verifySignature(message: readonly Sspi.SecBuffer[]): Sspi.Answer<number> {
      if (breaks) throw new Error('inner package broke');
      if (!integrity) return { status: Sspi.SEC_E_QOP_NOT_SUPPORTED };
      const expected = mac('client', Sspi.findBuffer(message, Sspi.SECBUFFER_DATA)!.data, this.#received++);
      const given = Sspi.findBuffer(message, Sspi.SECBUFFER_TOKEN)!.data;
      return Buffer.compare(expected, given) === 0
        ? { status: Sspi.SEC_E_OK, value: 0 }
        : { status: Sspi.SEC_E_MESSAGE_ALTERED };
    }
    encryptMessage(message: readonly Sspi.SecBuffer[]): Sspi.Answer<readonly Sspi.SecBuffer[]> {
      return { status: Sspi.SEC_E_OK, value: message };
    }
    decryptMessage(message: readonly Sspi.SecBuffer[]): Sspi.Answer<readonly Sspi.SecBuffer[]> {
      return { status: Sspi.SEC_E_OK, value: message };
    }
    resetMessageState(): void {
      journal.resets++;
    }
    delete(): void {
      if (this.#deleted) throw new Error(`context of ${name} deleted twice`);
      this.#deleted = true;
      journal.deleted++;
    }
  }

  const credential: PackageCredential = {
    accept(call) {
      const context = new Context();
      const reply = verify(call, 'first', context);
      if (reply.context !== undefined) journal.made++;
      return answer(reply);
    },
    free() {
      journal.freed++;
    },
  };
  return {
    info,
    acquireCredentials: () => (asynchronous ? Promise.resolve(credential) : credential),
  };
}
