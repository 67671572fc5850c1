/** npm, run by the Node that runs the tests, on every system. */
import { basename, dirname, join } from 'node:path';
import { runChecked } from './process.ts';
import type { ProcessOptions } from './process.ts';

/** The script that npm is: that of `npm run`, where this process comes from one. Undefined where only the PATH knows. */
function npmScript(): string | undefined {
  const own = process.env['npm_execpath'];
  if (own !== undefined && basename(own) === 'npm-cli.js') return own;
  // Windows has npm.cmd, which cannot be started without a shell; the script lies beside node.exe.
  if (process.platform === 'win32') return join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js');
  return undefined;
}

/**
 * Runs an npm command that must succeed.
 *
 * @returns its standard output
 * @throws Error with its output where the exit code is not 0
 */
export async function npm(words: readonly string[], options: ProcessOptions = {}): Promise<string> {
  const script = npmScript();
  return script === undefined
    ? runChecked('npm', words, options)
    : runChecked(process.execPath, [script, ...words], options);
}
