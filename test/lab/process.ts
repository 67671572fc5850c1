/** Child processes: started with their output captured, awaited by a line they print, ended by their own id. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Where and how to run a program. */
export interface ProcessOptions {
  readonly cwd?: string;
  /** Added to the environment of this process; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Written to standard input, which is then closed. Left out: standard input is empty. */
  readonly input?: string | Uint8Array;
  /** Milliseconds after which the program is killed and the call fails. Default 60 000. */
  readonly timeout?: number;
}

/** A program that has ended. */
export interface ProcessResult {
  /** Exit code, or null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface RunningProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it printed up to now. */
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Settles when it has ended, whatever its exit code. */
  readonly ended: Promise<ProcessResult>;
  /**
   * Waits for a line on standard output or standard error.
   *
   * @param timeout milliseconds, default 20 000
   * @throws Error with all the output where the program ends or the time is over before such a line
   */
  waitForLine(pattern: RegExp, timeout?: number): Promise<RegExpMatchArray>;
  /** Calls back for each whole line of standard output, those of the past included. */
  follow(listener: (line: string) => void): void;
  /** Writes to standard input. */
  write(text: string): void;
  /** SIGTERM, and SIGKILL two seconds later; settles when the process has ended. */
  stop(): Promise<ProcessResult>;
}

function environment(changes: ProcessOptions['env']): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = { ...process.env };
  // A test file runs under node --test; a node it starts must not take itself for a part of that.
  delete result['NODE_TEST_CONTEXT'];
  // Nor may it add to the coverage: with a loader between, its lines are others. Node hands this on where it is absent.
  result['NODE_V8_COVERAGE'] = undefined;
  return Object.assign(result, changes);
}

async function spawned(child: ChildProcess, command: string): Promise<number> {
  if (child.pid !== undefined) return child.pid;
  const [error] = (await once(child, 'error')) as [Error];
  throw new Error(`cannot start ${command}: ${error.message}`, { cause: error });
}

/**
 * Starts a program and captures its output as UTF-8.
 *
 * @throws Error where the program cannot be started
 */
export async function startProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<RunningProcess> {
  const child = spawn(command, args, { cwd: options.cwd, env: environment(options.env), stdio: 'pipe' });
  const pid = await spawned(child, command);
  const output = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  let over = false;
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      for (const watcher of watchers) watcher();
    });
  }
  // A program may close its standard input early; that is no error of the test.
  child.stdin.on('error', () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);

  const ended = new Promise<ProcessResult>((resolve) => {
    child.once('close', (code, signal) => {
      over = true;
      resolve({ code, signal, ...output });
      for (const watcher of watchers) watcher();
    });
  });
  const transcript = (): string => `--- stdout\n${output.stdout}\n--- stderr\n${output.stderr}`;

  const waitForLine = (pattern: RegExp, timeout = 20_000): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        watchers.delete(look);
        clearTimeout(timer);
        settle();
      };
      const look = (): void => {
        for (const text of [output.stdout, output.stderr]) {
          // The last piece may be half a line still to come.
          const lines = text.split('\n');
          for (const line of over ? lines : lines.slice(0, -1)) {
            const match = pattern.exec(line);
            if (match !== null) return finish(() => resolve(match));
          }
        }
        if (over) finish(() => reject(new Error(`${command} ended without ${String(pattern)}\n${transcript()}`)));
      };
      const timer = setTimeout(() => {
        finish(() => reject(new Error(`${command}: no ${String(pattern)} in ${timeout} ms\n${transcript()}`)));
      }, timeout);
      watchers.add(look);
      look();
    });

  const stop = async (): Promise<ProcessResult> => {
    if (!over) {
      child.stdin.destroy();
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 2000);
      await ended;
      clearTimeout(hard);
    }
    return ended;
  };
  const dispose = async (): Promise<void> => {
    await stop();
  };
  const follow = (listener: (line: string) => void): void => {
    let told = 0;
    const look = (): void => {
      const whole = output.stdout.split('\n').slice(0, -1);
      for (const line of whole.slice(told)) listener(line);
      told = whole.length;
    };
    watchers.add(look);
    look();
  };
  const write = (text: string): void => {
    child.stdin.write(text);
  };
  return { pid, output, ended, waitForLine, follow, write, stop, [Symbol.asyncDispose]: dispose };
}

/**
 * Runs a program to its end.
 *
 * @throws Error where it cannot be started or takes longer than `timeout`; an exit code is a result, not an error
 */
export async function runProcess(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const { timeout = 60_000 } = options;
  const running = await startProcess(command, args, { ...options, input: options.input ?? '' });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill(running.pid, 'SIGKILL');
  }, timeout);
  const result = await running.ended;
  clearTimeout(timer);
  if (late) throw new Error(`${command} took more than ${timeout} ms\n${result.stdout}\n${result.stderr}`);
  return result;
}

/**
 * Runs a program that must succeed.
 *
 * @returns its standard output
 * @throws Error with its output where the exit code is not 0
 */
export async function runChecked(
  command: string,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await runProcess(command, args, options);
  if (code === 0) return stdout;
  throw new Error(`${command} ${args[0] ?? ''} ended with ${signal ?? String(code)}\n${stdout}\n${stderr}`);
}
