/** The command line of the scripts: `--user CORP\alice`, with the password in the variable SSPI_AUTH_KIT_PASSWORD. */
import { parseArgs } from 'node:util';

/** The schemes that curl and Edge sign in by through Windows. */
export type ClientScheme = 'NTLM' | 'Negotiate';

/** An account to sign in with. */
export interface Credentials {
  /** `DOMAIN\user`. */
  readonly user: string;
  readonly password: string;
}

export interface Settings {
  /** Undefined: the clients sign in as the user that runs them. */
  readonly credentials: Credentials | undefined;
  /** `outside`: the script starts no client, and waits for one. */
  readonly client: 'curl' | 'outside';
  readonly browser: boolean;
  /** Those that the clients sign in by: both, unless one is named. */
  readonly schemes: readonly ClientScheme[];
  /** 0: any free port. */
  readonly port: number;
  /** An option of the script's own. */
  own(name: string): string | undefined;
  /** An own option that is a number. */
  number(name: string, otherwise: number): number;
}

/**
 * Reads the command line.
 *
 * @param names of the script's own options
 * @throws TypeError for an option that there is not, and for a value that cannot be used
 */
export function readSettings(...names: readonly string[]): Settings {
  const known = ['user', 'client', 'browser', 'scheme', 'port', ...names];
  const options = Object.fromEntries(known.map((name) => [name, { type: 'string' as const }]));
  const values: Record<string, string | undefined> = parseArgs({ options }).values;
  const oneOf = <T extends string>(name: string, ...allowed: readonly [T, ...T[]]): T => {
    const found = allowed.find((value) => value === (values[name] ?? allowed[0]));
    if (found === undefined) throw new TypeError(`--${name} is one of: ${allowed.join(', ')}`);
    return found;
  };
  const number = (name: string, otherwise: number): number => {
    const value = Number(values[name] ?? otherwise);
    if (!Number.isInteger(value) || value < 0) throw new TypeError(`--${name} is a whole number`);
    return value;
  };
  const scheme = oneOf('scheme', 'both', 'NTLM', 'Negotiate');
  const { user } = values;
  const password = process.env['SSPI_AUTH_KIT_PASSWORD'];
  if (user !== undefined && password === undefined) {
    throw new TypeError('--user needs the password of the account in the variable SSPI_AUTH_KIT_PASSWORD');
  }
  return {
    credentials: user === undefined || password === undefined ? undefined : { user, password },
    client: oneOf('client', 'curl', 'outside'),
    browser: oneOf('browser', 'edge', 'none') === 'edge',
    schemes: scheme === 'both' ? ['NTLM', 'Negotiate'] : [scheme],
    port: number('port', 0),
    own: (name) => values[name],
    number,
  };
}
