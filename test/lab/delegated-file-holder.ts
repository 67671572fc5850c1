/**
 * A process with a file in its folder for delegated tickets. It prints the path, and lives until its standard input
 * ends or a signal ends it. The first word says what it does besides, the second names the temporary folder.
 */
import { writeFileSync } from 'node:fs';
import { lockedFiles } from '../../src/native/gssapi/delegation/locked-files.ts';

process.env['TMPDIR'] = process.argv[3];
const { path } = lockedFiles.newFile();
writeFileSync(path, 'a ticket');

const [, , what] = process.argv;
if (what === 'exits') process.exitCode = 7;
if (what === 'throws') {
  queueMicrotask(() => {
    throw new Error('uncaught');
  });
}
if (what === 'goes on at SIGTERM') {
  let times = 0;
  process.on('SIGTERM', () => process.stdout.write(`still here ${++times}\n`));
}
if (what === 'exits if nobody else listens') {
  process.on('SIGTERM', () => {
    if (process.listenerCount('SIGTERM') === 1) process.exit(9);
  });
}
process.stdout.write(`path ${path}\n`);
if (what !== 'exits') process.stdin.resume();
