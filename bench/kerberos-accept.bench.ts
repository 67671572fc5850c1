/**
 * One SPNEGO and Kerberos accept through acceptSecurityContext, identity included, against the same from C and against
 * npm kerberos where that is installed. Same KDC, same kind of keytab (in memory), a replay cache each; processor time.
 * C twice: with the client's name alone, and with its PAC asked for as well, which is what the identity here is made of.
 * Then 100 000 accepts in a row, and what they left in memory.
 */
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as Sspi from 'sspi-auth/sspi';
import { startKdc } from '../test/lab/kdc.ts';
import type { Kdc } from '../test/lab/kdc.ts';
import { runChecked } from '../test/lab/process.ts';
import { interleaved, median, pairedRatio } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';

const rounds = 11;
const tokensPerRound = 1000;
const warmUpAccepts = 20_000;
const leakAccepts = 100_000;
const mostTimesC = 1.25;
const leastTimesNpm = 3;
const mostLeakBytes = 16 * 1024 * 1024;

/** Tokens of MIT's own client: each after its length in four bytes, little-endian. */
const clientScript = `
import struct, sys, gssapi
spnego = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
name = gssapi.Name("HTTP@localhost", gssapi.NameType.hostbased_service)
with open(sys.argv[1], "wb") as file:
    for _ in range(int(sys.argv[2])):
        token = gssapi.SecurityContext(name=name, mech=spnego, usage="initiate",
            flags=[gssapi.RequirementFlag.mutual_authentication]).step()
        file.write(struct.pack("<I", len(token)) + token)
`;

interface NpmKerberos {
  initializeServer(service: string): Promise<{ step(challenge: string): Promise<string>; username: string | null }>;
}

function npmKerberos(): NpmKerberos | undefined {
  try {
    return createRequire(import.meta.url)('kerberos') as NpmKerberos;
  } catch {
    return undefined;
  }
}

/** Writes a file of fresh tokens. */
async function freshTokens(kdc: Kdc, env: Readonly<Record<string, string>>, count: number): Promise<string> {
  const path = kdc.file('tokens');
  await runChecked('/usr/bin/python3', ['-c', clientScript, path, String(count)], { env, timeout: 300_000 });
  return path;
}

async function readTokens(path: string): Promise<Buffer[]> {
  const bytes = await readFile(path);
  const tokens: Buffer[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = bytes.readUInt32LE(at);
    tokens.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return tokens;
}

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

async function acceptRows(kdc: Kdc, env: Readonly<Record<string, string>>, program: string): Promise<Row[]> {
  let serial = 0;
  const newCache = (): string => `file2:${kdc.file(`replay-${++serial}`)}`;
  const ours = async (): Promise<number> => {
    const tokens = await readTokens(await freshTokens(kdc, env, tokensPerRound));
    const credential = await acquire(kdc, newCache());
    const time = await processorTime(tokens.length, async () => {
      for (const token of tokens) await accept(credential, token);
    });
    Sspi.freeCredentialsHandle(credential);
    return time;
  };
  const inC = async (words: readonly string[]): Promise<number> => {
    const path = await freshTokens(kdc, env, tokensPerRound);
    return Number(await runChecked(program, [`FILE:${kdc.keytab}`, newCache(), path, ...words], { env }));
  };
  const nameInC = (): Promise<number> => inC([]);
  const identityInC = (): Promise<number> => inC(['identity']);
  const kerberos = npmKerberos();
  const npm = async (): Promise<number> => {
    const tokens = await readTokens(await freshTokens(kdc, env, tokensPerRound));
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
  const tokens = await readTokens(await freshTokens(kdc, env, tokensPerRound));
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
  async run(progress) {
    await using kdc = await startKdc();
    Object.assign(process.env, kdc.env);
    const env = await kdc.signIn('alice');
    const program = kdc.file('kerberos-accept');
    const source = fileURLToPath(new URL('kerberos-accept.c', import.meta.url));
    const flags = ['-O2', '-Wall', '-Wextra', '-Werror'];
    await runChecked('gcc', [...flags, '-o', program, source, '-lgssapi_krb5', '-lkrb5']);
    if (npmKerberos() === undefined) progress('npm kerberos is not installed: left out');
    progress(`${tokensPerRound} fresh tokens a round and side`);
    const rows = await acceptRows(kdc, env, program);
    progress(`${leakAccepts} accepts in a row`);
    return [...rows, await leakRow(kdc, env)];
  },
};
export default benchmark;
