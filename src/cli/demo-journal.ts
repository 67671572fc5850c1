/** What the demo prints: how to try it, and who signs in. */
import type { Logger } from '../index.ts';
import type { AuditRecord } from '../authenticator/audit.ts';
import type { DemoPath } from './demo-page.ts';
import { printable } from '../foundation/text.ts';

/** An account as it is printed. */
export interface PrintedAccount {
  readonly userName: string;
  readonly password: string;
}

/** What the text at start tells about a demo that listens. */
export interface DemoStart {
  readonly version: string;
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly origin: string;
  readonly accounts: readonly PrintedAccount[];
  readonly paths: readonly DemoPath[];
  /** Whether the shell is that of Windows, which has other rules for quoting. */
  readonly windows: boolean;
}

/** The lines printed at start: accounts, and a command for each scheme, with the right password and a wrong one. */
export function startText({ version, origin, accounts, paths, windows }: DemoStart): string {
  const width = Math.max(...accounts.map(({ userName }) => userName.length));
  const [first] = accounts;
  const commands = paths.flatMap(({ path, label, schemes }) => {
    if (first === undefined) return [];
    // Kerberos needs a ticket, not a password.
    const option = schemes.length > 1 ? '--anyauth' : curlOptions.get(schemes[0] ?? '');
    if (option === undefined) return [];
    const curl = (password: string): string =>
      `curl ${option} -u ${quoted(`${first.userName}:${password}`, windows)} ${origin}${path}`;
    return [`  ${label}`, `    ${curl(first.password)}`, `    ${curl('wrong')}`];
  });
  return [
    `sspi-auth ${version} demo`,
    '',
    `  ${origin}/`,
    '',
    'Accounts',
    ...accounts.map(({ userName, password }) => `  ${userName.padEnd(width)}  ${password}`),
    '',
    'Open the address in a browser, or try in another terminal, with the right password and a wrong one:',
    ...commands,
    '',
    'Ctrl-C ends it. Sign-ins and refusals:',
    '',
  ].join('\n');
}

/** curl's option for each scheme that takes a password. */
const curlOptions: ReadonlyMap<string, string> = new Map([
  ['NTLM', '--ntlm'],
  ['Digest', '--digest'],
]);

/** Quotes a word for the shell, if it must be quoted. */
function quoted(word: string, windows: boolean): string {
  if (/^[\w:.@%+=/-]+$/.test(word)) return word;
  return windows ? `"${word.replaceAll('"', '""')}"` : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * A logger that prints one readable line for each sign-in, each refusal and each failure of this server.
 *
 * @param print takes a line without its end
 * @param now local time
 */
export function journal(print: (line: string) => void, now: () => Date): Logger {
  const entry = (what: string, record: object): void => {
    // What the log tells of the server, the demo tells itself.
    if (!('durationMilliseconds' in record)) return;
    const { account, scheme, peer, reason, durationMilliseconds, diagnosis } = record as Partial<AuditRecord>;
    const time = now().toTimeString().slice(0, 8);
    const words = [
      time,
      what.padEnd(9),
      printable(account ?? '(no name)').padEnd(16),
      (scheme ?? '-').padEnd(9),
      peer ?? '-',
      `${(durationMilliseconds ?? 0).toFixed(1)} ms`,
    ];
    if (reason !== undefined && reason !== 'SEC_E_OK') words.push(reason);
    if (diagnosis !== undefined) words.push(`(${printable(diagnosis, 1024)})`);
    print(words.join('  '));
  };
  return {
    info: (record) => entry('signed in', record),
    warn: (record) => entry('refused', record),
    error: (record, message) => {
      const { err } = record as { readonly err?: unknown };
      print(err instanceof Error ? `${message}: ${printable(String(err), 1024)}` : message);
    },
  };
}
