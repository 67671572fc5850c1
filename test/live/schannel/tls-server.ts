/** A TCP server whose TLS is a Schannel context, and a record of what its clients did. */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { schannelPackage } from '../../../src/packages/schannel/index.ts';
import type { SchannelAuthData } from '../../../src/packages/schannel/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { listen } from '../../lab/ports.ts';
import { part } from '../../packages/schannel/schannel-server.ts';

/** What became of one client. */
export interface TlsVisit {
  /** Names of the statuses of its legs and messages, in order. */
  readonly statuses: string[];
  /** Names of the packages' diagnoses. */
  readonly diagnoses: string[];
  /** What it said. */
  text: string;
  /** Settles when it has gone. */
  readonly ended: Promise<void>;
}

export interface RecordedTlsServer extends AsyncDisposable {
  readonly port: number;
  readonly visits: readonly TlsVisit[];
}

/** Answers `text` with a line; to a request of HTTP with a response, after which it closes. */
function answerTo(text: string): { readonly answer: string; readonly last: boolean } {
  if (!/^[A-Z]+ \S+ HTTP\/1/.test(text)) return { answer: `echo ${text}`, last: false };
  return { answer: 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n', last: true };
}

/** Starts the server. */
export async function tlsServer(authData: SchannelAuthData, requirements = 0): Promise<RecordedTlsServer> {
  const acquired = Sspi.acquireCredentialsHandle({ package: schannelPackage, credentialUse: 'inbound', authData });
  const credential = await acquired;
  const visits: TlsVisit[] = [];
  const server = await listen(
    createServer((socket) => {
      const statuses: string[] = [];
      const visit: TlsVisit = { statuses, diagnoses: [], text: '', ended: Promise.resolve() };
      const ended = new Visit(socket, credential, requirements, visit).serve().catch((error: unknown) => {
        if ((error as { readonly code?: string }).code !== 'ECONNRESET') visit.diagnoses.push(String(error));
      });
      visits.push(Object.assign(visit, { ended }));
    }),
  );
  return {
    port: Number(new URL(server.origin).port),
    visits,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Promise.all(visits.map(({ ended }) => ended));
      Sspi.freeCredentialsHandle(credential);
    },
  };
}

class Visit {
  readonly #socket: Socket;
  readonly #credential: Sspi.CredentialHandle;
  readonly #requirements: number;
  readonly #visit: TlsVisit;
  #context: Sspi.ContextHandle | undefined;
  #established = false;

  constructor(socket: Socket, credential: Sspi.CredentialHandle, requirements: number, visit: TlsVisit) {
    this.#socket = socket;
    this.#credential = credential;
    this.#requirements = requirements | Sspi.ASC_REQ_EXTENDED_ERROR;
    this.#visit = visit;
  }

  async serve(): Promise<void> {
    try {
      let waiting: Buffer = Buffer.alloc(0);
      for await (const chunk of this.#socket as AsyncIterable<Buffer>) {
        const rest = await this.#take(Buffer.concat([waiting, chunk]));
        if (rest === undefined) break;
        waiting = rest;
      }
    } finally {
      if (this.#context !== undefined) Sspi.deleteSecurityContext(this.#context);
      this.#socket.end();
    }
  }

  #note(status: number): string {
    const name = Sspi.statusName(status);
    this.#visit.statuses.push(name);
    return name;
  }

  #send(bytes: Buffer): void {
    if (bytes.byteLength > 0) this.#socket.write(bytes);
  }

  /** Takes what has come; gives what must wait, undefined at the end. */
  async #take(bytes: Buffer): Promise<Buffer | undefined> {
    for (let waiting = bytes; waiting.byteLength > 0;) {
      const taken = this.#established ? await this.#message(waiting) : await this.#leg(waiting);
      if (taken === 'wait') return waiting;
      if (taken === 'end') return undefined;
      waiting = taken;
    }
    return Buffer.alloc(0);
  }

  async #leg(bytes: Buffer): Promise<Buffer | 'wait' | 'end'> {
    const result = await Sspi.acceptSecurityContext({
      credential: this.#credential,
      context: this.#context,
      input: [{ type: Sspi.SECBUFFER_TOKEN, data: bytes }],
      requirements: this.#requirements,
      targetDataRep: Sspi.SECURITY_NETWORK_DREP,
    });
    this.#context = result.context;
    if (this.#note(result.status) === 'SEC_E_INCOMPLETE_MESSAGE') return 'wait';
    if (result.diagnosis?.text !== undefined) this.#visit.diagnoses.push(result.diagnosis.text);
    this.#send(part(result.output, Sspi.SECBUFFER_TOKEN));
    if (result.context === undefined) return 'end';
    this.#established = result.status === Sspi.SEC_E_OK;
    return part(result.output, Sspi.SECBUFFER_EXTRA);
  }

  async #message(bytes: Buffer): Promise<Buffer | 'wait' | 'end'> {
    const context = this.#context!;
    const { status, value } = await Sspi.decryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: bytes }]);
    const name = this.#note(status);
    if (name === 'SEC_E_INCOMPLETE_MESSAGE') return 'wait';
    this.#send(part(value, Sspi.SECBUFFER_TOKEN));
    if (name === 'SEC_I_RENEGOTIATE') return part(value, Sspi.SECBUFFER_EXTRA);
    if (status !== Sspi.SEC_E_OK) return 'end';
    const text = part(value, Sspi.SECBUFFER_DATA).toString();
    this.#visit.text += text;
    if (text !== '') {
      const { answer, last } = answerTo(text);
      const sealed = await Sspi.encryptMessage(context, [{ type: Sspi.SECBUFFER_DATA, data: Buffer.from(answer) }]);
      this.#send(part(sealed.value, Sspi.SECBUFFER_TOKEN));
      if (last) return await this.#close();
    }
    return part(value, Sspi.SECBUFFER_EXTRA);
  }

  async #close(): Promise<'end'> {
    const shutdown = Uint8Array.of(Sspi.SCHANNEL_SHUTDOWN, 0, 0, 0);
    Sspi.applyControlToken(this.#context!, [{ type: Sspi.SECBUFFER_TOKEN, data: shutdown }]);
    await this.#leg(Buffer.alloc(0));
    return 'end';
  }
}
