/**
 * A private network and private folders for servers that insist on well-known ports and paths (Linux, root).
 *
 * The namespaces live as long as a process that reads from this one: they vanish when the test ends, however it ends,
 * and take the processes inside with them.
 */
import { readFile } from 'node:fs/promises';
import { runChecked, runProcess, startProcess } from './process.ts';
import type { ProcessOptions, ProcessResult, RunningProcess } from './process.ts';

/** Options of privateNamespace. */
export interface NamespaceOptions {
  /** Paths that exist, and the files or folders that stand there instead, inside. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Another namespace whose network this one shares; else its network is a loopback interface of its own. */
  readonly network?: Namespace;
}

/** A place to run programs in. */
export interface Namespace extends AsyncDisposable {
  /** Words to put before a command: it then has this network and these folders, and is an ordinary child process. */
  readonly wrapper: readonly string[];
  /** Runs a program to its end among the processes of the namespace. */
  run(command: string, args: readonly string[], options?: ProcessOptions): Promise<ProcessResult>;
  /** Like run, for a program that must succeed; gives its standard output. */
  runChecked(command: string, args: readonly string[], options?: ProcessOptions): Promise<string>;
  /** Starts a program that is ended with the namespace. */
  start(command: string, args: readonly string[], options?: ProcessOptions): Promise<RunningProcess>;
  /** Ends every process inside. */
  close(): Promise<void>;
}

/** Makes a namespace. @throws Error where this process may not, or a mount fails */
export async function privateNamespace(options: NamespaceOptions): Promise<Namespace> {
  const { network, mounts } = options;
  const unshare = ['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child'];
  const words = [...(network?.wrapper ?? []), ...unshare, ...(network === undefined ? ['--net'] : []), 'cat'];
  const holder = await startProcess(words[0] ?? '', words.slice(1));
  try {
    const wrapperOf = (...more: string[]): string[] => ['nsenter', `--target=${inner}`, '--mount', '--net', ...more];
    const inner = await onlyChild(holder);
    const wrapper = [...wrapperOf(), '--'];
    const among = [...wrapperOf('--pid'), '--'];
    const nsenter = among.slice(1);
    for (const [inside, outside] of Object.entries(mounts)) {
      await runChecked('nsenter', [...nsenter, 'mount', '--bind', outside, inside]);
    }
    if (network === undefined) await runChecked('nsenter', [...nsenter, 'ip', 'link', 'set', 'lo', 'up']);
    const close = async (): Promise<void> => {
      await holder.stop();
    };
    return {
      wrapper,
      run: (command, args, own) => runProcess('nsenter', [...nsenter, command, ...args], own),
      runChecked: (command, args, own) => runChecked('nsenter', [...nsenter, command, ...args], own),
      start: (command, args, own) => startProcess('nsenter', [...nsenter, command, ...args], own),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await holder.stop();
    throw error;
  }
}

/** unshare forks: the process inside is its child, and known to the kernel once unshare has made the namespaces. */
async function onlyChild(holder: RunningProcess): Promise<number> {
  // cat answers from within, so by then everything is in place.
  holder.write('inside\n');
  await holder.waitForLine(/^inside$/);
  const children = await readFile(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}
