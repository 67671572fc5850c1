/**
 * One SPNEGO and Kerberos accept through acceptSecurityContext, identity included, against the same from C and against
 * npm kerberos where that can be had. Same KDC, same kind of keytab (in memory), a replay cache each; processor time.
 * C twice: with the client's name alone, and with its PAC asked for as well, which is what the identity here is made of.
 * Then 100 000 accepts in a row, and what they left in memory.
 */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as Sspi from 'sspi-auth/sspi';
import { installPackages } from '../test/lab/debian.ts';
import { startKdc } from '../test/lab/kdc.ts';
import type { Kdc } from '../test/lab/kdc.ts';
import { runChecked } from '../test/lab/process.ts';
import { freshTokenFile, freshTokens, tokenPackages } from './kerberos-tokens.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';
import { npmKerberos } from './npm-kerberos.ts';
import type { NpmKerberos } from './npm-kerberos.ts';

const rounds = 11;
const tokensPerRound = 1000;
const warmUpAccepts = 20_000;
const leakAccepts = 100_000;
const mostTimesC = 1.25;
const leastTimesNpm = 3;
const mostLeakBytes = 16 * 1024 * 1024;

async function acquire(kdc: Kdc, replayCache: string): Promise<Sspi.CredentialHandle> {
  const authData = {
    packages: [{ package: Sspi.securityPackage('Kerberos'), authData: { keytab: kdc.keytab, replayCache } }],
  };
  return Sspi.acquireCredentialsHandle({ package: 'Negotiate', credentialUse: 'inbound', authData });
}

async function accept(credential: Sspi.CredentialHandle, data: Uint8Array): Promise<void> {
  const answered = Sspi.acceptSecurityContext({
    credential,
    context: undefined,
    input: [{ type: Sspi.SECBUFFER_TOKEN, data }],
    requirements: Sspi.ASC_REQ_CONNECTION,
    targetDataRep: Sspi.SECURITY_NATIVE_DREP,
  });
  const { status, context } = answered instanceof Promise ? await answered : answered;
  if (context === undefined) throw new Error(Sspi.statusName(status));
  const { value } = Sspi.querySecurityContextToken(context);
  if (value?.userName !== 'alice') throw new Error('not alice');
  Sspi.deleteSecurityContext(context);
}

async function processorTime(count: number, work: () => Promise<void>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / count;
}

async function acceptRows(
  kdc: Kdc,
  env: Readonly<Record<string, string>>,
  program: string,
  kerberos: NpmKerberos | undefined,
): Promise<Row[]> {
  let serial = 0;
  const newCache = (): string => `file2:${kdc.file(`replay-${++serial}`)}`;
  const ours = async (): Promise<number> => {
    const tokens = await freshTokens(kdc, env, tokensPerRound);
    const credential = await acquire(kdc, newCache());
    const time = await processorTime(tokens.length, async () => {
      for (const token of tokens) await accept(credential, token);
    });
    Sspi.freeCredentialsHandle(credential);
    return time;
  };
  const inC = async (words: readonly string[]): Promise<number> => {
    const path = await freshTokenFile(kdc, env, tokensPerRound);
    return Number(await runChecked(program, [`FILE:${kdc.keytab}`, newCache(), path, ...words], { env }));
  };
  const nameInC = (): Promise<number> => inC([]);
  const identityInC = (): Promise<number> => inC(['identity']);
  const npm = async (): Promise<number> => {
    const tokens = await freshTokens(kdc, env, tokensPerRound);
    process.env['KRB5RCACHENAME'] = newCache();
    const time = await processorTime(tokens.length, async () => {
      for (const token of tokens) {
        const server = await kerberos?.initializeServer('HTTP@localhost');
        await server?.step(token.toString('base64'));
        if (server?.username !== 'alice@TEST.LOCAL') throw new Error('not alice');
      }
    });
    delete process.env['KRB5RCACHENAME'];
    return time;
  };
  const own = [ours, nameInC, identityInC];
  const sides = kerberos === undefined ? own : [...own, npm];
  await warmUp(kdc, env);
  const [values = [], c = [], cIdentity = [], theirs] = await interleaved(sides, rounds, (side) => side());
  const ratio = pairedRatio(values, c);
  const identityRatio = pairedRatio(values, cIdentity);
  const rows: Row[] = [
    {
      name: `SPNEGO and Kerberos accept, identity included, processor time: ${ratio.toFixed(2)} of C that reads the name`,
      value: median(values),
      baseline: median(c),
      unit: 'µs',
      aim: { text: `<= ${mostTimesC} of C`, met: ratio <= mostTimesC },
      rounds: values,
      baselineRounds: c,
    },
    {
      name: `the same: ${identityRatio.toFixed(2)} of C that reads the name and asks for the PAC`,
      value: median(values),
      baseline: median(cIdentity),
      unit: 'µs',
      aim: { text: `<= ${mostTimesC} of C`, met: identityRatio <= mostTimesC },
      rounds: values,
      baselineRounds: cIdentity,
    },
  ];
  if (theirs !== undefined) {
    const faster = pairedRatio(theirs, values);
    rows.push({
      name: `the same with npm kerberos: ${faster.toFixed(2)} of ours`,
      value: median(theirs),
      baseline: median(values),
      unit: 'µs',
      aim: { text: `>= ${leastTimesNpm} of ours`, met: faster >= leastTimesNpm },
      rounds: theirs,
      baselineRounds: values,
    });
  }
  return rows;
}

/** Accepts of a set of tokens over and over; without a replay cache one set serves them all. */
async function repeated(
  kdc: Kdc,
  env: Readonly<Record<string, string>>,
  work: (run: (count: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const tokens = await freshTokens(kdc, env, tokensPerRound);
  const credential = await acquire(kdc, 'none:');
  try {
    await work(async (count) => {
      for (let done = 0; done < count; done++) {
        const token = tokens[done % tokens.length];
        if (token !== undefined) await accept(credential, token);
      }
    });
  } finally {
    Sspi.freeCredentialsHandle(credential);
  }
}

/** A server runs for weeks: what V8 spends on compiling in its first seconds is no part of a sign-in. */
async function warmUp(kdc: Kdc, env: Readonly<Record<string, string>>): Promise<void> {
  await repeated(kdc, env, (run) => run(warmUpAccepts));
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
  await repeated(kdc, env, async (run) => {
    await run(warmUpAccepts);
    const before = kept();
    await run(leakAccepts);
    grown = kept() - before;
  });
  const handles = Sspi.liveHandles().contexts;
  return {
    name: `memory kept after ${leakAccepts} accepts (used heap and all outside the heap); ${handles} contexts left`,
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
    const kerberos = await npmKerberos(progress).catch((error: unknown) => leaveOut('npm kerberos', error));
    await using kdc = await startKdc();
    Object.assign(process.env, kdc.env);
    const env = await kdc.signIn('alice');
    const program = kdc.file('kerberos-accept');
    const source = fileURLToPath(new URL('kerberos-accept.c', import.meta.url));
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror'];
    await runChecked('gcc', [...flags, '-o', program, source, '-lgssapi_krb5', '-lkrb5']);
    progress(`${tokensPerRound} fresh tokens a round and side`);
    const rows = await acceptRows(kdc, env, program, kerberos);
    progress(`${leakAccepts} accepts in a row`);
    return [...rows, await leakRow(kdc, env)];
  },
};
export default benchmark;
