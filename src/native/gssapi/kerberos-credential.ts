/** The credential of the package Kerberos: hands tokens to the library, on this thread or off the event loop. */
import type { AcceptCall, AcceptReply, PackageCredential } from '../../sspi/security-package.ts';
import * as Status from '../../sspi/status.ts';
import { callAsynchronously, MAX_WAITING_CALLS } from '../koffi.ts';
import { AcceptorCredential } from './acceptor-credential.ts';
import type { HeldCredential } from './acceptor-credential.ts';
import type { KerberosProvider } from './call/extensions.ts';
import { FramePool } from './call/frame-pool.ts';
import type { Frame } from './call/frame.ts';
import * as Gss from './call/gss-status.ts';
import { releaseAll, releaseContext, releaseResults } from './call/release.ts';
import { lockedFiles } from './delegation/locked-files.ts';
import { DelegatedCaches } from '../../kerberos/delegation/delegated-caches.ts';
import { establish } from './establishment.ts';
import { readExchange, refused } from '../../kerberos/exchange.ts';
import { prepare } from './exchange-frame.ts';
import type { Exchange } from '../../kerberos/exchange.ts';
import { CheckBudget } from '../../foundation/check-budget.ts';
import { refusalByLibrary } from './library-refusal.ts';
import { TicketAccounts } from './ticket-accounts.ts';
import type { TicketAccount } from '../../kerberos/ticket-account.ts';

/** Errors that have nothing to do with keys: a new keytab would not help. */
const unrelatedToKeys: ReadonlySet<number> = new Set([
  Gss.KRB_AP_ERR_SKEW,
  Gss.KRB_AP_ERR_TKT_EXPIRED,
  Gss.KRB_AP_ERR_TKT_NYV,
  Gss.KRB_AP_ERR_REPEAT,
  Gss.KRB5_RC_REPLAY,
]);

export class KerberosCredential implements PackageCredential {
  readonly #provider: KerberosProvider;
  readonly #acceptor: AcceptorCredential;
  readonly #frames: FramePool | undefined;
  readonly #accounts = new TicketAccounts();
  readonly #budget: CheckBudget;
  readonly #delegatedCaches: DelegatedCaches | undefined;

  constructor(provider: KerberosProvider) {
    this.#provider = provider;
    const { delegate, onWarning } = provider.settings;
    this.#delegatedCaches = delegate ? new DelegatedCaches(lockedFiles, onWarning) : undefined;
    this.#frames = provider.settings.asynchronous ? new FramePool(provider.frame.library) : undefined;
    this.#acceptor = new AcceptorCredential(provider);
    this.#budget = new CheckBudget(provider.settings.clock);
  }

  free(): void {
    this.#acceptor.free();
  }

  accept(call: AcceptCall): AcceptReply | Promise<AcceptReply> {
    const read = readExchange(call, this.#provider.settings);
    if ('refusal' in read) return read.refusal;
    return this.#frames === undefined
      ? this.#acceptSynchronously(read.exchange)
      : this.#acceptAsynchronously(this.#frames, read.exchange);
  }

  #acceptSynchronously(exchange: Exchange): AcceptReply {
    const { frame } = this.#provider;
    const { acceptSecContext } = frame.library.gss;
    for (let retried = false; ; retried = true) {
      const held = this.#acceptor.hold();
      try {
        const bindings = prepare(frame, exchange);
        const known = this.#accounts.get(exchange.request, held.keytab);
        const sourceName = known === undefined ? frame.sourceName : null;
        const delegated = exchange.delegate ? frame.delegated : null;
        // prettier-ignore
        const major = acceptSecContext(
          frame.minor, frame.context, held.handle, frame.input, bindings, sourceName, frame.mechanism,
          frame.output, frame.flags, frame.time, delegated,
        );
        if (this.#shouldRetry(major, frame, retried)) continue;
        return this.#conclude(frame, major, exchange, held, known);
      } finally {
        held.release();
      }
    }
  }

  async #acceptAsynchronously(frames: FramePool, exchange: Exchange): Promise<AcceptReply> {
    const entered = frames.acquire();
    if (entered === undefined) {
      // The same status as when the queue of callAsynchronously is full. It says nothing about the client.
      const text = `${MAX_WAITING_CALLS} tickets are already waiting for the GSSAPI library, which does not answer`;
      return refused(Status.SEC_E_INTERNAL_ERROR, text);
    }
    const frame = await entered;
    try {
      for (let retried = false; ; retried = true) {
        const held = this.#acceptor.hold();
        try {
          const bindings = prepare(frame, exchange);
          const known = this.#accounts.get(exchange.request, held.keytab);
          const sourceName = known === undefined ? frame.sourceName : null;
          const delegated = exchange.delegate ? frame.delegated : null;
          // prettier-ignore
          const major = await callAsynchronously(
            frame.library.gss.acceptSecContext,
            frame.minor, frame.context, held.handle, frame.input, bindings, sourceName, frame.mechanism,
            frame.output, frame.flags, frame.time, delegated,
          );
          if (this.#shouldRetry(major, frame, retried)) continue;
          return this.#conclude(frame, major, exchange, held, known);
        } finally {
          held.release();
        }
      }
    } finally {
      frames.release(frame);
    }
  }

  /** Whether to call the library again: it may have lacked a key. True only if a changed keytab was loaded here. */
  #shouldRetry(major: number, frame: Frame, retried: boolean): boolean {
    if (major === Gss.GSS_S_COMPLETE || retried) return false;
    const minor = frame.minorStatus;
    if (unrelatedToKeys.has(minor) || !this.#acceptor.refreshAfterRefusal()) return false;
    releaseAll(frame);
    return true;
  }

  /**
   * Makes the reply from the results in the frame, and releases them.
   *
   * @param known account of this ticket, if it was read before. The library was then not asked for the source name
   */
  #conclude(
    frame: Frame,
    major: number,
    exchange: Exchange,
    held: HeldCredential,
    known: TicketAccount | undefined,
  ): AcceptReply {
    const named = known !== undefined || frame.sourceNameHandle !== 0n;
    // Only GSS_S_COMPLETE without any other bit is a success. CONTINUE_NEEDED (DCE style) and the other supplementary
    // bits are failures (attack G07).
    if (major !== Gss.GSS_S_COMPLETE || frame.contextHandle === 0n || !named) {
      const { reloadFailure } = this.#acceptor;
      const { keytab } = held;
      return refusalByLibrary(frame, this.#provider, { major, exchange, keytab, budget: this.#budget, reloadFailure });
    }
    try {
      const accounts = this.#accounts;
      const delegatedCaches = this.#delegatedCaches;
      const reply = establish(frame, this.#provider, { exchange, held, known, accounts, delegatedCaches });
      if (reply.context === undefined) releaseContext(frame);
      return reply;
    } catch (error) {
      releaseContext(frame);
      throw error;
    } finally {
      releaseResults(frame);
    }
  }
}
