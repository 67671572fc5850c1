/**
 * Kerberos without a library: one SPNEGO accept with its identity, against C and against this library's provider over
 * libkrb5, with the same tokens in the same rounds; processor time. In memory against C without a replay cache; with the
 * replay folder against C with a replay cache of a file (file2) on the same file system, a disk and one in memory.
 *
 * Known tickets: all tokens have one ticket. New ones: each its own, and C asks for the PAC as well, which the identity is
 * made of. Then what 100 000 accepts leave in memory, and what a remembered authenticator takes.
 *
 * An accept of a known ticket makes no cipher object, one of a new ticket three, which is the least for its three keys: the
 * session key, and those derived from it for the Authenticator and for the reply. Such an object costs 3 µs, but 12 to 14 µs
 * on Node 24.18 to 24.21. The rest of a new ticket is seven calls of them, ten hashes, and one and a half microseconds for
 * each piece of memory that these give; no function of ours stands out (--cpu-prof).
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import { systemClock } from '../src/foundation/clock.ts';
import { memoryStore } from '../src/stores/memory-store.ts';
import { StoreReplay } from '../src/stores/store-replay.ts';
import { HashSet } from '../src/stores/hash-set.ts';
import { installPackages } from '../test/lab/debian.ts';
import { startKdc } from '../test/lab/kdc.ts';
import type { Kdc } from '../test/lab/kdc.ts';
import { runChecked } from '../test/lab/process.ts';
import { AskedProcess } from './asked-process.ts';
import { freshTokenFile, tokenPackages } from './kerberos-tokens.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';

/**
 * A round begins with tokens that are not counted: the seconds in which the other sides had their turn cost a process its
 * place in the processor's caches and memory, V8 more than C.
 */
const known = { warmUp: 6000, rounds: 7, awaken: 750, perRound: 1500 };
/** A token costs two milliseconds where the KDC makes a ticket for it. */
const fresh = { warmUp: 2000, rounds: 7, awaken: 500, perRound: 1000 };
/** How often ours accepts the tokens of the warm-up, so that it is as warm as a server is after a minute. */
const warmUpTimes = 15;
const leakAccepts = 100_000;
const mostLeakBytes = 16 * 1024 * 1024;
const remembered = 500_000;
const mostBytesRemembered = 120;
const mostTimesC = { known: 0.8, fresh: 1 };

const sha256 = (index: number): Buffer => createHash('sha256').update(`${index}`).digest();

type Side = keyof ReturnType<typeof startSides>;

/** Each a process of its own. */
function startSides(kdc: Kdc, c: string, acceptor: string, memory: string) {
  const env = { ...process.env, ...kdc.env };
  const node = (...words: string[]): AskedProcess =>
    new AskedProcess(process.execPath, [acceptor, kdc.keytab, ...words], env);
  const ofC = (...words: string[]): AskedProcess => new AskedProcess(c, [`FILE:${kdc.keytab}`, ...words], env);
  return {
    own: node('memory'),
    gssapi: node('gssapi', 'none:'),
    c: ofC('none:'),
    cIdentity: ofC('none:', 'identity'),
    ownDisk: node('folder', kdc.file('replay')),
    cDisk: ofC(`file2:${kdc.file('replay-c')}`),
    ownMemory: node('folder', `${memory}/replay`),
    cMemory: ofC(`file2:${memory}/replay-c`),
  };
}

type Rounds = Partial<Record<Side, readonly number[]>>;

async function measure(
  sides: ReturnType<typeof startSides>,
  names: readonly Side[],
  plan: typeof known,
  tokenFile: (count: number) => Promise<string>,
): Promise<Rounds> {
  const warmUp = await tokenFile(plan.warmUp);
  for (const name of names) await sides[name].ask(name === 'own' ? `warm ${warmUp} ${warmUpTimes}` : warmUp);
  let path = '';
  let asked = 0;
  const first = `${warmUp}-first`;
  const rounds = await interleaved(names, plan.rounds, async (name) => {
    if (asked++ % names.length === 0) {
      await rename(await tokenFile(plan.awaken), first);
      path = await tokenFile(plan.perRound);
    }
    await sides[name].ask(first);
    return sides[name].ask(path);
  });
  return Object.fromEntries(names.map((name, index) => [name, rounds[index] ?? []]));
}

function row(name: string, rounds: Rounds, side: Side, against: Side, most?: number): Row {
  const [values, baselineRounds] = [rounds[side] ?? [], rounds[against] ?? []];
  const ratio = pairedRatio(values, baselineRounds);
  return {
    name,
    remark: `${ratio.toFixed(2)} of it`,
    value: median(values),
    baseline: median(baselineRounds),
    unit: 'µs',
    ...(most === undefined ? {} : { aim: { text: `<= ${most}`, met: ratio <= most } }),
    rounds: values,
    baselineRounds,
  };
}

/** Bytes that one remembered authenticator takes. */
function rememberedRow(name: string, fill: (count: number) => unknown): Row {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  const kept = fill(remembered);
  const bytes = (used() - before) / remembered;
  if (kept === undefined) throw new Error('nothing is kept');
  return {
    name,
    value: bytes,
    unit: 'B',
    aim: { text: `<= ${mostBytesRemembered} B`, met: bytes <= mostBytesRemembered },
    rounds: [bytes],
  };
}

const benchmark: Benchmark = {
  name: 'Kerberos without a library',
  async run(progress) {
    await installPackages([...tokenPackages, 'gcc', 'libkrb5-dev'], progress);
    await using kdc = await startKdc();
    const env = await kdc.signIn('alice');
    // Its cache never gets a ticket of the service.
    const newcomer = await kdc.signIn('alice');
    const c = kdc.file('kerberos-accept');
    const source = fileURLToPath(new URL('kerberos-accept.c', import.meta.url));
    await runChecked('gcc', ['-O2', '-o', c, source, '-lgssapi_krb5', '-lkrb5']);
    // In the repository, where koffi is found.
    const acceptor = fileURLToPath(new URL(`../.scratch/bench/kerberos-acceptor-${process.pid}.mjs`, import.meta.url));
    const entryPoints = [fileURLToPath(new URL('kerberos-portable-acceptor.ts', import.meta.url))];
    const words = { bundle: true, platform: 'node', format: 'esm', target: 'node20.19', logLevel: 'error' } as const;
    await build({ ...words, entryPoints, outfile: acceptor });
    const memory = await mkdtemp('/dev/shm/sspi-auth-bench-');
    const rows: Row[] = [];
    const sides = startSides(kdc, c, acceptor, memory);
    try {
      progress(`${known.warmUp} tokens to warm up, then ${known.perRound} fresh ones a round`);
      const names = Object.keys(sides) as Side[];
      // What a replay memory is younger than, it refuses.
      for (const name of names) if (!name.startsWith('c')) await sides[name].ask('ready');
      const ofKnown = await measure(sides, names, known, (count) => freshTokenFile(kdc, env, count));
      rows.push(
        row('a known ticket, memoryStore(); C without a replay cache beside it', ofKnown, 'own', 'c', mostTimesC.known),
        row('the same; C that asks for the PAC beside it', ofKnown, 'own', 'cIdentity'),
        row('the same; our provider over libkrb5 beside it', ofKnown, 'own', 'gssapi'),
        row('a known ticket, folder on the disk; C with file2 there beside it', ofKnown, 'ownDisk', 'cDisk'),
        row('a known ticket, folder on tmpfs; C with file2 there beside it', ofKnown, 'ownMemory', 'cMemory'),
      );
      progress(`${fresh.warmUp} tickets to warm up, then ${fresh.perRound} fresh ones a round`);
      const ofFresh = await measure(sides, ['own', 'gssapi', 'cIdentity'], fresh, (count) =>
        freshTokenFile(kdc, newcomer, count, 'own'),
      );
      rows.push(
        row(
          'a new ticket, memoryStore(); C that asks for the PAC beside it',
          ofFresh,
          'own',
          'cIdentity',
          mostTimesC.fresh,
        ),
        row('the same; our provider over libkrb5 beside it', ofFresh, 'own', 'gssapi'),
      );
    } finally {
      await Promise.all(Object.values(sides).map((side) => side[Symbol.asyncDispose]()));
      await rm(memory, { recursive: true, force: true });
    }
    progress(`${leakAccepts} accepts in a row`);
    await using without = new AskedProcess(process.execPath, [acceptor, kdc.keytab, 'none'], process.env);
    const grown = await without.ask(`leak ${await freshTokenFile(kdc, env, 2000)} ${leakAccepts}`);
    rows.push({
      name: `memory kept after ${leakAccepts} accepts (used heap and all outside the heap)`,
      value: grown / 1024 / 1024,
      unit: 'MiB',
      aim: { text: `<= ${mostLeakBytes / 1024 / 1024} MiB and no context`, met: grown <= mostLeakBytes },
      rounds: [grown],
    });
    await rm(acceptor);
    rows.push(
      rememberedRow(`memory of an authenticator in memoryStore(), of ${remembered}`, (count) => {
        const store = memoryStore();
        const replay = new StoreReplay({ store, skew: 300_000, clock: systemClock });
        for (let index = 0; index < count; index++) {
          if (replay.claim(sha256(index), Date.now() + 1000) !== true) throw new Error('not remembered');
        }
        return store;
      }),
      rememberedRow(`memory of an authenticator beside the folder, of ${remembered}`, (count) => {
        const set = new HashSet(5);
        for (let index = 0; index < count; index++) set.add(sha256(index));
        return set;
      }),
    );
    return rows;
  },
};
export default benchmark;
