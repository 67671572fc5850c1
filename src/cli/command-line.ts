/** The command line of `sspi-auth`, read and checked. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';

/** What the user asked for. */
export type Command =
  | { readonly type: 'help' }
  | { readonly type: 'version' }
  | { readonly type: 'demo'; readonly options: DemoCommandOptions }
  /** `text` undefined: read standard input. */
  | { readonly type: 'decode'; readonly text: string | undefined };

/** Options of `sspi-auth demo`. */
export interface DemoCommandOptions {
  /** Undefined: 8080, or the next port that is free. 0: any port that is free. */
  readonly port: number | undefined;
  readonly host: string;
  /** The password of both accounts. Undefined: a random one for each. */
  readonly password: string | undefined;
}

/** A command line that cannot be understood. The message says why and, if possible, what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
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
      if (rest[0] !== undefined) throw new UsageError(`demo takes no argument ${JSON.stringify(rest[0])}`);
      return { type: 'demo', options: demoOptions(values) };
    case 'decode': {
      for (const option of ['port', 'host', 'password'] as const) {
        if (values[option] !== undefined) throw new UsageError(`decode has no option --${option}`);
      }
      const text = rest.join(' ');
      return { type: 'decode', text: text === '' || text === '-' ? undefined : text };
    }
    default:
      throw new UsageError(`unknown command ${JSON.stringify(name)}; the commands are demo and decode`);
  }
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
