/** Clients by python3-gssapi over MIT's libgssapi: Kerberos, SPNEGO, and NTLM by Debian's gss-ntlmssp. */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { runChecked, startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** Debian packages of these clients. */
export const gssapiInitiatorPackages: readonly string[] = ['python3', 'python3-gssapi', 'gss-ntlmssp'];

/** What the client is asked to do. */
export interface InitiatorOptions {
  /** Mechanism, dotted: SPNEGO, Kerberos or NTLM. */
  readonly mech: string;
  /** Host-based service. Default `HTTP@localhost`. */
  readonly target?: string;
  /** Mechanisms that SPNEGO offers, in this order. Left out: all it has credentials for. */
  readonly offer?: readonly string[];
  /** Mutual authentication. Default true. */
  readonly mutual?: boolean;
}

/** One line of the client. */
export interface InitiatorLine {
  readonly token?: string | null;
  readonly complete?: boolean;
  readonly error?: string;
  readonly mic?: string;
  readonly wrapped?: string;
  readonly second?: string;
  readonly opened?: string;
  readonly encrypted?: boolean;
}

/** A client process. */
export interface Initiator extends AsyncDisposable {
  /** Its next line; an end without one is an error. */
  next(): Promise<InitiatorLine>;
  answer(line: Readonly<Record<string, unknown>>): void;
}

/** Debian's Python, which has python3-gssapi; another one may come first in PATH. */
export const debianPython = '/usr/bin/python3';

/**
 * @param env KRB5_CONFIG, KRB5CCNAME, GSS_MECH_CONFIG, NTLM_USER_FILE
 */
export async function startInitiator(
  options: InitiatorOptions,
  env: Readonly<Record<string, string>>,
): Promise<Initiator> {
  const script = fileURLToPath(new URL('gssapi-initiator.py', import.meta.url));
  const asked = JSON.stringify({ target: 'HTTP@localhost', ...options });
  const running = await startProcess(debianPython, [script, asked], { env });
  let number = 0;
  return {
    async next() {
      const [line] = await running.waitForLine(new RegExp(`^\\{"n": ${number++}, .*$`));
      return JSON.parse(line) as InitiatorLine;
    },
    answer: (line) => running.write(`${JSON.stringify(line)}\n`),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Where gss-ntlmssp takes its account from; ends with the folder. */
export interface NtlmInitiatorAccount extends AsyncDisposable {
  readonly env: Readonly<Record<string, string>>;
}

/** Lets clients use gss-ntlmssp, which libgssapi loads only where GSS_MECH_CONFIG names it. */
export async function ntlmInitiatorAccount(
  domain: string,
  userName: string,
  password: string,
): Promise<NtlmInitiatorAccount> {
  const files = await runChecked('dpkg', ['-L', 'gss-ntlmssp']);
  const library = files.split('\n').find((path) => path.endsWith('/gssntlmssp.so'));
  if (library === undefined) throw new Error('gss-ntlmssp has no gssntlmssp.so');
  const folder = await scratchFolder('gss-ntlmssp');
  const env = {
    GSS_MECH_CONFIG: folder.file('mech'),
    NTLM_USER_FILE: folder.file('users'),
    KRB5_CONFIG: folder.file('krb5.conf'),
    KRB5CCNAME: `FILE:${folder.file('no-ticket')}`,
  };
  await writeFile(env.GSS_MECH_CONFIG, `gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 ${library}\n`);
  await writeFile(env.NTLM_USER_FILE, `${domain}:${userName}:${password}\n`);
  await writeFile(env.KRB5_CONFIG, '[libdefaults]\n default_realm = NOWHERE.TEST\n dns_lookup_kdc = false\n');
  return { env, [Symbol.asyncDispose]: () => folder.remove() };
}
