/** Which processor runs what: a server and its load must not take turns on one, nor wander between two. */
import { PackagesUnavailableError } from '../test/lab/debian.ts';
import { runChecked } from '../test/lab/process.ts';

/** Debian package of taskset. */
export const processorPackages = ['util-linux'];

/** One processor for the load, another for the server that is measured. */
interface Processors {
  readonly load: number;
  readonly server: number;
  /** All that this process may use, as taskset writes them: to go back to. */
  readonly all: string;
}

/**
 * The first two processors that this process may use.
 *
 * @throws PackagesUnavailableError where it may use one alone
 */
export async function twoProcessors(): Promise<Processors> {
  const printed = await runChecked('taskset', ['-cp', String(process.pid)]);
  const list = printed.slice(printed.lastIndexOf(':') + 1).trim();
  const all = list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  const [load, server] = all;
  if (load === undefined || server === undefined) {
    throw new PackagesUnavailableError('needs two processors: one for the server, one for the load');
  }
  return { load, server, all: list };
}

/** Moves every thread of a process to a processor, or to several; what it starts from then on stays there as well. */
export async function pin(pid: number, processors: number | string): Promise<void> {
  await runChecked('taskset', ['-a', '-cp', String(processors), String(pid)]);
}
