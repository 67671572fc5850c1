/** The file of a replay cache of MIT krb5, which libkrb5 opens with the first ticket: too late to tell the operator. */
import { closeSync, constants, openSync } from 'node:fs';
import { OptionError } from '../../../foundation/errors.ts';

/**
 * Opens the file that a name such as `file2:/run/app/replay` means, as libkrb5 will, and closes it again.
 *
 * @param name of any replay cache; one that is no file is not looked at
 * @throws OptionError where libkrb5 could not open or make it, and so would refuse every ticket
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
