/** A user with many groups: all of them arrive, by their SIDs and by their names. `--groups 300` says how many at least. */
import { signIn } from './clients.ts';
import { GuardedServer, readWhoAmI } from './guarded-server.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';

const settings = readSettings('groups');
const least = settings.number('groups', 1);
const report = await Report.begin(`a user with ${least} groups or more`);

for (const scheme of settings.schemes) {
  await GuardedServer.serve(settings, { schemes: [scheme] }, {}, async (server) => {
    for (const time of ['first', 'second']) {
      const what = `${scheme}, ${time} sign-in`;
      const found = readWhoAmI(await signIn(settings, server, scheme));
      if (found === undefined) {
        report.fail(
          what,
          server.refusals.at(-1) ?? 'no sign-in and no refusal: is the field longer than maxHeaderSize?',
        );
        continue;
      }
      const { groups, fieldLength, package: ran } = found;
      const sids = new Set(groups.map(({ sid }) => sid));
      report.check(`${what}: ${least} groups`, sids.size >= least && !sids.has(undefined), sids.size);
      const named = groups.filter(({ name }) => name !== undefined).length;
      // Names that took longer than half a second come to the next sign-in.
      if (time === 'second')
        report.check(`${what}: ${least} have names`, named >= least, `${named} of ${groups.length}`);
      report.value(what, { package: ran, groups: groups.length, named, fieldLength, ms: milliseconds(server) });
    }
  });
}
report.end();

function milliseconds(server: GuardedServer): number | undefined {
  return server.signIns.at(-1)?.durationMilliseconds;
}
