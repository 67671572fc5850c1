/**
 * Makes it visible when clients are asked for credentials and send none: single sign-on that does not begin leaves
 * nothing else in the log.
 *
 * A challenge is answered by the next request with an Authorization field, of the same connection or of the same client
 * (address, Host and User-Agent), within the time that a handshake may take. All of these come from the client, so what
 * is remembered is bounded. Nothing is remembered where nobody listens, and a signed-in connection never comes here.
 */
import type { Clock } from '../../foundation/clock.ts';
import { printable } from '../../foundation/text.ts';
import type { Exchange } from '../../http/exchange.ts';
import { peerOf } from '../../http/exchange.ts';
import { preflightOrigin } from '../../http/preflight.ts';
import { passedThroughProxy } from '../../http/proxy-fields.ts';
import { clientKindOf, fetchesWithoutCredentials, fieldValue, hostOf } from '../../http/request-fields.ts';
import type { Audit } from '../audit.ts';
import { schemesFor } from '../challenge.ts';
import type { OfferedScheme } from '../offered-scheme.ts';
import { likelyCauses } from './likely-causes.ts';
import type { UnansweredFacts } from './likely-causes.ts';
import { ReportBudget } from './report-budget.ts';
import type { UnansweredRecord } from './unanswered-record.ts';

/** How many clients are waited for at once; more are not looked at. */
const MAX_WAITING = 1000;
/** How many clients are known that have answered. */
const MAX_ANSWERED = 1000;
/** UTF-16 units of Host and User-Agent that tell clients apart. */
const MAX_FIELD = 256;
/** UTF-16 units of a diagnosis. */
const MAX_DIAGNOSIS = 1024;

interface Waiting {
  readonly deadline: number;
  readonly facts: UnansweredFacts;
  readonly peer: string | undefined;
  readonly userAgent: string | undefined;
  requests: number;
}

/** What concerns the schemes that are offered. */
interface Offer {
  readonly schemes: readonly OfferedScheme[];
  readonly kerberos: boolean;
  readonly serviceHosts: readonly string[] | undefined;
}

export class UnansweredChallenges {
  readonly #clock: Clock;
  readonly #milliseconds: number;
  readonly #audit: Audit;
  readonly #offer: Offer;
  readonly #budget: ReportBudget;
  /** By client; the earliest deadline first. */
  readonly #waiting = new Map<string, Waiting>();
  /** Clients that have sent credentials: what they leave out is no missing sign-on. The latest last. */
  readonly #answered = new Set<string>();
  /** The client that was challenged on a connection. */
  readonly #challengedOn = new WeakMap<object, string>();
  #timer: NodeJS.Timeout | undefined;
  #warnedOfPreflight = false;

  /** @param milliseconds how long a client may take to answer */
  constructor(schemes: readonly OfferedScheme[], clock: Clock, milliseconds: number, audit: Audit) {
    this.#clock = clock;
    this.#milliseconds = milliseconds;
    this.#audit = audit;
    this.#budget = new ReportBudget(() => clock.elapsed());
    this.#offer = {
      schemes,
      kerberos: schemes.some(mayRunKerberos),
      serviceHosts: schemes.find(({ serviceHosts }) => serviceHosts !== undefined)?.serviceHosts,
    };
  }

  /** A request without credentials was answered with a challenge. */
  challenged(exchange: Pick<Exchange, 'socket' | 'rawHeaders' | 'method' | 'httpVersionMajor'>): void {
    if (!this.#audit.hasUnansweredListeners) return;
    this.#reportOverdue();
    const offered = schemesFor(this.#offer.schemes, exchange).map(({ name }) => name);
    // Option `schemesFor` has chosen none: there is nothing to answer.
    if (offered.length === 0) return;
    const { rawHeaders, socket } = exchange;
    const origin = preflightOrigin(exchange);
    const client = clientOf(exchange);
    const known = this.#waiting.get(client);
    if (known !== undefined && origin === undefined) {
      known.requests++;
      this.#challengedOn.set(socket, client);
      return;
    }
    const agent = fieldValue(rawHeaders, 'user-agent');
    const http2 = exchange.httpVersionMajor !== 1;
    const waiting: Waiting = {
      deadline: this.#clock.elapsed() + this.#milliseconds,
      facts: {
        client: clientKindOf(agent),
        host: hostOf(rawHeaders),
        offered,
        kerberos: this.#offer.kerberos,
        serviceHosts: this.#offer.serviceHosts,
        http2,
        throughProxy: passedThroughProxy(rawHeaders),
        fetchedWithoutCredentials: fetchesWithoutCredentials(rawHeaders),
        preflightOrigin: origin,
      },
      peer: peerOf(socket),
      userAgent: agent === undefined ? undefined : printable(agent, MAX_FIELD),
      requests: 1,
    };
    if (origin !== undefined) {
      // Its browser has nothing to answer it with.
      this.#report(waiting, false);
      return;
    }
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(client, waiting);
    this.#challengedOn.set(socket, client);
    this.#schedule();
  }

  /** A request has credentials, whatever they are. */
  answered(exchange: Pick<Exchange, 'socket' | 'rawHeaders'>): void {
    // Without a challenge there is nothing to be answered, and no reason to ask a socket for its address (peerOf).
    const challenged = this.#challengedOn.get(exchange.socket);
    if (challenged !== undefined) this.#hasAnswered(challenged);
    if (this.#waiting.size > 0) this.#hasAnswered(clientOf(exchange));
    if (this.#waiting.size === 0) this.#stop();
  }

  /**
   * A request has credentials of a scheme that the application verifies itself. So its client has answered the challenge
   * that its last request got, but it has not shown that it can sign in by the schemes here.
   */
  answeredOtherwise(exchange: Pick<Exchange, 'socket' | 'rawHeaders'>): void {
    if (this.#waiting.size === 0) return;
    const challenged = this.#challengedOn.get(exchange.socket);
    if (challenged !== undefined) this.#waiting.delete(challenged);
    this.#waiting.delete(clientOf(exchange));
    if (this.#waiting.size === 0) this.#stop();
  }

  #hasAnswered(client: string): void {
    this.#waiting.delete(client);
    this.#answered.delete(client);
    this.#answered.add(client);
    if (this.#answered.size <= MAX_ANSWERED) return;
    for (const oldest of this.#answered) {
      this.#answered.delete(oldest);
      break;
    }
  }

  /** Reports the clients whose time is over: with the timer, and before that if the clock has jumped. */
  #reportOverdue(): void {
    const now = this.#clock.elapsed();
    for (const [client, waiting] of this.#waiting) {
      if (waiting.deadline > now) break;
      this.#waiting.delete(client);
      this.#report(waiting, this.#answered.has(client));
    }
  }

  /** Waits for nobody any more. */
  close(): void {
    this.#waiting.clear();
    this.#stop();
  }

  #report({ facts, peer, userAgent, requests }: Waiting, hasAnsweredBefore: boolean): void {
    const causes = likelyCauses(facts);
    const { client, offered } = facts;
    const host = facts.host === undefined ? undefined : printable(facts.host.name);
    const record: UnansweredRecord = {
      host,
      client,
      userAgent,
      peer,
      offered,
      causes: causes.map(({ cause }) => cause),
      diagnosis: causes
        .map(({ text }) => text)
        .join('; or ')
        .slice(0, MAX_DIAGNOSIS),
      requests,
    };
    this.#audit.unanswered(record);
    if (facts.preflightOrigin !== undefined) {
      if (!this.#warnedOfPreflight) this.#audit.advise('preflight', record.diagnosis);
      this.#warnedOfPreflight = true;
      return;
    }
    if (hasAnsweredBefore) return;
    const due = this.#budget.count(`${host ?? ''} ${client}`);
    if (due !== undefined) this.#audit.toldOfUnanswered(record, due.count, due.others);
  }

  #schedule(): void {
    if (this.#timer !== undefined) return;
    const oldest = this.#waiting.values().next();
    if (oldest.done === true) return;
    const sweep = (): void => {
      this.#timer = undefined;
      this.#reportOverdue();
      this.#schedule();
    };
    this.#timer = setTimeout(sweep, Math.max(1, oldest.value.deadline - this.#clock.elapsed()));
    this.#timer.unref();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function mayRunKerberos({ name, packages }: OfferedScheme): boolean {
  return name === 'Kerberos' || (name === 'Negotiate' && packages?.includes('Kerberos') !== false);
}

/** What tells a client from others. */
function clientOf({ socket, rawHeaders }: Pick<Exchange, 'socket' | 'rawHeaders'>): string {
  const host = fieldValue(rawHeaders, ':authority') ?? fieldValue(rawHeaders, 'host') ?? '';
  const agent = fieldValue(rawHeaders, 'user-agent') ?? '';
  return [socket.remoteAddress ?? '', host.slice(0, MAX_FIELD), agent.slice(0, MAX_FIELD)].join(' ');
}
