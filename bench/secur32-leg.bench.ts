/**
 * One leg through native/secur32 against the same calls from C, on WinPR; and what a slow provider does to the event
 * loop. Processor time for the comparison with C; the loop's delay is what a clock sees.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { secur32Packages } from '../src/native/secur32/index.ts';
import * as Sspi from '../src/sspi/index.ts';
import { installPackages } from '../test/lab/debian.ts';
import { runChecked } from '../test/lab/process.ts';
import { scratchFolder } from '../test/lab/scratch.ts';
import { buildScriptedSspi } from '../test/lab/scripted-sspi.ts';
import { negotiateMessage, WINDOWS_FLAGS } from '../test/packages/ntlm/ntlm-client.ts';
import { interleaved, median } from './measurement.ts';
import type { Benchmark, Row } from './measurement.ts';

const library = 'libwinpr2.so.2';
const rounds = 15;
const legs = 2000;
const mostMicroseconds = 20;
const latencyMilliseconds = 100;
/** How much later than without load a timer may be, at the 99th percentile. */
const mostDelayMilliseconds = 10;
const signInsAtOnce = 64;

const token = negotiateMessage(WINDOWS_FLAGS);

async function credentialOf(path: string, synchronous: boolean): Promise<Sspi.CredentialHandle> {
  const found = secur32Packages(path, { synchronous }).find(({ info }) => info.name === 'NTLM');
  if (found === undefined) throw new Error(`${path} has no NTLM`);
  return Sspi.acquireCredentialsHandle({ package: found, credentialUse: 'inbound' });
}

function accept(
  credential: Sspi.CredentialHandle,
  data: Uint8Array,
): Sspi.AcceptSecurityContextResult | Promise<Sspi.AcceptSecurityContextResult> {
  return Sspi.acceptSecurityContext({
    credential,
    context: undefined,
    input: [{ type: Sspi.SECBUFFER_TOKEN, data }],
    requirements: Sspi.ASC_REQ_CONNECTION,
    targetDataRep: Sspi.SECURITY_NATIVE_DREP,
  });
}

async function microsecondsPerLeg(credential: Sspi.CredentialHandle): Promise<number> {
  const start = process.cpuUsage();
  for (let leg = 0; leg < legs; leg++) {
    const { status, context } = await accept(credential, token);
    if (context === undefined) throw new Error(Sspi.statusName(status));
    Sspi.deleteSecurityContext(context);
  }
  const { user, system } = process.cpuUsage(start);
  return (user + system) / legs;
}

async function legRows(program: string): Promise<Row[]> {
  const hexadecimal = Buffer.from(token).toString('hex');
  const inC = async (): Promise<number> => Number(await runChecked(program, [library, String(legs), hexadecimal]));
  const [synchronous, asynchronous] = [await credentialOf(library, true), await credentialOf(library, false)];
  const sides = [inC, () => microsecondsPerLeg(synchronous), () => microsecondsPerLeg(asynchronous)];
  const [baselineRounds = [], ...measured] = await interleaved(sides, rounds, (side) => side());
  Sspi.freeCredentialsHandle(synchronous);
  Sspi.freeCredentialsHandle(asynchronous);
  const baseline = median(baselineRounds);
  return measured.map((values, index): Row => {
    const value = median(values);
    const name = index === 0 ? 'one leg, called at once' : 'one leg, off the event loop (as servers do)';
    const aim = { text: `<= ${mostMicroseconds} µs more than C`, met: value - baseline <= mostMicroseconds };
    return {
      name: `${name}, processor time; C beside it`,
      value,
      baseline,
      unit: 'µs',
      rounds: values,
      baselineRounds,
      ...(index === 0 ? { aim } : undefined),
    };
  });
}

/** Milliseconds by which a timer is late at the 99th percentile, while some work runs. */
async function loopDelay(work: () => Promise<void>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  await work();
  histogram.disable();
  return histogram.percentile(99) / 1e6;
}

async function delayRow(path: string): Promise<Row> {
  const credential = await credentialOf(path, false);
  const script = Buffer.from(`status=0 sleep=${latencyMilliseconds} name=LAB\\alice`);
  const signIns = async (): Promise<void> => {
    const one = async (): Promise<void> => {
      const { context } = await accept(credential, script);
      if (context !== undefined) Sspi.deleteSecurityContext(context);
    };
    await Promise.all(Array.from({ length: signInsAtOnce }, one));
  };
  const idle = (): Promise<void> => delay(2000);
  const [values = [], baselineRounds = []] = await interleaved([signIns, idle], 5, loopDelay);
  Sspi.freeCredentialsHandle(credential);
  const [value, baseline] = [median(values), median(baselineRounds)];
  const aim = {
    text: `<= ${mostDelayMilliseconds} ms more than idle`,
    met: value - baseline <= mostDelayMilliseconds,
  };
  const name = `event loop, p99 delay under ${signInsAtOnce} sign-ins of ${latencyMilliseconds} ms; idle beside it`;
  return { name, value, baseline, unit: 'ms', aim, rounds: values, baselineRounds };
}

const benchmark: Benchmark = {
  name: 'SSPI of the operating system through koffi (WinPR)',
  async run(progress) {
    await using folder = await scratchFolder('secur32-bench');
    const program = folder.file('accept-leg');
    const source = fileURLToPath(new URL('accept-leg.c', import.meta.url));
    await installPackages(['gcc', 'libc6-dev'], progress);
    await runChecked('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source, '-ldl']);
    const scripted = await buildScriptedSspi(folder);
    process.env['WLOG_LEVEL'] = 'OFF';
    progress(`${legs} first legs of NTLM a round, from C, at once, off the loop`);
    const rows = await legRows(program);
    progress(`${signInsAtOnce} sign-ins at once with a provider that takes ${latencyMilliseconds} ms`);
    return [...rows, await delayRow(scripted.path)];
  },
};
export default benchmark;
