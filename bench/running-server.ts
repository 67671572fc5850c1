/** A server of bench/server.ts in its own process. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ownBuild } from './measured-build.ts';
import type { MeasuredBuild } from './measured-build.ts';
import type { ServerAnswer, ServerKind, ServerQuestion } from './server.ts';

/** The next answer. @throws Error where the server ends instead, or answers something else */
async function next(child: ChildProcess, question: ServerAnswer['question']): Promise<number> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('the measured server ended');
  });
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal }), ended])) as [ServerAnswer];
    if (answer.question !== question) throw new Error(`asked for ${question}, was told ${answer.question}`);
    return answer.value;
  } finally {
    // Takes the other listener away; its promise has nobody left to tell.
    ended.catch(() => undefined);
    waiting.abort();
  }
}

/**
 * V8's young generation at the full size that Node 20 gives it (semi-spaces of 16 MiB) from the start. It grows by what survives collections, at another moment in
 * each process, and a process that has not come as far collects twice as often: six percent of a small request's
 * instructions, and nothing of a server that has run for minutes.
 */
const grownYoungGeneration = '--min-semi-space-size=16';

const compiled = new Map<string, Promise<string>>();

/**
 * bench/server.ts as JavaScript, once per run: what is measured runs without a loader, as it does at its users'. `sspi-auth`
 * and the frameworks stay what is installed and built.
 */
async function compile({ root }: MeasuredBuild): Promise<string> {
  // Within the checkout: `sspi-auth` is there what that checkout has built.
  const outfile = join(root, `.scratch/bench/server-${process.pid}.mjs`);
  await build({
    entryPoints: [fileURLToPath(new URL('server.ts', import.meta.url))],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    // Without the paths of tsconfig.json, which lead to the source.
    tsconfigRaw: '{}',
  });
  process.once('exit', () => rmSync(outfile, { force: true }));
  return outfile;
}

/** The parent's view of it. */
export class RunningServer implements AsyncDisposable {
  readonly kind: ServerKind;
  /** The kind, and of which build it is where that is not ours. */
  readonly name: string;
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(kind: ServerKind, { label }: MeasuredBuild, child: ChildProcess, port: number) {
    this.kind = kind;
    this.name = `${kind}${label}`;
    this.port = port;
    this.#child = child;
  }

  /** Starts one and waits until it listens. */
  static async start(kind: ServerKind, build: MeasuredBuild = ownBuild): Promise<RunningServer> {
    let program = compiled.get(build.root);
    if (program === undefined) {
      program = compile(build);
      compiled.set(build.root, program);
    }
    const child = fork(await program, [kind], { execArgv: ['--expose-gc', '--no-deprecation', grownYoungGeneration] });
    return new RunningServer(kind, build, child, await next(child, 'listening'));
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** Starts one of each kind. */
  static all(kinds: readonly ServerKind[]): Promise<RunningServer[]> {
    return Promise.all(kinds.map((kind) => RunningServer.start(kind)));
  }

  /** Microseconds of processor time it has used, or bytes it holds after collecting garbage. */
  async ask(question: ServerQuestion): Promise<number> {
    this.#child.send(question);
    return next(this.#child, question);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.disconnect();
    await ended;
  }
}
