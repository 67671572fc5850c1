/** What Kerberos without a library has found at start, for the operator: keytab, keys, and where replays are remembered. */
import { serviceNames } from '../../kerberos/accepted-services.ts';
import type { StartFacts } from '../../kerberos/start-facts.ts';
import { keytabListing } from '../../packages/kerberos/keys/key-source.ts';
import type { SchemeSettings } from '../options.ts';
import { replayPlace } from './replay-memory.ts';

/** arcfour-hmac. */
const RC4 = 23;

/** @returns undefined if it cannot be read any more. Whether clients can be verified is not decided here */
export function portableFacts(settings: SchemeSettings): StartFacts | undefined {
  try {
    const { acceptsService } = serviceNames(settings.servicePrincipalNames ?? []);
    const { path, entries } = keytabListing(settings.keytab);
    return {
      implementation: "this library's own (provider 'portable')",
      library: undefined,
      keytab: path,
      entries: entries.filter(
        // Of a password there are keys of every type: those that are refused are no news.
        ({ name, realm, encryptionType }) =>
          acceptsService(name, realm) && (encryptionType !== RC4 || settings.allowRc4 === true),
      ),
      replay: replayPlace(settings),
    };
  } catch {
    return undefined;
  }
}
