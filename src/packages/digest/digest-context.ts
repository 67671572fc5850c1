/** One Digest context: it is challenged, perhaps once more because of a stale nonce, and then established. */
import * as Attribute from '../../sspi/attributes.ts';
import type { ContextAttribute, ContextAttributeValues } from '../../sspi/attributes.ts';
import * as Requirement from '../../sspi/requirements.ts';
import type { SecurityContextToken } from '../../sspi/security-context-token.ts';
import type { AcceptCall, AcceptReply, Answer, PackageContext } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import type { DigestAcceptor, DigestResult } from './digest-acceptor.ts';
import { digestInfo, grantableAttributes } from './digest-info.ts';
import { tokenOf } from './digest-request.ts';

/**
 * The status of requirements that Digest over HTTP cannot meet, or SEC_E_OK.
 *
 * On the page of Microsoft, INTEGRITY, REPLAY_DETECT and SEQUENCE_DETECT select auth-int, which this package does not
 * have. So INTEGRITY cannot be met. The nonce counts meet the other two: no count is accepted twice, and with
 * SEQUENCE_DETECT none that is lower than an earlier one. PROXY_BINDINGS requires channel bindings, which credentials
 * of RFC 7616 cannot carry.
 */
export function requirementStatus(requirements: number): number {
  if ((requirements & Requirement.ASC_REQ_HTTP) === 0) return Status.SEC_E_UNSUPPORTED_FUNCTION;
  if ((requirements & (Requirement.ASC_REQ_CONFIDENTIALITY | Requirement.ASC_REQ_INTEGRITY)) !== 0) {
    return Status.SEC_E_SECURITY_QOS_FAILED;
  }
  return (requirements & Requirement.ASC_REQ_PROXY_BINDINGS) === 0 ? Status.SEC_E_OK : Status.SEC_E_BAD_BINDINGS;
}

/** What is known about an established context. */
interface Established {
  readonly token: SecurityContextToken;
  readonly attributes: number;
  readonly start: Date;
}

export class DigestContext implements PackageContext {
  readonly #acceptor: DigestAcceptor;
  #established: Established | undefined;

  constructor(acceptor: DigestAcceptor) {
    this.#acceptor = acceptor;
  }

  /** The first leg: asks for a challenge, or brings credentials for a challenge of an earlier context. */
  begin(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const status = requirementStatus(call.requirements);
    if (status !== Status.SEC_E_OK) return { status };
    const result = this.#acceptor.accept(call);
    return result instanceof Promise ? result.then((settled) => this.#reply(settled, call)) : this.#reply(result, call);
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    if (this.#established !== undefined) return { status: Status.STATUS_LOGON_FAILURE };
    // The challenge was sent, so this leg must bring credentials.
    if (tokenOf(call.input).byteLength === 0) return { status: Status.SEC_E_INVALID_TOKEN };
    return this.begin(call);
  }

  #reply(result: DigestResult, { requirements }: AcceptCall): AcceptReply {
    switch (result.result) {
      case 'refused':
        return { status: result.status, diagnosis: result.diagnosis };
      case 'challenge':
        return { status: Status.SEC_I_CONTINUE_NEEDED, context: this, output: result.output };
      case 'accepted': {
        const { clock } = this.#acceptor.settings;
        const attributes = requirements & grantableAttributes;
        this.#established = { token: result.token, attributes, start: new Date(clock.now()) };
        return { status: Status.SEC_E_OK, context: this, attributes };
      }
    }
  }

  queryAttribute<A extends ContextAttribute>(attribute: A): Answer<ContextAttributeValues[A]>;
  queryAttribute(attribute: ContextAttribute): Answer<ContextAttributeValues[ContextAttribute]> {
    const established = this.#established;
    if (established === undefined) return { status: Status.SEC_E_INVALID_HANDLE };
    const { token, attributes, start } = established;
    switch (attribute) {
      case Attribute.SECPKG_ATTR_NAMES:
        return answer(token.domain ? `${token.domain}\\${token.userName}` : token.userName);
      case Attribute.SECPKG_ATTR_PACKAGE_INFO:
        return answer(digestInfo);
      case Attribute.SECPKG_ATTR_NEGOTIATION_INFO:
        return answer({ package: digestInfo, state: Attribute.SECPKG_NEGOTIATION_COMPLETE });
      case Attribute.SECPKG_ATTR_FLAGS:
        return answer(attributes);
      case Attribute.SECPKG_ATTR_SIZES:
        return answer({ maxToken: digestInfo.maxToken, maxSignature: 0, blockSize: 0, securityTrailer: 0 });
      case Attribute.SECPKG_ATTR_LIFESPAN:
        return answer({ start, expiry: undefined });
      default:
        return { status: Status.SEC_E_UNSUPPORTED_FUNCTION };
    }
  }

  queryToken(): Answer<SecurityContextToken> {
    const established = this.#established;
    return established === undefined ? { status: Status.SEC_E_INVALID_HANDLE } : answer(established.token);
  }

  delete(): void {
    this.#established = undefined;
  }
}

function answer<T>(value: T): Answer<T> {
  return { status: Status.SEC_E_OK, value };
}
