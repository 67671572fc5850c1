/** What Kerberos has found at start, for the operator: library, keytab and keys. No key itself. */
import { readFileSync } from 'node:fs';
import { isHttpService } from '../../kerberos/accepted-services.ts';
import type { StartFacts } from '../../kerberos/start-facts.ts';
import { loadGssapi } from './call/library.ts';
import { defaultKeytabName } from './detect.ts';
import { kerberosSettings, readKerberosOptions } from './kerberos-auth-data.ts';
import { readKeytab } from './keytab/keytab-file.ts';

/**
 * Reads what was found.
 *
 * @param authData that of acquireCredentialsHandle
 * @returns undefined if it cannot be read any more. Whether clients can be verified is not decided here
 */
export function kerberosFacts(authData: unknown): StartFacts | undefined {
  try {
    const options = readKerberosOptions(authData);
    const gssapi = loadGssapi(options.library);
    const { keytab, acceptsService } = kerberosSettings(options, undefined, () => defaultKeytabName(gssapi));
    const entries = readKeytab(keytab).entries.filter(({ name, realm }) => acceptsService(name, realm));
    const isMit = gssapi.implementation === 'MIT';
    const version = isMit ? mitVersion() : undefined;
    const implementation = [isMit ? 'MIT krb5' : gssapi.implementation, version]
      .filter((part) => part !== undefined)
      .join(' ');
    return { implementation, library: gssapi.name, keytab, entries, replay: undefined };
  } catch {
    return undefined;
  }
}

/** The number of MIT's release: a text in its library, which has no function that tells it. */
function mitVersion(): string | undefined {
  try {
    // Linux has the files of the libraries that are loaded.
    const file = /\S*\/libkrb5\.so\.3\S*$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0];
    if (file === undefined) return undefined;
    const bytes = readFileSync(file);
    const begin = bytes.indexOf('KRB5_BRAND: krb5-');
    return begin < 0 ? undefined : /krb5-(\d[\w.]*)/.exec(bytes.toString('latin1', begin, begin + 64))?.[1];
  } catch {
    return undefined;
  }
}

/**
 * The keytab that this machine has although no option names it.
 *
 * @returns its path and the HTTP services in it; undefined if there is none with such a key that this process can read
 */
export function machineKeytab(): { readonly path: string; readonly services: readonly string[] } | undefined {
  const path = (process.env['KRB5_KTNAME'] ?? '/etc/krb5.keytab').replace(/^(?:WR)?FILE:/, '');
  try {
    const services = readKeytab(path).entries.filter(({ name }) => isHttpService(name));
    return services.length === 0 ? undefined : { path, services: services.map(({ name }) => name) };
  } catch {
    return undefined;
  }
}
