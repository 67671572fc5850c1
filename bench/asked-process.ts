/** A program that answers each line with a number, for as long as it is asked. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

export class AskedProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  /**
   * Starts it; what it writes to standard error is seen.
   *
   * @param env of its own, whole
   */
  constructor(command: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    this.#name = command;
    this.#child = spawn(command, words, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    // One that ended is found out by the answer that does not come.
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('error', () => undefined);
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** @throws Error where it ends instead of answering, or answers no number */
  async ask(line: string): Promise<number> {
    this.#child.stdin.write(`${line}\n`);
    const answer = await this.#answers.next();
    const value = answer.done === true ? Number.NaN : Number.parseFloat(answer.value);
    if (Number.isNaN(value)) throw new Error(`${this.#name} gave no number for ${JSON.stringify(line)}`);
    return value;
  }

  /** It ends when nobody can ask it any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
  }
}
