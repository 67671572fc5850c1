/** Starts the processes of fleet.ts, and signs in to them by Digest. */
import { request as httpRequest } from 'node:http';
import type { Agent } from 'node:http';
import type { SessionOptions } from '../../../src/index.ts';
import { startProgram } from '../../lab/program.ts';
import { answerChallenge } from '../../packages/digest/digest-client.ts';

const program = new URL('fleet.ts', import.meta.url);

/** Processes that run. */
export interface Fleet extends AsyncDisposable {
  /** One port, or one of each process. */
  readonly ports: readonly number[];
  /** Gives a process that listens apart other secrets of sessions. */
  renew(index: number, secrets: readonly string[]): Promise<void>;
}

/** Starts four processes. @param store `cluster`, `none`, or the path of a Redis socket */
export async function startFleet(
  store: string,
  listening: 'together' | 'apart',
  session?: SessionOptions,
): Promise<Fleet> {
  const env = session === undefined ? {} : { FLEET_SESSION: JSON.stringify(session) };
  const fleet = await startProgram(program, [store, listening], /^ports: ([\d ]+)$/, { env });
  const [, ports = ''] = fleet.said;
  let renewals = 0;
  return {
    ports: ports.split(' ').map(Number),
    renew: async (index, secrets) => {
      fleet.process.write(`${index} ${JSON.stringify(secrets)}\n`);
      await fleet.process.waitForLine(new RegExp(`^renewed ${++renewals}$`));
    },
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}

/** What fleet.ts answers. */
export interface FleetAnswer {
  readonly pid: number;
  readonly userName?: string;
  readonly target: string;
  readonly groups?: number;
  /** To a sign-out. */
  readonly told?: boolean;
}

/** A response, read to its end. */
export interface Answered {
  readonly status: number;
  readonly challenges: readonly string[];
  readonly retryAfter: string | undefined;
  /** Values of Set-Cookie. */
  readonly cookies: readonly string[];
  readonly body: string;
}

/** What a request has, beside its target. */
export interface Asked {
  readonly method?: 'GET' | 'POST';
  readonly authorization?: string | undefined;
  readonly cookie?: string | undefined;
  /** Without one it goes on a connection of its own. */
  readonly agent?: Agent | undefined;
}

/** One request to 127.0.0.1. */
export function ask(port: number, path: string, { method = 'GET', agent, ...fields }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: agent ?? false });
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
          cookies: response.headers['set-cookie'] ?? [],
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
  async get(port: number, target: string, agent?: Agent, cookie?: string): Promise<Answered> {
    for (let tries = 0; ; tries++) {
      const authorization = this.authorization(target);
      const answered = await ask(port, target, { authorization, agent, cookie });
      const challenge = answered.challenges[0];
      if (answered.status !== 401 || challenge === undefined || tries === 2) return answered;
      this.#challenge = challenge;
      this.#count = 0;
    }
  }
}

/** A client of Digest that keeps its session cookie, and signs in only where it is asked to. */
export class SessionUser {
  readonly userName: string;
  /** How often it had to. */
  signIns = 0;
  #cookie: string | undefined;

  constructor(userName: string) {
    this.userName = userName;
  }

  /** `name=value` */
  get cookie(): string | undefined {
    return this.#cookie;
  }

  async get(port: number, target: string, agent?: Agent): Promise<Answered> {
    const answered = await ask(port, target, { cookie: this.#cookie, agent });
    this.#keep(answered);
    if (answered.status !== 401) return answered;
    this.signIns++;
    const signedIn = await new DigestUser(this.userName).get(port, target, agent, this.#cookie);
    this.#keep(signedIn);
    return signedIn;
  }

  #keep({ cookies }: Answered): void {
    for (const cookie of cookies) {
      const pair = cookie.split(';')[0] ?? '';
      if (pair.startsWith('sid=')) this.#cookie = pair === 'sid=' ? undefined : pair;
    }
  }
}
