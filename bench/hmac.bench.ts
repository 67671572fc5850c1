/** HMAC by two hashes against `createHmac` of node:crypto: what src/crypto/hmac.ts is for. Processor time. */
import { createHmac, randomBytes } from 'node:crypto';
import { hmac } from '../src/crypto/hmac.ts';
import type { HmacHash } from '../src/crypto/hmac.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';

const rounds = 15;
const callsPerRound = 20_000;
/** Not slower, within what one run differs from another. */
const mostTimesNode = 1.05;

/** As NTLM, the nonces of Digest and Kerberos need it: bytes of the key, then of each part of the message. */
const cases: readonly {
  readonly name: string;
  readonly hash: HmacHash;
  readonly key: number;
  readonly parts: readonly number[];
}[] = [
  { name: 'NTOWFv2', hash: 'md5', key: 16, parts: [18] },
  { name: 'NTProofStr', hash: 'md5', key: 16, parts: [8, 300] },
  { name: 'MIC of an AUTHENTICATE_MESSAGE', hash: 'md5', key: 16, parts: [40, 250, 600] },
  { name: 'nonce of Digest', hash: 'sha256', key: 32, parts: [24, 20] },
  { name: 'authenticator under aes256-cts-hmac-sha1-96', hash: 'sha1', key: 32, parts: [160] },
  { name: 'ticket with a large PAC under aes256-cts-hmac-sha384-192', hash: 'sha384', key: 24, parts: [8000] },
];

function byNode(hash: HmacHash, key: Uint8Array, ...parts: readonly Uint8Array[]): Buffer {
  const whole = createHmac(hash, key);
  for (const part of parts) whole.update(part);
  return whole.digest();
}

async function rowOf({ name, hash, key: keyBytes, parts: lengths }: (typeof cases)[number]): Promise<Row> {
  const key = randomBytes(keyBytes);
  const parts = lengths.map((length) => randomBytes(length));
  const sides = [hmac, byNode];
  const [values = [], baselineRounds = []] = await interleaved(sides, rounds, (side) => {
    const start = process.cpuUsage();
    for (let call = 0; call < callsPerRound; call++) side(hash, key, ...parts);
    const { user, system } = process.cpuUsage(start);
    return Promise.resolve((user + system) / callsPerRound);
  });
  const ratio = pairedRatio(values, baselineRounds);
  return {
    name: `HMAC with ${hash}, ${name}; createHmac beside it`,
    remark: `${ratio.toFixed(2)} of createHmac`,
    value: median(values),
    baseline: median(baselineRounds),
    unit: 'µs',
    aim: { text: `<= ${mostTimesNode} of createHmac`, met: ratio <= mostTimesNode },
    rounds: values,
    baselineRounds,
  };
}

const benchmark: Benchmark = {
  name: 'HMAC',
  async run(progress) {
    progress(`${cases.length} messages, ${rounds} rounds of ${callsPerRound} a side`);
    const rows: Row[] = [];
    for (const one of cases) rows.push(await rowOf(one));
    return rows;
  },
};
export default benchmark;
