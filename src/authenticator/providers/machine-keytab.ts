/** The keytab of the machine, for Kerberos without a library. */
import { readFileSync } from 'node:fs';
import { decodeKeytab, describeKeytabEntries } from '../../formats/kerberos/keytab.ts';
import { keytabPath } from '../../formats/kerberos/keytab-name.ts';
import { isHttpService } from '../../kerberos/accepted-services.ts';
import type { KerberosDetection } from '../../native/gssapi/index.ts';
import { defaultKeytabName } from '../../packages/kerberos/keys/key-source.ts';

/** Looks for a keytab that has a key of an HTTP service: that of KRB5_KTNAME, else /etc/krb5.keytab. */
export function detectKeytab(): KerberosDetection {
  const { name, namedBy } = defaultKeytabName();
  const path = keytabPath(name);
  if (path === undefined) return { available: false, lookedFor: `${namedBy} is ${name}, which is not a file` };
  try {
    const bytes = readFileSync(path);
    const entries = decodeKeytab(bytes);
    bytes.fill(0);
    if (entries.some((entry) => isHttpService(entry.name))) {
      return { available: true, keytab: path, lookedFor: `${namedBy} ${path} has an HTTP key` };
    }
    const has = describeKeytabEntries(entries);
    return { available: false, lookedFor: `${namedBy} ${path} has no key of an HTTP service (it has ${has})` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { available: false, lookedFor: `${namedBy} ${path} cannot be read (${reason})` };
  }
}
