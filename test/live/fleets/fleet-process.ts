/** Starts the processes of fleet.ts, and signs in to them by Digest. */
import { request as httpRequest } from 'node:http';
import type { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../../lab/process.ts';
import { answerChallenge } from '../../packages/digest/digest-client.ts';

const program = fileURLToPath(new URL('fleet.ts', import.meta.url));

/** Processes that run. */
export interface Fleet extends AsyncDisposable {
  /** One port, or one of each process. */
  readonly ports: readonly number[];
}

/** Starts four processes. @param store `cluster`, `none`, or the path of a Redis socket */
export async function startFleet(store: string, listening: 'together' | 'apart'): Promise<Fleet> {
  const running = await startProcess(process.execPath, ['--import', 'tsx', program, store, listening]);
  const [, ports = ''] = await running.waitForLine(/^ports: ([\d ]+)$/, 60_000);
  return { ports: ports.split(' ').map(Number), [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** What fleet.ts answers. */
export interface FleetAnswer {
  readonly pid: number;
  readonly userName?: string;
  readonly target: string;
}

/** A response, read to its end. */
export interface Answered {
  readonly status: number;
  readonly challenges: readonly string[];
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** One request to 127.0.0.1; without an agent on a connection of its own. */
export function ask(port: number, target: string, authorization?: string, agent?: Agent): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = authorization === undefined ? {} : { authorization };
    const request = httpRequest({ host: '127.0.0.1', port, path: target, headers, agent: agent ?? false });
    request.on('error', reject).on('response', (response) => {
      let body = '';
      response
        .setEncoding('utf8')
        .on('error', reject)
        .on('data', (text: string) => (body += text));
      response.on('end', () => {
        const fields = response.headersDistinct['www-authenticate'] ?? [];
        resolve({
          status: response.statusCode ?? 0,
          challenges: fields
            .filter((field) => field.startsWith('Digest '))
            .map((field) => field.slice('Digest '.length)),
          retryAfter: response.headers['retry-after'],
          body,
        });
      });
    });
    request.end();
  });
}

/** A client of Digest that uses a nonce again and again, as browsers do. */
export class DigestUser {
  readonly #userName: string;
  #challenge: string | undefined;
  #count = 0;

  constructor(userName: string) {
    this.#userName = userName;
  }

  /** The field of the next request. */
  authorization(target: string): string | undefined {
    if (this.#challenge === undefined) return undefined;
    const nc = (++this.#count).toString(16).padStart(8, '0');
    const { userName } = { userName: this.#userName };
    const answer = answerChallenge(this.#challenge, { userName, password: `password-${userName}`, uri: target, nc });
    return `Digest ${answer}`;
  }

  /** Requests until the answer is no challenge, at most three times. */
  async get(port: number, target: string, agent?: Agent): Promise<Answered> {
    for (let tries = 0; ; tries++) {
      const answered = await ask(port, target, this.authorization(target), agent);
      const challenge = answered.challenges[0];
      if (answered.status !== 401 || challenge === undefined || tries === 2) return answered;
      this.#challenge = challenge;
      this.#count = 0;
    }
  }
}
