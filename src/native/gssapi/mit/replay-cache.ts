/**
 * Checks the replay cache of MIT krb5 at start. libkrb5 opens it only when the first ticket arrives. If it cannot be
 * used, libkrb5 refuses every ticket.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { userInfo } from 'node:os';
import { OptionError } from '../../../foundation/errors.ts';
import type { KerberosSettings } from '../call/kerberos-settings.ts';
import type { GssapiLibrary } from '../call/library.ts';
import { profileString } from './profile.ts';

/** A replay cache by the name that libkrb5 will use. */
interface NamedReplayCache {
  readonly name: string;
  /** What named it, for messages: the option, a variable of the environment, or a setting of krb5.conf. */
  readonly namedBy: string | undefined;
}

/**
 * Opens the file of the replay cache in the way of libkrb5, and closes it again. The file is made if it does not exist.
 *
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` with the path and the cure if it cannot be used
 */
export function checkReplayCache(
  library: GssapiLibrary,
  { replayCache, onWarning }: Pick<KerberosSettings, 'replayCache' | 'onWarning'>,
): void {
  const { name, namedBy } =
    replayCache === undefined ? defaultReplayCache(library) : { name: replayCache, namedBy: undefined };
  const [, type, residual = ''] = /^([^:]*):(.*)$/s.exec(name) ?? [];
  switch (type) {
    case 'none':
      if (namedBy !== undefined) {
        onWarning(`sspi-auth: there is no replay cache, because ${namedBy} says so: a token can be accepted twice.`);
      }
      return;
    case 'dfl':
      checkFile(defaultFile(library), { name, namedBy }, true);
      return;
    case 'file2':
      checkFile(residual, { name, namedBy }, false);
      return;
    default:
      throw unusable({ name, namedBy }, 'which libkrb5 does not know', 'Write file2:/path, dfl: or none:.');
  }
}

/** The order in which libkrb5 looks for a name (k5_rc_default). */
function defaultReplayCache(library: GssapiLibrary): NamedReplayCache {
  const named = library.environment('KRB5RCACHENAME');
  if (named !== undefined) return { name: named, namedBy: 'KRB5RCACHENAME' };
  const type = library.environment('KRB5RCACHETYPE');
  if (type !== undefined) return { name: `${type}:`, namedBy: 'KRB5RCACHETYPE' };
  const configured = profileString(library, 'libdefaults', 'default_rcache_name');
  if (configured === undefined) return { name: 'dfl:', namedBy: undefined };
  const namedBy = 'default_rcache_name in krb5.conf';
  return { name: expanded(library, { name: configured, namedBy }), namedBy };
}

/** The file of the type `dfl` (rc_dfl.c). */
function defaultFile(library: GssapiLibrary): string {
  const folder = library.environment('KRB5RCACHEDIR') ?? library.environment('TMPDIR') ?? '/var/tmp';
  return `${folder}/krb5_${process.geteuid?.() ?? 0}.rcache2`;
}

/** Replaces the parameters of krb5.conf(5), "Parameter expansion". Folders of the library are not known here. */
function expanded(library: GssapiLibrary, { name, namedBy }: NamedReplayCache): string {
  return name.replace(/%\{([^}]*)\}/g, (_, parameter: string) => {
    switch (parameter) {
      case 'TEMP':
        return library.environment('TMPDIR') ?? '/tmp';
      case 'uid':
      case 'USERID':
        return String(process.getuid?.() ?? 0);
      case 'euid':
        return String(process.geteuid?.() ?? 0);
      case 'username':
        return userInfo().username;
      case 'null':
        return '';
      default: {
        const problem = `whose parameter ${JSON.stringify(parameter)} is not supported`;
        throw unusable({ name, namedBy }, problem, 'Write a path without it.');
      }
    }
  });
}

function checkFile(path: string, cache: NamedReplayCache, mustBeOwn: boolean): void {
  const where = cache.name === `file2:${path}` ? 'which' : `whose file ${path}`;
  const cure =
    'Name a file in a folder that exists and that this process may write to: replayCache: "file2:/run/app/replay" for ' +
    'this server, KRB5RCACHENAME for the process, default_rcache_name in krb5.conf for the machine. The folder of the ' +
    'default cache is that of KRB5RCACHEDIR, else of TMPDIR, else /var/tmp. ' +
    "Or use provider: 'portable', which has a replay folder of its own.";
  let descriptor: number;
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | (mustBeOwn ? constants.O_NOFOLLOW : 0);
    descriptor = openSync(path, flags, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw unusable(cache, `${where} cannot be opened for writing (${reason})`, cure);
  }
  try {
    const { uid } = fstatSync(descriptor);
    if (mustBeOwn && uid !== process.geteuid?.()) {
      throw unusable(cache, `${where} belongs to another user (uid ${uid})`, `Remove that file. ${cure}`);
    }
  } finally {
    closeSync(descriptor);
  }
}

function unusable({ name, namedBy }: NamedReplayCache, problem: string, cure: string): OptionError {
  const origin = namedBy === undefined ? '' : ` (named by ${namedBy})`;
  return new OptionError('authData.replayCache', `means ${JSON.stringify(name)}${origin}, ${problem}`, cure);
}
