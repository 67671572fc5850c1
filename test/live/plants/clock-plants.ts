/** Mistakes of clocks: programs that take another time for the right one (faketime). */
import type { Plant } from '../../lab/plants/plant.ts';
import { negotiateStatus } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { serve, serveApart } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { fakeTimeEnv, fakeTimeWords } from '../../lab/fake-time.ts';
import { curl } from '../../lab/curl.ts';

const cure = /NTP|chrony|timedatectl|w32tm/;
const curl401 = { client: 'curl', answer: 401 } as const;

/** A server whose clock is off. */
const serveAt =
  (offset: string) =>
  ({ kdc }: Realm): Promise<Site> =>
    serveApart({ options: { keytab: kdc.keytab }, env: { ...kdc.env, ...fakeTimeEnv(offset) } });
const visit = (site: Site, realm: Realm): Promise<number> => negotiateStatus(site.url(), realm.alice);

/** The table. */
export const clockPlants: readonly Plant<Realm>[] = [
  {
    ...curl401,
    planted: 'the clock of the client is twenty minutes ahead',
    kind: 'clock',
    plant: ({ kdc }) => serve({ keytab: kdc.keytab }),
    visit: async (site, realm) => {
      const words = ['--negotiate', '-u', ':', site.url()];
      return (await curl(words, { env: realm.alice }, fakeTimeWords('+1200s'))).status;
    },
    cause: /SEC_E_TIME_SKEW.*clock is (1199|120\d) seconds ahead/,
    cure,
  },
  {
    ...curl401,
    planted: 'the clock of the server is ten minutes ahead',
    kind: 'clock',
    plant: serveAt('+600s'),
    visit,
    cause: /SEC_E_TIME_SKEW.*clock is (599|60\d) seconds behind/,
    cure,
  },
  {
    ...curl401,
    planted: 'the clock of the server is ten minutes behind',
    kind: 'clock',
    plant: serveAt('-600s'),
    visit,
    cause: /SEC_E_TIME_SKEW.*clock is (599|60\d) seconds ahead|SEC_E_TIME_SKEW.*(not yet valid|begins)/,
    cure,
  },
  {
    ...curl401,
    planted: 'the clock of the server is ahead by more than the life of a ticket',
    kind: 'clock, far off',
    plant: serveAt('+43200s'),
    visit,
    cause: /(this server's clock|the server's clock|clock).*(ahead|behind)/,
    cure,
    misleads: /the client's ticket for \S+ has expired$/m,
  },
];
