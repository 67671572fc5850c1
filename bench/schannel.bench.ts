/**
 * Schannel through the contract against a bare tls.TLSSocket over the same kind of stream in memory: what the contract and
 * the package add to node:tls. The client's part is the same on both sides and is not measured.
 *
 * What the package adds is the same for every key: 30 to 40 µs for a handshake of two legs (Node 20, P-256, where a bare one
 * takes 170 µs), so the ratio is 1.2 with P-256 and 1.1 with RSA-2048, whose signature takes longer. Taken apart by running
 * the layers alone in the same rounds: 4 µs are the tls.Server, which makes the connection; 11 µs the engine (its record and
 * error listeners, records one by one, process.nextTick to tell whose error it is); 12 µs the package (legs as async
 * functions, a copy of the token, the context); 7 µs the handles and buffers of the contract. In a CPU profile no function of
 * ours has more than 1 %: OpenSSL under `ondata` of js_stream_socket has most of it. A message has 4 to 6 µs on top, which
 * is much for 1 KiB and little for 16.
 */
import { constants } from 'node:crypto';
import { createSecureContext, TLSSocket } from 'node:tls';
import {
  acceptSecurityContext,
  acquireCredentialsHandle,
  decryptMessage,
  deleteSecurityContext,
  encryptMessage,
  findBuffer,
  freeCredentialsHandle,
  SEC_E_OK,
  SECBUFFER_DATA,
  SECBUFFER_TOKEN,
  SECURITY_NETWORK_DREP,
} from 'sspi-auth/sspi';
import type { ContextHandle, CredentialHandle, SecBuffer } from 'sspi-auth/sspi';
import { TlsWire } from '../src/packages/schannel/tls-wire.ts';
import { TlsClient } from '../test/packages/schannel/tls-client.ts';
import { certificates } from '../test/vectors/certificates.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';

const rounds = 15;
const handshakesPerRound = 60;
const recordsPerRound = 400;
const mostTimesBare = 1.15;
const nothing = new Uint8Array(0);
const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

/** The server's side of one connection. */
interface Side {
  /** One leg: records in, records out. */
  leg(records: Uint8Array): Promise<Uint8Array>;
  /** Bytes of data in a record. */
  decrypt(record: Uint8Array): number | Promise<number>;
  encrypt(data: Uint8Array): Uint8Array | Promise<Uint8Array>;
  end(): void;
}

type MakeSide = () => Side;

function contractSide(credential: CredentialHandle): Side {
  let context: ContextHandle | undefined;
  const bytes = (buffers: readonly SecBuffer[] | undefined, type: number): Uint8Array =>
    findBuffer(buffers ?? [], type)?.data ?? nothing;
  return {
    async leg(data) {
      const result = await acceptSecurityContext({
        ...{ credential, context, input: [{ type: SECBUFFER_TOKEN, data }] },
        ...{ requirements: 0, targetDataRep: SECURITY_NETWORK_DREP },
      });
      ({ context } = result);
      return bytes(result.output, SECBUFFER_TOKEN);
    },
    decrypt(data) {
      const answer = decryptMessage(context as ContextHandle, [{ type: SECBUFFER_DATA, data }]);
      if (answer instanceof Promise || answer.status !== SEC_E_OK) throw new Error('a record was not opened at once');
      return bytes(answer.value, SECBUFFER_DATA).byteLength;
    },
    encrypt(data) {
      const answer = encryptMessage(context as ContextHandle, [{ type: SECBUFFER_DATA, data }]);
      return answer instanceof Promise
        ? answer.then(({ value }) => bytes(value, SECBUFFER_TOKEN))
        : bytes(answer.value, SECBUFFER_TOKEN);
    },
    end() {
      if (context !== undefined) deleteSecurityContext(context);
    },
  };
}

function bareSide(secureContext: ReturnType<typeof createSecureContext>): Side {
  const wire = new TlsWire();
  const socket = new TLSSocket(wire, { isServer: true, secureContext });
  let received = 0;
  socket.on('data', (data: Buffer) => (received += data.byteLength));
  socket.on('error', () => undefined);
  let begun = false;
  return {
    async leg(data) {
      if (!begun) await new Promise<void>((resolve) => process.nextTick(resolve));
      begun = true;
      wire.push(data);
      await wire.idle();
      return wire.takeOutput();
    },
    decrypt(record) {
      received = 0;
      wire.push(record);
      return received;
    },
    encrypt(data) {
      const { writes } = wire;
      socket.write(data);
      return wire.writes > writes ? wire.takeOutput() : wire.idle().then(() => wire.takeOutput());
    },
    end: () => void socket.destroy(),
  };
}

/** A handshake; gives the milliseconds of the server's part. */
async function handshake(side: Side, client: TlsClient): Promise<number> {
  let milliseconds = 0;
  let records: Uint8Array = nothing;
  for (let leg = 0; leg < 2; leg++) {
    const sent = await client.next(records);
    const start = performance.now();
    records = await side.leg(sent);
    milliseconds += performance.now() - start;
  }
  await client.next(records);
  if (!client.secure) throw new Error('the handshake is not done');
  return milliseconds;
}

const turn = (): Promise<void> => new Promise((resolve) => process.nextTick(() => setImmediate(resolve)));

async function handshakes(make: MakeSide, version: 'TLSv1.2' | 'TLSv1.3'): Promise<number> {
  let milliseconds = 0;
  for (let count = 0; count < handshakesPerRound; count++) {
    using client = new TlsClient({ minVersion: version, maxVersion: version });
    const start = performance.now();
    const side = make();
    milliseconds += performance.now() - start + (await handshake(side, client));
    side.end();
  }
  return milliseconds / handshakesPerRound;
}

/** MB/s of records of a size. */
async function throughput(make: MakeSide, direction: 'encrypt' | 'decrypt', size: number): Promise<number> {
  using client = new TlsClient();
  const side = make();
  await handshake(side, client);
  await turn();
  const data = Buffer.alloc(size, 'x');
  const records: Uint8Array[] = [];
  for (let count = 0; count < recordsPerRound; count++) {
    records.push(direction === 'decrypt' ? await client.send(data) : data);
  }
  let milliseconds = 0;
  for (const record of records) {
    const start = performance.now();
    if (direction === 'decrypt') {
      const opened = await side.decrypt(record);
      if (opened !== size) throw new Error(`${opened} of ${size} bytes`);
    } else if ((await side.encrypt(record)).byteLength <= size) throw new Error('no record');
    milliseconds += performance.now() - start;
    // Outside: what Node needs to be idle again is no work of either side.
    if (direction === 'encrypt') await turn();
  }
  side.end();
  return (recordsPerRound * size) / 1000 / milliseconds;
}

const benchmark: Benchmark = {
  name: 'Schannel',
  async run(progress) {
    const rows: Row[] = [];
    for (const [name, authData] of [
      ['RSA-2048', certificates.server],
      ['P-256', certificates.serverEc],
    ] as const) {
      const credential = await acquireCredentialsHandle({ package: 'Schannel', credentialUse: 'inbound', authData });
      // What Schannel sets: without tickets OpenSSL does other work.
      const secureContext = createSecureContext({ ...authData, secureOptions, minVersion: 'TLSv1.2' });
      const sides: readonly MakeSide[] = [() => contractSide(credential), () => bareSide(secureContext)];
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        progress(`handshakes, ${name}, ${version}`);
        const [ours = [], bare = []] = await interleaved(sides, rounds, (make) => handshakes(make, version));
        const ratio = pairedRatio(ours, bare);
        rows.push({
          name: `handshake of ${version} with ${name}, the server's part`,
          value: median(ours),
          baseline: median(bare),
          unit: 'ms',
          remark: `${ratio.toFixed(2)} times bare`,
          aim: { text: `<= ${mostTimesBare} times tls.TLSSocket`, met: ratio <= mostTimesBare },
          rounds: ours,
          baselineRounds: bare,
        });
      }
      for (const direction of name === 'P-256' ? (['encrypt', 'decrypt'] as const) : []) {
        for (const size of [1024, 16384]) {
          progress(`${direction}, ${size} bytes`);
          const [ours = [], bare = []] = await interleaved(sides, rounds, (make) => throughput(make, direction, size));
          rows.push({
            name: `${direction}Message, ${size} bytes in a record`,
            value: median(ours),
            baseline: median(bare),
            unit: 'MB/s',
            remark: `${pairedRatio(ours, bare).toFixed(2)} times bare`,
            rounds: ours,
            baselineRounds: bare,
          });
        }
      }
      freeCredentialsHandle(credential);
    }
    return rows;
  },
};
export default benchmark;
