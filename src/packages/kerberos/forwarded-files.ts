/**
 * The files of forwarded tickets of this provider. Node has no locks of the kernel, so the name of a folder says which
 * process made it: its number, the tick of the clock at which it started, and the namespace in which its number counts.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { DelegatedFiles } from '../../kerberos/delegation/delegated-folder.ts';

/** Not that of the provider over GSSAPI, which would take an unlocked folder for that of a dead process. */
const PREFIX = 'sspi-auth-forwarded-';

/** The start of a process in ticks of the system (proc_pid_stat(5), field 22); undefined if there is no such process. */
function startOf(pid: string): string | undefined {
  try {
    // The name of the program, in parentheses, may hold anything.
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\)/s, '').trim().split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Boot and namespace in which process numbers are those of this process; undefined where the system does not tell. */
function numberSpace(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    const space = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0];
    return space === undefined ? undefined : `${boot}.${space}`;
  } catch {
    return undefined;
  }
}

function ownMark(): string {
  const pid = String(process.pid);
  const space = numberSpace();
  const start = startOf('self');
  return space === undefined || start === undefined ? pid : `${pid}.${start}.${space}`;
}

function hasEnded(name: string): boolean {
  const mark = name.slice(PREFIX.length).replace(/-[^-]*$/, '');
  const [pid = '', start, ...space] = mark.split('.');
  if (start === undefined) return /^\d+$/.test(pid) && numberSpace() === undefined && !isRunning(Number(pid));
  // Of another boot or container nothing is known.
  return space.join('.') === numberSpace() && startOf(pid) !== start;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

let files: DelegatedFiles | undefined;

/** Made when it is first asked for: reading /proc is for those who let clients delegate. */
export function forwardedFiles(): DelegatedFiles {
  files ??= new DelegatedFiles({
    prefix: PREFIX,
    ownPrefix: `${PREFIX}${ownMark()}-`,
    lock: () => 'unavailable',
    isDead: hasEnded,
  });
  return files;
}
