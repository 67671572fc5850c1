/** A GSSAPI library in a process of its own, called as a C program calls it: what this library is compared with. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { debianPython } from '../gss-client.ts';
import { runChecked } from '../process.ts';

const script = fileURLToPath(new URL('gss-library.py', import.meta.url));

/** A token, and whether the channel bindings of the acceptor are to be compared. */
export interface AskedToken {
  readonly token: Uint8Array;
  readonly isBound: boolean;
}

/** What gss_accept_sec_context came to. */
export interface LibraryAnswer {
  /** GSS_S_COMPLETE, and no PAC that did not verify. */
  readonly isAccepted: boolean;
  /** The library has ended its process. */
  readonly hasCrashed: boolean;
  readonly major: number;
  /** Text of the failure. */
  readonly why: string;
  /** GSS_C_* bits. */
  readonly flags: number;
  /** As gss_display_name has it. */
  readonly client: string;
  readonly output: Buffer;
}

/** An acceptor with the default credential of the library. */
export interface LibraryAcceptor extends AsyncDisposable {
  /** Answers in the order of the tokens. */
  accept(tokens: readonly AskedToken[]): Promise<LibraryAnswer[]>;
}

/**
 * Starts an acceptor.
 *
 * @param library such as `libgssapi_krb5.so.2`
 * @param env with KRB5_CONFIG and KRB5_KTNAME
 * @param bindings application data of the channel bindings
 */
export function startLibraryAcceptor(
  library: string,
  env: Readonly<Record<string, string>>,
  bindings: string,
): LibraryAcceptor {
  let running = start();
  function start(): Running {
    const child = spawn(debianPython, [script, library, 'accept', bindings], {
      env: { ...process.env, ...env, KRB5RCACHENAME: 'none:' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const started: Running = {
      child,
      ended: once(child, 'close'),
      received: Buffer.alloc(0),
      arrived: () => undefined,
    };
    child.stdout.on('data', (data: Buffer) => {
      started.received = Buffer.concat([started.received, data]);
      started.arrived();
    });
    child.on('close', () => {
      started.arrived();
    });
    // Writing to a process that has ended: the end says it.
    child.stdin.on('error', () => undefined);
    return started;
  }
  return {
    async accept(tokens) {
      const answers: LibraryAnswer[] = [];
      running.child.stdin.write(batchOf(tokens));
      let at = 0;
      while (answers.length < tokens.length) {
        const read = readAnswer(running.received, at);
        if (read !== undefined) {
          answers.push(read.answer);
          at = read.end;
          continue;
        }
        running.received = running.received.subarray(at);
        at = 0;
        const { exitCode, signalCode } = running.child;
        if (signalCode !== null) {
          // The library has crashed at this token. The rest is for another process.
          answers.push(crashed(signalCode));
          running = start();
          running.child.stdin.write(batchOf(tokens.slice(answers.length)));
          continue;
        }
        if (exitCode !== null) throw new Error(`${library} ended with ${exitCode}`);
        await new Promise<void>((resolve) => (running.arrived = resolve));
      }
      running.received = running.received.subarray(at);
      return answers;
    },
    async [Symbol.asyncDispose]() {
      running.child.stdin.end();
      await running.ended;
    },
  };
}

/** One process of the library. */
interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly ended: Promise<unknown>;
  received: Buffer;
  arrived: () => void;
}

function crashed(signal: string): LibraryAnswer {
  const why = `the process was ended by ${signal}`;
  return { isAccepted: false, hasCrashed: true, major: -1, why, flags: 0, client: '', output: Buffer.alloc(0) };
}

function batchOf(tokens: readonly AskedToken[]): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(tokens.length);
  const parts: Uint8Array[] = [count];
  for (const { token, isBound } of tokens) {
    const head = Buffer.alloc(5);
    head[0] = isBound ? 1 : 0;
    head.writeUInt32LE(token.byteLength, 1);
    parts.push(head, token);
  }
  return Buffer.concat(parts);
}

function readAnswer(
  bytes: Buffer,
  start: number,
): { readonly answer: LibraryAnswer; readonly end: number } | undefined {
  let at = start + 16;
  const parts: Buffer[] = [];
  for (let part = 0; part < 3; part++) {
    if (at + 4 > bytes.byteLength) return undefined;
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.byteLength) return undefined;
    parts.push(bytes.subarray(at + 4, end));
    at = end;
  }
  const [why = '', client = '', output = Buffer.alloc(0)] = parts;
  const major = bytes.readUInt32LE(start);
  const isAccepted = major === 0 && bytes.readUInt32LE(start + 12) !== 2;
  const answer = {
    isAccepted,
    hasCrashed: false,
    major,
    why: major === 0 && !isAccepted ? 'the PAC does not verify' : why.toString('latin1'),
    flags: bytes.readUInt32LE(start + 8),
    client: client.toString('latin1'),
    output: Buffer.from(output),
  };
  return { answer, end: at };
}

/** What a library's client is asked for. */
export interface LibraryInitiate {
  /** `service@host`. */
  readonly target: string;
  readonly count: number;
  /** GSS_C_* bits. */
  readonly flags: number;
}

/**
 * First tokens of a library's client.
 *
 * @param env with KRB5_CONFIG and KRB5CCNAME
 */
export async function libraryTokens(
  library: string,
  env: Readonly<Record<string, string>>,
  { target, count, flags }: LibraryInitiate,
): Promise<Buffer[]> {
  const words = [script, library, 'initiate', target, String(count), String(flags)];
  const lines = (await runChecked(debianPython, words, { env })).trim().split('\n');
  return lines.map((line) => Buffer.from(line, 'hex'));
}
