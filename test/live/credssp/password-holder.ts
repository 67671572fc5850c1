/**
 * A server that knows an account by its NT hash alone, in a process of its own: the password is in it only because a
 * client gives it away. Prints `port N`, then a line for each sign-in; `snapshot PATH` on its standard input writes its heap.
 * `release` deletes the context that the last sign-in left.
 */
import { createInterface } from 'node:readline';
import { inspect } from 'node:util';
import { writeHeapSnapshot } from 'node:v8';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { credsspAuthData } from '../../packages/credssp/credssp-server.ts';
import { rdpServer } from './rdp-server.ts';

const ntHash = Buffer.from(process.env['NT_HASH'] ?? '', 'hex');
const accounts = memoryAccounts([{ userName: 'alice', domain: 'LAB', ntHash }]);
const clock = { now: () => Date.now(), elapsed: () => 0 };
const say = (text: string): void => void process.stdout.write(`${text}\n`);

let release: (() => void) | undefined;
const server = await rdpServer(credsspAuthData({}, { accounts, clock }), {
  requirements: Sspi.ASC_REQ_EXTENDED_ERROR | Sspi.ASC_REQ_DELEGATE,
  // The context is kept until it is released, as that of a connection would be.
  signedIn: (context) =>
    new Promise<void>((resolve) => {
      const { value } = Sspi.queryDelegatedCredentials(context);
      release = resolve;
      const length = value?.kind === 'password' ? value.password.byteLength : 0;
      say(
        `signed in with a password of ${length} bytes: ${inspect(value, { breakLength: Infinity, showHidden: true })}`,
      );
    }),
});
say(`port ${server.port}`);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, path] = line.split(' ');
  if (command === 'release') {
    release?.();
    await Promise.all(server.visits.map(({ ended }) => ended));
    say('released');
  }
  if (command === 'snapshot') {
    writeHeapSnapshot(path);
    say(`written ${path ?? ''}`);
  }
}
await server[Symbol.asyncDispose]();
