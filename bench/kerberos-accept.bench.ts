/**
 * One SPNEGO and Kerberos accept through acceptSecurityContext, identity included, against the same from C and against
 * npm kerberos where that can be had. Same KDC, same tokens, a replay cache in a file (file2) each; processor time.
 * C twice: with the client's name alone, and with its PAC asked for as well, which is what the identity here is made of.
 * sspi-auth and C have their keys in memory; npm kerberos can only be told of a file, which libkrb5 opens for every
 * accept. Then 100 000 accepts in a row, and what they left in memory.
 *
 * All these tokens have one ticket, as all sign-ins of one client have until it expires: each a new authenticator, which
 * is what a replay cache and the ticket's key are asked about. C reads name and PAC of each; sspi-auth has read those of
 * this very ticket before. What it costs where it has not is a row of its own: every token with a ticket never seen.
 *
 * Each side is a process of its own that lives through all rounds, with one credential, and accepts the same number of
 * tokens before the first: what a server does for weeks. V8 throws compiled code away when the credential is replaced by
 * another; for some thousand accepts after that, each costs 20 to 90 µs more.
 */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as Sspi from 'sspi-auth/sspi';
import { installPackages } from '../test/lab/debian.ts';
import { startKdc } from '../test/lab/kdc.ts';
import type { Kdc } from '../test/lab/kdc.ts';
import { runChecked } from '../test/lab/process.ts';
import { AskedProcess } from './asked-process.ts';
import { acceptAlice, acquireNegotiate } from './kerberos-accept.ts';
import { freshTokenFile, freshTokens, tokenPackages } from './kerberos-tokens.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { installNpmKerberos } from './npm-kerberos.ts';

const rounds = 11;
const tokensPerRound = 2000;
const warmUpTokens = 10_000;
const warmUpAccepts = 20_000;
/** A token costs two milliseconds where the KDC makes a ticket for it. */
const newTicketRounds = 5;
const newTicketsPerRound = 1000;
const newTicketsToWarmUp = 5000;
const leakAccepts = 100_000;
const acceptor = new URL('kerberos-acceptor.ts', import.meta.url);
const mostTimesC = 1.25;
const leastTimesNpm = 3;
const mostLeakBytes = 16 * 1024 * 1024;

/** The sides, each a process of its own with a replay cache of its own: sspi-auth, C, C with the PAC, npm kerberos. */
function startSides(kdc: Kdc, program: string, withNpm: boolean): AskedProcess[] {
  const env = { ...process.env, ...kdc.env };
  const newCache = (side: string): string => `file2:${kdc.file(`replay-${side}`)}`;
  const node = (words: readonly string[], cache: string): AskedProcess =>
    new AskedProcess(process.execPath, ['--import', 'tsx', fileURLToPath(acceptor), ...words], {
      ...env,
      KRB5RCACHENAME: cache,
    });
  const sides = [
    node(['sspi-auth', kdc.keytab, newCache('own')], 'none:'),
    new AskedProcess(program, [`FILE:${kdc.keytab}`, newCache('c')], env),
    new AskedProcess(program, [`FILE:${kdc.keytab}`, newCache('c-identity'), 'identity'], env),
  ];
  return withNpm ? [...sides, node(['npm-kerberos'], newCache('npm'))] : sides;
}

/** Numbers of tokens, and how each is made. */
interface Plan {
  readonly warmUp: number;
  readonly rounds: number;
  readonly perRound: number;
  readonly tokenFile: (count: number) => Promise<string>;
}

/** Rounds of all sides with the same tokens; none meets the replay cache of another. */
async function measureSides(sides: readonly AskedProcess[], plan: Plan): Promise<number[][]> {
  const warmUp = await plan.tokenFile(plan.warmUp);
  for (const side of sides) await side.ask(warmUp);
  let path = '';
  let asked = 0;
  return interleaved(sides, plan.rounds, async (side) => {
    if (asked++ % sides.length === 0) path = await plan.tokenFile(plan.perRound);
    return side.ask(path);
  });
}

function newTicketRow([values = [], c = []]: readonly number[][]): Row {
  return {
    name: 'the same with a ticket never seen before, each',
    remark: `${pairedRatio(values, c).toFixed(2)} of C that asks for the PAC`,
    value: median(values),
    baseline: median(c),
    unit: 'µs',
    rounds: values,
    baselineRounds: c,
  };
}

function rowsOf([values = [], c = [], cIdentity = [], theirs]: readonly number[][]): Row[] {
  const ratio = pairedRatio(values, c);
  const identityRatio = pairedRatio(values, cIdentity);
  const rows: Row[] = [
    {
      name: 'SPNEGO and Kerberos accept of a known ticket, identity included, processor time; C that reads the name beside it',
      remark: `${ratio.toFixed(2)} of C`,
      value: median(values),
      baseline: median(c),
      unit: 'µs',
      aim: { text: `<= ${mostTimesC} of C`, met: ratio <= mostTimesC },
      rounds: values,
      baselineRounds: c,
    },
    {
      name: 'the same; C that reads the name and asks for the PAC beside it',
      remark: `${identityRatio.toFixed(2)} of C`,
      value: median(values),
      baseline: median(cIdentity),
      unit: 'µs',
      aim: { text: `<= ${mostTimesC} of C`, met: identityRatio <= mostTimesC },
      rounds: values,
      baselineRounds: cIdentity,
    },
  ];
  if (theirs === undefined) return rows;
  const faster = pairedRatio(theirs, values);
  rows.push({
    name: 'the same with npm kerberos; ours beside it',
    remark: `${faster.toFixed(2)} of ours`,
    value: median(theirs),
    baseline: median(values),
    unit: 'µs',
    aim: { text: `>= ${leastTimesNpm} of ours`, met: faster >= leastTimesNpm },
    rounds: theirs,
    baselineRounds: values,
  });
  return rows;
}

/** Accepts of a set of tokens over and over; without a replay cache one set serves them all. */
async function repeated(
  kdc: Kdc,
  env: Readonly<Record<string, string>>,
  work: (run: (count: number) => void) => void,
): Promise<void> {
  const tokens = await freshTokens(kdc, env, tokensPerRound);
  const credential = await acquireNegotiate(kdc.keytab, 'none:');
  try {
    work((count) => {
      for (let done = 0; done < count; done++) {
        const token = tokens[done % tokens.length];
        if (token !== undefined) acceptAlice(credential, token);
      }
    });
  } finally {
    Sspi.freeCredentialsHandle(credential);
  }
}

/**
 * Bytes that accepts leave behind: those in use on V8's heap after a full collection, and all that lies outside it. Room
 * that V8 keeps for its young generation, which it gives back or not as it likes, is no leak.
 */
async function leakRow(kdc: Kdc, env: Readonly<Record<string, string>>): Promise<Row> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept = (): number => {
    collect();
    const { rss, heapTotal, heapUsed } = process.memoryUsage();
    return rss - heapTotal + heapUsed;
  };
  let grown = 0;
  await repeated(kdc, env, (run) => {
    run(warmUpAccepts);
    const before = kept();
    run(leakAccepts);
    grown = kept() - before;
  });
  const handles = Sspi.liveHandles().contexts;
  return {
    name: `memory kept after ${leakAccepts} accepts (used heap and all outside the heap)`,
    remark: `${handles} contexts left`,
    value: grown / 1024 / 1024,
    unit: 'MiB',
    aim: { text: `<= ${mostLeakBytes / 1024 / 1024} MiB and no context`, met: grown <= mostLeakBytes && handles === 0 },
    rounds: [grown],
  };
}

const benchmark: Benchmark = {
  name: 'Kerberos with a keytab (MIT krb5)',
  async run(progress, leaveOut) {
    await installPackages([...tokenPackages, 'gcc', 'libkrb5-dev'], progress);
    const withNpm = await installNpmKerberos(progress).then(
      () => true,
      (error: unknown) => leaveOut('npm kerberos', error) ?? false,
    );
    await using kdc = await startKdc();
    Object.assign(process.env, kdc.env);
    const env = await kdc.signIn('alice');
    const program = kdc.file('kerberos-accept');
    const source = fileURLToPath(new URL('kerberos-accept.c', import.meta.url));
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror'];
    await runChecked('gcc', [...flags, '-o', program, source, '-lgssapi_krb5', '-lkrb5']);
    // Its cache never gets a ticket of the service.
    const newcomer = await kdc.signIn('alice');
    progress(`${warmUpTokens} tokens to warm up, then ${tokensPerRound} fresh ones a round`);
    const sides = startSides(kdc, program, withNpm);
    let measured: number[][];
    let newTickets: number[][];
    try {
      measured = await measureSides(sides, {
        warmUp: warmUpTokens,
        rounds,
        perRound: tokensPerRound,
        tokenFile: (count) => freshTokenFile(kdc, env, count),
      });
      progress(`${newTicketsToWarmUp} tickets to warm up, then ${newTicketsPerRound} fresh ones a round`);
      const [own, , cIdentity] = sides;
      newTickets = await measureSides(own === undefined || cIdentity === undefined ? [] : [own, cIdentity], {
        warmUp: newTicketsToWarmUp,
        rounds: newTicketRounds,
        perRound: newTicketsPerRound,
        tokenFile: (count) => freshTokenFile(kdc, newcomer, count, 'own'),
      });
    } finally {
      await Promise.all(sides.map((side) => side[Symbol.asyncDispose]()));
    }
    progress(`${leakAccepts} accepts in a row`);
    return [...rowsOf(measured), newTicketRow(newTickets), await leakRow(kdc, env)];
  },
};
export default benchmark;
