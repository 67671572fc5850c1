/** Checks the file of a replay cache of MIT krb5 at start. libkrb5 opens it only when the first ticket arrives. */
import { closeSync, constants, openSync } from 'node:fs';
import { OptionError } from '../../../foundation/errors.ts';

/**
 * Opens the file of a replay cache in the way of libkrb5, and closes it again. The file is made if it does not exist.
 *
 * @param name name of a replay cache, such as `file2:/run/app/replay`. Names that are not a file are ignored
 * @throws OptionError `ERR_SSPI_AUTH_OPTION` if the file cannot be opened or made. libkrb5 would then refuse every
 *   ticket
 */
export function checkReplayCacheFile(name: string): void {
  const [, path] = /^file2:(.+)$/s.exec(name) ?? [];
  if (path === undefined) return;
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OptionError(
      'authData.replayCache',
      `is ${JSON.stringify(name)}, which cannot be opened for writing (${reason})`,
      'Name a file in a folder that exists and that this process may write to.',
    );
  }
}
