#!/usr/bin/env node
/**
 * The command `sspi-auth`. Exit codes: 0 done, 1 a token that cannot be decoded or a file that cannot be used, 2 a
 * command line that is wrong.
 */
import { text } from 'node:stream/consumers';
import { MalformedTokenError } from '../foundation/errors.ts';
import { parseCommandLine, usage, UsageError } from './command-line.ts';
import { decodeText } from './decode.ts';
import { runDemo } from './demo.ts';
import { createKeytab } from './keytab-create.ts';
import { listKeytab } from './keytab-list.ts';
import { readPassword } from './password-input.ts';
import { CommandError } from './usage-error.ts';
import { packageVersion } from './package-version.ts';

async function run(words: readonly string[]): Promise<void> {
  const command = parseCommandLine(words);
  switch (command.type) {
    case 'help':
      process.stdout.write(usage);
      break;
    case 'version':
      process.stdout.write(`${packageVersion()}\n`);
      break;
    case 'decode':
      if (command.text === undefined && process.stdin.isTTY) {
        process.stderr.write('Paste a token or header fields, then press Ctrl-D.\n');
      }
      process.stdout.write(decodeText(command.text ?? (await text(process.stdin))));
      break;
    case 'keytab list': {
      const { text: listing, warning } = listKeytab(command.file);
      process.stdout.write(listing);
      if (warning !== undefined) process.stderr.write(`sspi-auth: warning: ${warning}\n`);
      break;
    }
    case 'keytab create':
      process.stdout.write(createKeytab(command.options, await readPassword(process.stdin, process.stderr)));
      break;
    case 'demo':
      await runDemo(command.options, packageVersion(), process);
      break;
  }
}

// If the reader of a pipe has ended (`sspi-auth decode | head`), that is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`sspi-auth: ${error.message}\nTry sspi-auth --help\n`);
    process.exitCode = 2;
  } else if (error instanceof MalformedTokenError) {
    process.stderr.write(`sspi-auth: cannot decode this: ${error.message}\n`);
    process.exitCode = 1;
  } else if (error instanceof CommandError) {
    process.stderr.write(`sspi-auth: ${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
