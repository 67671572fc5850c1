/** Tokens of MIT's own client, made before the time is taken. */
import { readFile } from 'node:fs/promises';
import type { Kdc } from '../test/lab/kdc.ts';
import { runChecked } from '../test/lab/process.ts';

/** Debian packages without which there are no tokens, the KDC's own included. */
export const tokenPackages = ['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libgssapi-krb5-2', 'python3-gssapi'];

/** Each token after its length in four bytes, little-endian. A cache without the service's ticket makes for a new one. */
const clientScript = `
import os, shutil, struct, sys, gssapi
spnego = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
name = gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service)
own_tickets = sys.argv[3] == "own"
cache = sys.argv[1] + ".cache"
with open(sys.argv[1], "wb") as file:
    for _ in range(int(sys.argv[2])):
        credentials = None
        if own_tickets:
            shutil.copy(os.environ["KRB5CCNAME"].removeprefix("FILE:"), cache)
            credentials = gssapi.Credentials(usage="initiate", store={"ccache": "FILE:" + cache})
        token = gssapi.SecurityContext(name=name, mech=spnego, usage="initiate", creds=credentials,
            flags=[gssapi.RequirementFlag.mutual_authentication]).step()
        file.write(struct.pack("<I", len(token)) + token)
`;

/** Whether one ticket serves for all tokens, as it does for all sign-ins of a client until it expires, or each has its own. */
export type Tickets = 'shared' | 'own';

/**
 * Writes a file of fresh SPNEGO tokens for HTTP/localhost, each after its length in four bytes, little-endian.
 *
 * @param env of a client with a ticket-granting ticket and, for tickets of their own, with no other one: what
 *   `kdc.signIn` gives
 * @returns the path; the next call writes over it
 */
export async function freshTokenFile(
  kdc: Kdc,
  env: Readonly<Record<string, string>>,
  count: number,
  tickets: Tickets = 'shared',
): Promise<string> {
  const path = kdc.file('tokens');
  await runChecked('/usr/bin/python3', ['-c', clientScript, path, String(count), tickets], { env, timeout: 300_000 });
  return path;
}

/** Like freshTokenFile; gives the tokens themselves. */
export async function freshTokens(kdc: Kdc, env: Readonly<Record<string, string>>, count: number): Promise<Buffer[]> {
  return readTokens(await freshTokenFile(kdc, env, count));
}

/** The tokens of a file of freshTokenFile; views of one block. */
export async function readTokens(path: string): Promise<Buffer[]> {
  const bytes = await readFile(path);
  const tokens: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = bytes.readUInt32LE(at);
    tokens.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return tokens;
}
