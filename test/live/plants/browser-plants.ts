/** Mistakes that show in a browser. */
import { createServer } from 'node:http';
import { launchChromium } from '../../lab/chromium.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { named, serve } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { listen } from '../../lab/ports.ts';
import type { ListeningServer } from '../../lab/ports.ts';

const limits = { handshakeMilliseconds: 1000 };
const chromium401 = { client: 'Chromium', answer: 401 } as const;
const plant = ({ kdc }: Realm): Promise<Site> => serve({ keytab: kdc.keytab, limits });

/** The table. */
export const browserPlants: readonly Plant<Realm>[] = [
  {
    ...chromium401,
    planted: 'the browser is not told to trust the site, and the user has a ticket',
    kind: 'browser',
    plant,
    async visit(site, { alice }) {
      await using browser = await launchChromium({ env: alice });
      return (await browser.visit(site.url())).status;
    },
    cause: /none came.*host=localhost.*chromium-not-told/,
    cure: /AuthServerAllowlist/,
  },
  {
    ...chromium401,
    planted: 'the browser trusts every site, and the site is opened by its address',
    kind: 'browser',
    plant: async (realm) => named(await plant(realm), '127.0.0.1'),
    async visit(site, { alice }) {
      await using browser = await launchChromium({ env: alice, singleSignOnHosts: '*' });
      return (await browser.visit(site.url())).status;
    },
    cause: /none came.*no tickets? (for|can be had for) (an|the) address.*127\.0\.0\.1/,
    cure: /by (its|the|a) name/,
    misleads: /AuthServerAllowlist|klist/,
  },
  {
    client: 'Chromium',
    answer: 0,
    planted: 'a page of another origin fetches, and its preflight gets 401: the page sees no status',
    kind: 'browser, preflight',
    plant,
    async visit(site, { alice }) {
      await using page = await pageThatFetches(site.url());
      await using browser = await launchChromium({ env: alice, singleSignOnHosts: 'localhost' });
      await browser.visit(`http://localhost:${page.port}/`);
      return Number(page.seen());
    },
    cause: /^warn.*preflight from http:\/\/localhost:\d+/,
    cure: /skip: isPreflight/,
  },
];

/** A page that fetches another URL, and is loaded when that is done. */
async function pageThatFetches(url: string): Promise<ListeningServer & { seen(): string | undefined }> {
  let status: string | undefined;
  let loaded: (() => void) | undefined;
  const server = createServer((request, response) => {
    const [path, query] = (request.url ?? '').split('?');
    if (path === '/wait') loaded = () => response.end();
    else if (path === '/done') {
      status = query;
      response.end();
      loaded?.();
    } else {
      response.setHeader('Content-Type', 'text/html');
      response.end(
        `<img src="/wait"><script>
          fetch('${url}', { method: 'PUT', credentials: 'include' })
            .then(({ status }) => status, () => 0)
            .then((status) => fetch('/done?' + status));
        </script>`,
      );
    }
  });
  return { ...(await listen(server)), seen: () => status };
}
