/**
 * The extensions of Heimdal. They verify what its acceptor (version 7, and Apple's) does not verify:
 *
 * - It has no replay cache.
 * - It accepts message keys of any encryption type that it knows, if the client chooses one.
 * - It does not tell whether the client sent channel bindings, or withheld them although it supports them.
 * - It returns the context flags as the client wrote them.
 */
import { isMainThread } from 'node:worker_threads';
import type { ChannelBindings } from '../../../formats/channel-bindings.ts';
import { encryptionTypeName } from '../../../formats/kerberos/kerberos-token.ts';
import { OptionError } from '../../../foundation/errors.ts';
import { systemClock } from '../../../foundation/clock.ts';
import { reason } from '../../../identity/reasons/reason.ts';
import * as Status from '../../../sspi/status.ts';
import { serviceOf } from '../../../kerberos/diagnosis.ts';
import type { AcceptedToken, GssapiExtensions, TokenRefusal } from '../call/extensions.ts';
import { Frame } from '../call/frame.ts';
import { GSS_S_COMPLETE, isBadBindings } from '../call/gss-status.ts';
import { withTargetName } from '../call/context-target.ts';
import { heimdalAuthenticator, heimdalTicketClient } from './authenticator.ts';
import { copyDelegated, importKeytab } from './credential.ts';
import { inquireKeyType, principalText, readHeimdalOids } from './inquiry.ts';
import type { HeimdalOids } from './inquiry.ts';
import { heimdalDecrypt, heimdalKeyblock, heimdalKeytabKey, heimdalKeytabPrincipal } from './keys.ts';
import { heimdalPac } from './pac.ts';
import type { GssapiLibrary } from '../call/library.ts';
import { ReplayCache } from '../keytab/replay-cache.ts';
import { clientTarget, knowsChannelBindings } from '../../../formats/kerberos/authenticator.ts';
import type { KerberosSettings } from '../call/kerberos-settings.ts';

/**
 * One replay cache for all credentials of this process. performance.now() is the age of the process. A worker has a
 * replay cache of its own. The process may have started the worker again, so its age counts from now.
 */
const processReplayCache = new ReplayCache(systemClock, {
  start: systemClock.elapsed() - (isMainThread ? performance.now() : 0),
});

/**
 * The extensions for a Heimdal library.
 *
 * @throws Error if the library lacks a variable that is needed
 */
export function heimdalExtensions(library: GssapiLibrary): GssapiExtensions {
  const oids = readHeimdalOids(library);
  const skew = library.krb5.getMaxTimeSkew(library.krb5Context);
  let probe: Frame | undefined;
  return Object.freeze<GssapiExtensions>({
    checkSettings,
    acquireAcceptor: (frame, keytab) => importKeytab(frame, oids, keytab),
    // Heimdal opens a ticket of any type that it has the key of.
    permittedTypes: () => undefined,
    verifyAccepted: (frame, accepted, settings) =>
      verifyReplay(frame, oids, accepted, settings, skew) ?? verifyKeys(frame, oids, accepted, settings),
    channelBinding(frame, credential, { token, request }, bindings) {
      if (isChannelBound((probe ??= new Frame(library)), credential, token, bindings)) return 'bound';
      const authenticator = heimdalAuthenticator(frame, oids, request);
      const isKnown = authenticator === undefined || knowsChannelBindings(authenticator.authorizationData);
      return isKnown ? 'withheld' : 'missing';
    },
    clientName(frame, request) {
      const name = principalText(frame, frame.sourceNameHandle);
      const client = heimdalTicketClient(frame, oids, request);
      // Heimdal drops zeros at the end of a name, so that two principals would have one name (attack D22).
      return client === undefined || /\0/.test(client.name + client.realm) ? undefined : name;
    },
    serviceName: (frame) => withTargetName(frame, (name) => principalText(frame, name)),
    clientTarget: (frame, request) => clientTarget(heimdalAuthenticator(frame, oids, request)?.authorizationData),
    messageKeyType: (frame, handle) => inquireKeyType(frame, oids.messageKey, handle),
    pac: (frame, client) => heimdalPac(frame, oids, client),
    storeDelegated: copyDelegated,
    keytabPrincipal: heimdalKeytabPrincipal,
    keytabKey: heimdalKeytabKey,
    keyblock: heimdalKeyblock,
    decrypt: heimdalDecrypt,
  });
}

function checkSettings(_: GssapiLibrary, { replayCache, replayCacheOption }: KerberosSettings): void {
  if (typeof replayCacheOption !== 'string' || replayCache === 'none:') return;
  throw new OptionError(
    'authData.replayCache',
    `is ${JSON.stringify(replayCacheOption)}, a replay cache of MIT krb5, but the library is Heimdal, which has none`,
    'Use true for a replay cache in the memory of this process. If several processes must share a replay cache, ' +
      'install MIT krb5 (Debian, Ubuntu: libgssapi-krb5-2) and name it with the option "library".',
  );
}

/** Refuses replays, and Authenticators that could be replays (attacks D01, D02, G06). */
function verifyReplay(
  frame: Frame,
  oids: HeimdalOids,
  { request }: AcceptedToken,
  { replayCache }: KerberosSettings,
  skew: number,
): TokenRefusal | undefined {
  if (replayCache === 'none:') return undefined;
  const time = (): number | undefined => heimdalAuthenticator(frame, oids, request)?.time;
  switch (processReplayCache.remember(request.authenticatorCipher, skew, time)) {
    case 'new':
      return undefined;
    case 'replay':
      return { status: Status.SEC_E_LOGON_DENIED, diagnosis: reason('replay', { service: serviceOf(request) }) };
    case 'old':
      return {
        status: Status.SEC_E_LOGON_DENIED,
        diagnosis: reason('authenticator-too-old', { service: serviceOf(request) }),
      };
    case 'full':
      return {
        status: Status.SEC_E_INSUFFICIENT_MEMORY,
        diagnosis: reason('replay-cache-full', { seconds: 2 * skew }),
      };
  }
}

/** Refuses weak keys that the client chose for messages in place of the session key (attack D06). */
function verifyKeys(
  frame: Frame,
  oids: HeimdalOids,
  { request }: AcceptedToken,
  { encryptionTypes }: KerberosSettings,
): TokenRefusal | undefined {
  const types = [oids.messageKey, oids.initiatorSubkey].map((oid) => inquireKeyType(frame, oid));
  const [messageKey] = types;
  if (messageKey === undefined) {
    return { status: Status.SEC_E_INTERNAL_ERROR, diagnosis: reason('library-hides-key') };
  }
  const weak = types.find((type) => type !== undefined && !encryptionTypes.has(type));
  if (weak === undefined) return undefined;
  return {
    status: Status.SEC_E_ALGORITHM_MISMATCH,
    diagnosis: reason('client-key-refused', { service: serviceOf(request), type: encryptionTypeName(weak) }),
  };
}

/**
 * Whether an accepted token has channel bindings.
 *
 * Heimdal accepts a token without channel bindings, whatever bindings the server gives. The flag that version 7 returns
 * is what the client claims. But Heimdal refuses wrong channel bindings. So the token is verified again with bindings
 * that are certainly wrong. If Heimdal refuses it for them, the token has bindings, and they matched in the first call.
 * If Heimdal accepts it, the token has none.
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
