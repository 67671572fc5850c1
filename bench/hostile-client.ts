/**
 * A hostile client: `hostile-client.ts PORT`. It does everything wrong at once, from many addresses of loopback. For
 * each line of standard input, a number of connections, it makes that many and prints how many got in, which is to be 0.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { ntlmAnswer, ntlmField, ntlmFirst } from './ntlm-sign-in.ts';

const port = Number(process.argv[2]);
/** Connections at once. */
const atOnce = 256;
/** 127.0.0.2 and those after it. */
const addresses = 200;

const first = ntlmField(ntlmFirst);
const head = (fields: string, method = 'GET'): string => `${method} / HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n\r\n`;
const signIn = (value: string): string => head(`Authorization: ${value}`);
const last = 'TlRMTVNTUAADAAAAGAAYAEAAAAAYABgAWAAAAAgACABwAAAACgAKAHgAAAAAAAAAggAAAAAAAACCAAAAAYIIAA==';
const forgedNonce = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA';
const digest =
  `Digest username="alice", realm="x", nonce="${forgedNonce}", uri="/", qop=auth, nc=00000001, cnonce="c", ` +
  `response="${'0'.repeat(64)}", algorithm=SHA-256`;

/** What is written at once, and what comes of the answer. */
interface Attack {
  readonly bytes: string | Buffer;
  /** Written one after the other, 5 ms apart: a slow client. */
  readonly slowly?: readonly string[];
  /** What is written when an answer came. */
  readonly then?: (answer: string) => string;
  /** Whether the client reads at all. */
  readonly deaf?: boolean;
}

const attacks: readonly Attack[] = [
  { bytes: '' },
  { bytes: signIn(first) },
  { bytes: signIn(first.slice(0, first.length >> 1)) },
  { bytes: signIn(first).slice(0, 90) },
  { bytes: head(`Authorization: NTLM ${'A'.repeat(100_000)}`) },
  { bytes: head(`${'X-Long: y\r\n'.repeat(3000)}X: z`) },
  { bytes: head(`Authorization: ${first}\r\nAuthorization: ${first}`) },
  { bytes: signIn(first) + signIn(first) + signIn(`NTLM ${last}`) },
  { bytes: signIn(`NTLM ${last}`) + head('X: y') },
  { bytes: signIn('Negotiate YIIAAA==') + signIn(`Negotiate ${first.slice(5)}`) },
  { bytes: signIn(digest) + signIn(digest.replace('realm', 'realm="y", realm')) },
  { bytes: signIn(first), then: () => signIn(`NTLM ${last}`) },
  // A right answer to the challenge with one bit of its proof changed.
  { bytes: signIn(first), then: (answer) => signIn(wrongAnswer(answer)) },
  { bytes: signIn(first), then: () => head('X: y') + signIn(`NTLM ${last}`) },
  { bytes: signIn(first), then: () => 'NO HTTP AT ALL\r\n\r\n' },
  { bytes: head('Content-Length: 1000000', 'POST'), slowly: ['a', 'b', 'c', 'd'] },
  { bytes: head(`Authorization: ${first}\r\nContent-Length: 300000`, 'POST'), slowly: ['x'.repeat(1000), 'y'] },
  { bytes: Buffer.concat([Buffer.from(head('Content-Length: 200000', 'POST')), Buffer.alloc(200_000)]), deaf: true },
  { bytes: head('Transfer-Encoding: chunked', 'POST'), slowly: ['5\r\nab', 'cde\r\n', 'xyz\r\n'] },
  { bytes: head('Expect: 100-continue\r\nContent-Length: 10', 'POST') },
  { bytes: head(`Authorization: ${first}\r\nExpect: 100-continue\r\nContent-Length: 10`, 'POST'), slowly: ['1', '2'] },
  { bytes: head('Content-Length: 5\r\nTransfer-Encoding: chunked', 'POST') },
  { bytes: head('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13') },
  { bytes: Buffer.from('16030100c8010000c40303', 'hex') },
  { bytes: head('X: y').repeat(50), deaf: true },
  { bytes: 'G', slowly: ['E', 'T', ' ', '/'] },
];

function wrongAnswer(answer: string): string {
  const challenge = /www-authenticate: (NTLM [\w+/=]+)/i.exec(answer)?.[1];
  if (challenge === undefined) return `NTLM ${last}`;
  const message = Buffer.from(ntlmAnswer(challenge));
  const proof = message.readUInt32LE(24);
  message.writeUInt8(message.readUInt8(proof) ^ 1, proof);
  return ntlmField(message);
}

let admitted = 0;
let made = 0;

/** Makes the next connection; settled when it is over. */
function attack(): Promise<void> {
  const number = made++;
  // Each attack comes with each ending, and from each address.
  const chosen = attacks[number % attacks.length] as Attack;
  const ending = Math.floor(number / attacks.length) % 4;
  const localAddress = `127.0.0.${2 + (number % addresses)}`;
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
    // After FIN libuv refuses to reset (uv_tcp_close_reset: EINVAL), and Node 20 then never emits 'close'.
    const given = setTimeout(() => {
      socket.destroy();
      resolve();
    }, 1000);
    socket
      .on('error', () => undefined)
      .once('close', () => {
        clearTimeout(given);
        resolve();
      });
    socket.once('connect', () => play(socket, chosen, ending));
  });
}

/** How a connection ends: a reset at once, one in the midst of it, FIN, or a reset after the answer. */
function play(socket: Socket, { bytes, slowly = [], then, deaf = false }: Attack, ending: number): void {
  const reset = (): void => void socket.resetAndDestroy();
  let received = '';
  if (deaf) socket.pause();
  else {
    socket.setEncoding('latin1').on('data', (text: string) => {
      const whole = received.includes('\r\n\r\n');
      received += text;
      // The maker of answers is for whole challenges.
      if (then !== undefined && !whole && received.includes('\r\n\r\n')) socket.write(then(received));
      else if (ending === 3 && slowly.length === 0) reset();
      if (received.includes('HTTP/1.1 200')) {
        admitted++;
        reset();
      }
    });
  }
  if (bytes.length > 0) socket.write(bytes);
  if (ending === 0) return void setImmediate(reset);
  slowly.forEach((part, index) => setTimeout(() => socket.writable && socket.write(part), 5 * (index + 1)));
  if (ending === 2) setTimeout(() => socket.end(), 10);
  // None stays: a server without time limits of its own would have it for ever.
  setTimeout(reset, ending === 1 ? 15 : 60);
}

async function run(connections: number): Promise<void> {
  const until = made + connections;
  const worker = async (): Promise<void> => {
    while (made < until) await attack();
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

for await (const line of createInterface(process.stdin)) {
  await run(Number(line));
  console.log(admitted);
}
// Else Node 20 waits at its end, for ever, for the handles that it could not reset.
process.exit();
