/** Debian's xfreerdp, which speaks CredSSP before it draws anything. It needs a display all the same. */
import { runProcess, startProcess } from './process.ts';
import type { ProcessResult } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** Whom xfreerdp signs in, and how. */
export interface FreeRdpOptions {
  readonly port: number;
  readonly user: string;
  readonly domain?: string;
  readonly password: string;
  /** Further words of its command line, such as `/restricted-admin`. */
  readonly words?: readonly string[];
}

/** A display, and a home of its own for what xfreerdp writes. */
export interface FreeRdp extends AsyncDisposable {
  /** Runs it until it ends, which is when the server closes the connection. */
  signIn(options: FreeRdpOptions): Promise<ProcessResult>;
}

/** Starts Xvfb on a display that is free. */
export async function startFreeRdp(): Promise<FreeRdp> {
  const folder = await scratchFolder('freerdp');
  const screen = ['-screen', '0', '640x480x16', '-nolisten', 'tcp'];
  const display = await startProcess('Xvfb', ['-displayfd', '1', ...screen]);
  const [, number = ''] = await display.waitForLine(/^(\d+)$/);
  return {
    signIn({ port, user, domain, password, words = [] }) {
      const account = [`/u:${user}`, ...(domain === undefined ? [] : [`/d:${domain}`])];
      // The password comes by standard input: a process list shows what is on a command line.
      const args = [`/v:127.0.0.1:${port}`, '/cert:ignore', '/sec:nla', '/from-stdin:force', ...account, ...words];
      const env = { HOME: folder.path, DISPLAY: `:${number}`, XDG_RUNTIME_DIR: folder.path };
      return runProcess('xfreerdp', args, { env, input: `${password}\n`, timeout: 30_000 });
    },
    async [Symbol.asyncDispose]() {
      await display.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
