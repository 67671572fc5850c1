/** `sspi-auth demo`: starts the server, prints what can be tried, and ends on Ctrl-C. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MemoryAccount } from '../index.ts';
import { isLoopback, UsageError } from './command-line.ts';
import type { DemoCommandOptions } from './command-line.ts';
import { journal, startText } from './demo-journal.ts';
import { createDemoServer } from './demo-server.ts';

/** Where the demo prints. A process has these streams. */
export interface DemoOutput {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Port that is tried first, and how many after it. */
const FIRST_PORT = 8080;
const PORTS_TRIED = 20;

/** Letters and digits that cannot be taken for each other. */
const passwordAlphabet = 'abcdefghjkmnpqrstuvwxyz23456789';
const PASSWORD_CHARACTERS = 12;

/**
 * Runs the demo until the process is told to end.
 *
 * @throws UsageError where the port or the address cannot be listened on
 */
export async function runDemo(options: DemoCommandOptions, version: string, output: DemoOutput): Promise<void> {
  const accounts = [
    { userName: 'alice', displayName: 'Alice Adams', groups: ['Engineers', 'Everyone'] },
    { userName: 'bob', displayName: 'Bob Baker', groups: ['Everyone'] },
  ].map((account) => ({ ...account, password: options.password ?? randomPassword() }) satisfies MemoryAccount);
  const print = (line: string): void => void output.stdout.write(`${line}\n`);
  const demo = createDemoServer({ accounts, logger: journal(print, () => new Date()) });
  try {
    await listen(demo.server, options);
  } catch (error) {
    demo.close();
    throw error;
  }
  const origin = originOf(demo.server.address() as AddressInfo);
  if (!isLoopback(options.host)) {
    output.stderr.write(
      `Warning: ${options.host} can be reached from other machines, and the demo speaks plain HTTP. Use it on a network you trust.\n\n`,
    );
  }
  const { paths } = demo;
  print(startText({ version, origin, accounts, paths, windows: process.platform === 'win32' }));
  await interruption();
  demo.close();
  print('Ended.');
}

/** Waits for Ctrl-C or SIGTERM. A second Ctrl-C ends the process at once, because there is no listener any more. */
async function interruption(): Promise<void> {
  const either = new AbortController();
  const { signal } = either;
  try {
    await Promise.race([once(process, 'SIGINT', { signal }), once(process, 'SIGTERM', { signal })]);
  } finally {
    either.abort();
  }
}

async function listen(server: Server, { port, host }: DemoCommandOptions): Promise<void> {
  const first = port ?? FIRST_PORT;
  const last = port === undefined ? first + PORTS_TRIED : first;
  for (let candidate = first; ; candidate++) {
    try {
      server.listen(candidate, host);
      await once(server, 'listening');
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EADDRINUSE' && candidate < last) continue;
      const cure = code === 'EADDRINUSE' ? 'another program has it; give another --port' : (code ?? String(error));
      throw new UsageError(`cannot listen on ${host}, port ${candidate}: ${cure}`);
    }
  }
}

/** The address to open. A server that listens on every address is reached at the loopback address. */
function originOf({ address, family, port }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}

function randomPassword(): string {
  return Array.from({ length: PASSWORD_CHARACTERS }, () => passwordAlphabet[randomInt(passwordAlphabet.length)]).join(
    '',
  );
}
