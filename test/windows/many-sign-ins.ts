/** Thousands of sign-ins, each over a connection of its own, and what is held after them. `--count 10000` */
import { liveHandles, liveNativeHandles } from 'sspi-auth/sspi';
import { curlConfiguration, signIn } from './clients.ts';
import { GuardedServer } from './guarded-server.ts';
import { isWindows, powershell, run, systemProgram } from './programs.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';
import type { ClientScheme } from './settings.ts';

/** Handles of the process that a run may add: threads, sockets that close, the heap of V8. A leak has one for each sign-in. */
const SPARE_HANDLES = 200;

const settings = readSettings('count', 'batch');
const count = settings.number('count', 10_000);
const batch = Math.min(settings.number('batch', 500), count);
const report = await Report.begin(`${count} sign-ins`);

/** Handles of this process, as Windows counts them; undefined if it does not say. */
async function handleCount(): Promise<number | undefined> {
  if (!isWindows) return undefined;
  try {
    // Wine's PowerShell says nothing.
    return Number(await powershell(`(Get-Process -Id ${process.pid}).HandleCount`)) || undefined;
  } catch {
    return undefined;
  }
}

/** As many sign-ins of one client as a batch has. Gives how many were admitted. */
async function signInOften(server: GuardedServer, scheme: ClientScheme): Promise<number> {
  if (settings.client === 'outside') {
    let admitted = 0;
    for (let index = 0; index < batch; index++)
      admitted += Number((await signIn(settings, server, scheme)).status === 200);
    return admitted;
  }
  const words = [
    `--${scheme.toLowerCase()}`,
    '-sS',
    '-K',
    '-',
    '-w',
    '\\n%{http_code}\\n',
    `${server.url()}[1-${batch}]`,
  ];
  const { stdout } = await run(systemProgram('curl'), words, curlConfiguration(settings.credentials));
  return stdout.split('\n').filter((line) => line.trim() === '200').length;
}

for (const scheme of settings.schemes) {
  await GuardedServer.serve(settings, { schemes: [scheme] }, { endsConnections: true }, async (server) => {
    // What is made once and kept comes first.
    await signInOften(server, scheme);
    const before = await handleCount();
    const memory = process.memoryUsage.rss();
    const start = performance.now();
    let admitted = 0;
    const batches = Math.ceil(count / batch);
    for (let index = 0; index < batches; index++) admitted += await signInOften(server, scheme);
    const seconds = (performance.now() - start) / 1000;
    const after = await handleCount();
    report.check(`${scheme}: all were admitted`, admitted === batches * batch, {
      admitted,
      last: server.refusals.at(-1),
    });
    const held = { contract: liveHandles().contexts, ...liveNativeHandles(), credentials: 0 };
    const rest = Object.values(held).reduce((sum, number) => sum + number, 0);
    // The last connection may not have closed yet.
    report.check(`${scheme}: sspi-auth holds nothing of them`, rest <= 2, held);
    if (before === undefined || after === undefined) report.value(`${scheme}: handles of the process`, 'not known');
    else report.check(`${scheme}: handles of the process`, after - before <= SPARE_HANDLES, `${before}, then ${after}`);
    report.value(`${scheme}: sign-ins per second`, Math.round(admitted / seconds));
    report.value(`${scheme}: memory added, MiB`, Math.round((process.memoryUsage.rss() - memory) / 2 ** 20));
  });
}
report.end();
