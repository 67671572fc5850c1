/** The command line of `sspi-auth`, read and checked. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { keytabCreateOptions } from './keytab-arguments.ts';
import type { KeytabCreateOptions } from './keytab-arguments.ts';
import { UsageError } from './usage-error.ts';

export { UsageError };

/** What the user asked for. */
export type Command =
  | { readonly type: 'help' }
  | { readonly type: 'version' }
  | { readonly type: 'demo'; readonly options: DemoCommandOptions }
  /** `text` undefined: read standard input. */
  | { readonly type: 'decode'; readonly text: string | undefined }
  | { readonly type: 'keytab list'; readonly file: string }
  | { readonly type: 'keytab create'; readonly options: KeytabCreateOptions };

/** Options of `sspi-auth demo`. */
export interface DemoCommandOptions {
  /** Undefined: 8080, or the next port that is free. 0: any port that is free. */
  readonly port: number | undefined;
  readonly host: string;
  /** The password of both accounts. Undefined: a random one for each. */
  readonly password: string | undefined;
}

/** The text of `sspi-auth --help`. */
export const usage = `sspi-auth: Windows-integrated sign-on for Node.js servers

Usage:
  sspi-auth demo [--port <number>] [--host <address>] [--password <text>]
      Start a server on this machine that asks who you are and shows every
      leg of the handshake. Ctrl-C ends it.
        --port      port to listen on; default: 8080, or the next that is free
        --host      address to listen on; default: 127.0.0.1
        --password  password of the accounts alice and bob; default: random

  sspi-auth decode [<token>]
      Show an NTLM, SPNEGO or Kerberos token in base64 or hexadecimal, or an
      Authorization or WWW-Authenticate field, as a tree. Without a token it
      reads standard input: what curl -v prints will do.

  sspi-auth keytab list <file>
      Show the keys of a keytab: kvno, encryption type, date, principal, and
      which of them are weak. Never the keys themselves.

  sspi-auth keytab create <file> --realm <REALM> --account <name>
                          --service <class/host> [--service ...] [options]
      Write the keytab of a service account from its password, which is asked
      for without echo, or read from the first line of standard input.
        --realm     realm of the account, such as EXAMPLE.COM
        --account   Active Directory: userPrincipalName if the account has
                    one, else sAMAccountName (WEB$ for a computer); MIT krb5
                    and Heimdal: the principal
        --service   service principal name, such as HTTP/web.example.com
        --kvno      version of the key; default: any
        --salt      salt of the password, if account and realm do not give it
        --types     encryption types, separated by commas: aes256-sha1,
                    aes128-sha1, aes256-sha2, aes128-sha2, rc4; default: the
                    first two
        --force     replace a file that is there

  sspi-auth --help | --version
`;

/**
 * Reads a command line.
 *
 * @param words what follows the name of the program
 * @throws UsageError if it cannot be understood
 */
export function parseCommandLine(words: readonly string[]): Command {
  const { values, positionals } = parse(words);
  if (values.help === true) return { type: 'help' };
  if (values.version === true) return { type: 'version' };
  const [name, ...rest] = positionals;
  switch (name) {
    case undefined:
      throw new UsageError('no command given');
    case 'demo':
      refuseOptions('demo', values, ['port', 'host', 'password']);
      if (rest[0] !== undefined) throw new UsageError(`demo takes no argument ${JSON.stringify(rest[0])}`);
      return { type: 'demo', options: demoOptions(values) };
    case 'decode': {
      refuseOptions('decode', values, []);
      const text = rest.join(' ');
      return { type: 'decode', text: text === '' || text === '-' ? undefined : text };
    }
    case 'keytab':
      return keytabCommand(rest, values);
    default:
      throw new UsageError(`unknown command ${JSON.stringify(name)}; the commands are demo, decode and keytab`);
  }
}

function keytabCommand([name, file, ...more]: readonly string[], values: Values): Command {
  if (name !== 'list' && name !== 'create') {
    const given = name === undefined ? 'no command of keytab given' : `unknown command keytab ${JSON.stringify(name)}`;
    throw new UsageError(`${given}; the commands are keytab list and keytab create`);
  }
  if (file === undefined || file === '') throw new UsageError(`keytab ${name} needs the path of a keytab`);
  if (more[0] !== undefined) throw new UsageError(`keytab ${name} takes no argument ${JSON.stringify(more[0])}`);
  if (name === 'list') {
    refuseOptions('keytab list', values, []);
    return { type: 'keytab list', file };
  }
  if (values.password !== undefined) {
    // Every user of the machine can see the words of a command line.
    throw new UsageError('keytab create takes no --password; it asks for it, or reads it from standard input');
  }
  const own = ['realm', 'account', 'service', 'kvno', 'salt', 'types', 'force'] as const;
  refuseOptions('keytab create', values, own);
  return { type: 'keytab create', options: keytabCreateOptions(file, values) };
}

/** Refuses options that a command does not have. */
function refuseOptions(command: string, values: Values, own: readonly (keyof Values)[]): void {
  const foreign = Object.keys(values).find((name) => !(own as readonly string[]).includes(name));
  if (foreign !== undefined) throw new UsageError(`${command} has no option --${foreign}`);
}

/** Whether an address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost' || host === '::1') return true;
  return isIP(host) === 4 && host.startsWith('127.');
}

interface Values {
  readonly help?: boolean | undefined;
  readonly version?: boolean | undefined;
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly password?: string | undefined;
  readonly realm?: string | undefined;
  readonly account?: string | undefined;
  readonly service?: string[] | undefined;
  readonly kvno?: string | undefined;
  readonly salt?: string | undefined;
  readonly types?: string | undefined;
  readonly force?: boolean | undefined;
}

function parse(words: readonly string[]): { readonly values: Values; readonly positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        port: { type: 'string', short: 'p' },
        host: { type: 'string' },
        password: { type: 'string' },
        realm: { type: 'string' },
        account: { type: 'string' },
        service: { type: 'string', multiple: true },
        kvno: { type: 'string' },
        salt: { type: 'string' },
        types: { type: 'string' },
        force: { type: 'boolean' },
      },
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // The first sentence says what is wrong; what follows is about positional arguments.
    throw new UsageError(error.message.split(/\. |\n/, 1)[0] ?? 'unknown option');
  }
}

function demoOptions({ port, host, password }: Values): DemoCommandOptions {
  if (port !== undefined && (!/^\d{1,5}$/.test(port) || Number(port) > 65535)) {
    throw new UsageError(`--port is ${JSON.stringify(port)}; give a number from 0 to 65535`);
  }
  if (host !== undefined && !/^[0-9A-Za-z._:-]+$/.test(host)) {
    throw new UsageError(`--host is ${JSON.stringify(host)}; give an address such as 127.0.0.1`);
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (password !== undefined && (password === '' || /[\u0000-\u001f\u007f]/.test(password))) {
    throw new UsageError('--password is empty or has a control character; give some text');
  }
  return { port: port === undefined ? undefined : Number(port), host: host ?? '127.0.0.1', password };
}
