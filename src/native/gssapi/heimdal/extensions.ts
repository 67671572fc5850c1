/**
 * The extensions of Heimdal. Its acceptor (version 7, and Apple's) remembers no authenticators, lets the client choose any
 * key it knows for messages, does not tell whether channel bindings were there or withheld, and hands out flags as the
 * client wrote them: all that is verified here.
 */
import { isMainThread } from 'node:worker_threads';
import type { ChannelBindings } from '../../../formats/channel-bindings.ts';
import { encryptionTypeName } from '../../../formats/kerberos/kerberos-token.ts';
import { OptionError } from '../../../foundation/errors.ts';
import { systemClock } from '../../../foundation/clock.ts';
import * as Status from '../../../sspi/status.ts';
import { describeOldAuthenticator, describeReplay, describeService } from '../keytab/diagnosis.ts';
import type { AcceptedToken, GssapiExtensions, Objection } from '../call/extensions.ts';
import { Frame } from '../call/frame.ts';
import { GSS_S_COMPLETE, isBadBindings } from '../call/gss-status.ts';
import { heimdalAuthenticator } from './authenticator.ts';
import { copyDelegated, importKeytab } from './credential.ts';
import { inquireKey, principalText, readHeimdalOids } from './inquiry.ts';
import type { HeimdalOids } from './inquiry.ts';
import { heimdalDecrypt, heimdalKeyblock, heimdalKeytabKey, heimdalKeytabPrincipal } from './keys.ts';
import { heimdalPac } from './pac.ts';
import type { GssapiLibrary } from '../call/library.ts';
import { ReplayCache } from '../keytab/replay-cache.ts';
import { knowsChannelBindings } from '../../../formats/kerberos/authenticator.ts';
import type { KerberosSettings } from '../call/kerberos-settings.ts';

/**
 * One for all credentials of this process, whose age performance.now() is; a worker has its own, and is younger than the
 * process that started it again.
 */
const replays = new ReplayCache(systemClock, { start: systemClock.elapsed() - (isMainThread ? performance.now() : 0) });

/**
 * The extensions of one library.
 *
 * @throws Error where the library lacks a symbol
 */
export function heimdalExtensions(library: GssapiLibrary): GssapiExtensions {
  const oids = readHeimdalOids(library);
  const skew = library.krb5.getMaxTimeSkew(library.krb5Context);
  let probe: Frame | undefined;
  return Object.freeze<GssapiExtensions>({
    checkSettings,
    acquireAcceptor: (frame, keytab) => importKeytab(frame, oids, keytab),
    objection: (frame, accepted, settings) =>
      replayObjection(frame, oids, accepted, settings, skew) ?? keyObjection(frame, oids, accepted, settings),
    channelBinding(frame, credential, { token, request }, bindings) {
      if (isChannelBound((probe ??= new Frame(library)), credential, token, bindings)) return 'bound';
      const authenticator = heimdalAuthenticator(frame, oids, request);
      const isKnown = authenticator === undefined || knowsChannelBindings(authenticator.authorizationData);
      return isKnown ? 'withheld' : 'missing';
    },
    clientName: (frame) => principalText(frame, frame.sourceNameHandle),
    pac: (frame, client) => heimdalPac(frame, oids, client),
    storeDelegated: copyDelegated,
    keytabPrincipal: heimdalKeytabPrincipal,
    keytabKey: heimdalKeytabKey,
    keyblock: heimdalKeyblock,
    decrypt: heimdalDecrypt,
  });
}

function checkSettings({ replayCache, replayCacheOption }: KerberosSettings): void {
  if (typeof replayCacheOption !== 'string' || replayCache === 'none:') return;
  throw new OptionError(
    'authData.replayCache',
    `is ${JSON.stringify(replayCacheOption)}, a replay cache of MIT krb5, and the GSSAPI here is Heimdal, which has none`,
    'Use true to have this process remember the authenticators it took, or install MIT krb5 (Debian, Ubuntu: ' +
      'libgssapi-krb5-2) and name it with the option "library" where several processes must share a replay cache.',
  );
}

/** Attacks D01, D02, G06. */
function replayObjection(
  frame: Frame,
  oids: HeimdalOids,
  { request }: AcceptedToken,
  { replayCache }: KerberosSettings,
  skew: number,
): Objection | undefined {
  if (replayCache === 'none:') return undefined;
  const time = (): number | undefined => heimdalAuthenticator(frame, oids, request)?.time;
  switch (replays.remember(request.authenticatorCipher, skew, time)) {
    case 'new':
      return undefined;
    case 'replay':
      return { status: Status.SEC_E_LOGON_DENIED, diagnosis: describeReplay(request) };
    case 'old':
      return { status: Status.SEC_E_LOGON_DENIED, diagnosis: describeOldAuthenticator(request) };
    case 'full':
      return {
        status: Status.SEC_E_INSUFFICIENT_MEMORY,
        diagnosis: `too many tickets within ${2 * skew} seconds to remember them all, so that a replay could not be told`,
      };
  }
}

/** Keys that the client chose for the messages after its ticket (attack D06). */
function keyObjection(
  frame: Frame,
  oids: HeimdalOids,
  { request }: AcceptedToken,
  { encryptionTypes }: KerberosSettings,
): Objection | undefined {
  const types = [oids.messageKey, oids.initiatorSubkey].map((oid) => {
    const key = inquireKey(frame, oid);
    key?.value.fill(0);
    return key?.encryptionType;
  });
  const [messageKey] = types;
  if (messageKey === undefined) {
    return { status: Status.SEC_E_INTERNAL_ERROR, diagnosis: 'Heimdal does not tell the key of the context' };
  }
  const weak = types.find((type) => type !== undefined && !encryptionTypes.has(type));
  if (weak === undefined) return undefined;
  return {
    status: Status.SEC_E_ALGORITHM_MISMATCH,
    diagnosis: `the client of ${describeService(request)} wants a key of ${encryptionTypeName(weak)}, which is refused`,
  };
}

/**
 * Heimdal takes a token without channel bindings whatever the server's are, and version 7 gives the client's own word for
 * whether there were any. It refuses wrong ones, though: a client that bound itself to the right ones is refused with
 * others, and one that did not bind itself is not.
 */
function isChannelBound(frame: Frame, credential: bigint, token: Uint8Array, bindings: ChannelBindings): boolean {
  const applicationData = Uint8Array.from([0, ...bindings.applicationData]);
  frame.clear();
  frame.setToken(token);
  const others = frame.setBindings({ ...bindings, applicationData });
  if (others === undefined) return false;
  const { gss } = frame.library;
  // prettier-ignore
  const major = gss.acceptSecContext(
    frame.minor, frame.context, credential, frame.input, others, null, null, frame.output, frame.flags, frame.time,
    null,
  );
  frame.dropOutput();
  if (frame.contextHandle !== 0n) gss.deleteSecContext(frame.minor, frame.context, null);
  return major !== GSS_S_COMPLETE && isBadBindings(major);
}
