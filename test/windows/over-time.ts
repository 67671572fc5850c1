/**
 * A sign-in every few seconds while something happens to the domain: its controllers are cut off, the password of the
 * group-managed account changes, a service account gets a new password. Prints what changes.
 *
 * `--minutes 60 --every 10 --purge yes`: yes throws the client's tickets away before each sign-in.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { signIn } from './clients.ts';
import { GuardedServer, readWhoAmI } from './guarded-server.ts';
import { isWindows, run, systemProgram } from './programs.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';

/** How long the server may stand still, in milliseconds. Calls that wait for a domain controller run on threads. */
const MAX_STANDSTILL = 500;

const settings = readSettings('minutes', 'every', 'purge', 'host');
const minutes = settings.number('minutes', 10);
const every = settings.number('every', 10) * 1000;
const report = await Report.begin(`sign-ins over ${minutes} minutes`);
await GuardedServer.serve(settings, { schemes: ['Negotiate'] }, { host: '0.0.0.0' }, async (server) => {
  const url = server.url(settings.own('host') ?? 'localhost');
  const standstill = monitorEventLoopDelay({ resolution: 20 });
  standstill.enable();

  let last = '';
  let slowest = 0;
  const counts = new Map<string, number>();
  const end = performance.now() + minutes * 60_000;
  do {
    if (isWindows && settings.own('purge') === 'yes') await run(systemProgram('klist'), ['purge']);
    const refusals = server.refusals.length;
    const start = performance.now();
    let found: string;
    try {
      const user = readWhoAmI(await signIn(settings, server, 'Negotiate', { url }));
      const refused = server.refusals.slice(refusals).at(-1);
      const named = user?.groups.filter(({ name }) => name !== undefined).length;
      found =
        user === undefined
          ? `${refused?.reason ?? 'refused'}: ${refused?.diagnosis ?? ''}`
          : `${user.package}, ${user.name}, ${named ?? 0} of ${user.groups.length} groups have names`;
    } catch (error) {
      found = error instanceof Error ? error.message : String(error);
    }
    const took = Math.round(performance.now() - start);
    slowest = Math.max(slowest, took);
    counts.set(found, (counts.get(found) ?? 0) + 1);
    if (found !== last) report.value(new Date().toISOString(), `${found} (${took} ms)`);
    last = found;
    await delay(Math.max(0, Math.min(every - took, end - performance.now())));
  } while (performance.now() < end);

  for (const [found, count] of counts) report.value(`${count} times`, found);
  report.value('slowest sign-in, ms', slowest);
  const longest = Math.round(standstill.max / 1e6);
  report.check(`the server never stood still for ${MAX_STANDSTILL} ms`, longest <= MAX_STANDSTILL, `${longest} ms`);
});
report.end();
