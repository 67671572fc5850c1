/** Mistakes between client and server: proxies, headers, limits of fields. */
import { createServer as createHttp2Server } from 'node:http2';
import { curl } from '../../lab/curl.ts';
import { startNginx } from '../../lab/nginx.ts';
import { plantAccounts, requestsStatus } from '../../lab/plants/accounts.ts';
import type { Plant } from '../../lab/plants/plant.ts';
import { negotiateStatus } from '../../lab/plants/realm.ts';
import type { Realm } from '../../lab/plants/realm.ts';
import { behind, protectedListener, serve, siteOf } from '../../lab/plants/site.ts';
import type { Site } from '../../lab/plants/site.ts';
import { listen } from '../../lab/ports.ts';
import { PlantLog } from '../../lab/plants/plant-log.ts';

const accounts = plantAccounts;
const limits = { handshakeMilliseconds: 300 };
const ntlm = ['--ntlm', '-u', 'CORP\\alice:Wonderland-7'];
const digest = ['--digest', '-u', 'alice:Wonderland-7'];
const padded = (bytes: number): readonly string[] => ['-H', `Authorization: Negotiate ${'QUJD'.repeat(bytes / 4)}`];
const keepAlive = 'proxy_http_version 1.1; proxy_set_header Connection "";';
const passes = (site: Site): string => `proxy_pass http://127.0.0.1:${site.port};`;

async function behindNginx(site: Site, location: string): Promise<Site> {
  const nginx = await startNginx(`location / { ${passes(site)} ${location} }`);
  return behind(site, nginx.port, nginx);
}

/** Two servers with a log in common, asked in turn. */
async function inTurn(first: Site, second: Site): Promise<Site> {
  const servers = [first, second].map(({ port }) => `server 127.0.0.1:${port};`).join(' ');
  const nginx = await startNginx(
    `location / { proxy_pass http://nodes; ${keepAlive} }`,
    `upstream nodes { ${servers} keepalive 8; }`,
  );
  return behind(first, nginx.port, second, nginx);
}

const overNginx = { client: 'curl, nginx in between', answer: 401 } as const;
const handshake = {
  cause: /SEC_E_INVALID_TOKEN.*first leg came over another|SEC_E_INVALID_TOKEN.*without a handshake/,
  cure: /proxy/,
} as const;

/** The table. */
export const proxyPlants: readonly Plant<Realm>[] = [
  {
    ...overNginx,
    ...handshake,
    planted: 'NTLM through nginx as it comes, with a connection for each request',
    kind: 'NTLM',
    plant: async () => behindNginx(await serve({ accounts, schemes: ['NTLM'] }), ''),
    visit: async (site) => (await curl([...ntlm, site.url()])).status,
  },
  {
    ...overNginx,
    ...handshake,
    planted: 'NTLM to two servers that a balancer asks in turn',
    kind: 'NTLM',
    async plant() {
      const log = new PlantLog();
      const node = (): Promise<Site> => serve({ accounts, schemes: ['NTLM'] }, undefined, log);
      return inTurn(await node(), await node());
    },
    visit: async (site) => (await curl([...ntlm, site.url()])).status,
  },
  {
    ...overNginx,
    planted: 'Digest to two servers that a balancer asks in turn, without a common digest.secret',
    kind: 'Digest',
    async plant() {
      const log = new PlantLog();
      const node = (): Promise<Site> => serve({ accounts, schemes: ['Digest'] }, undefined, log);
      return inTurn(await node(), await node());
    },
    visit: async (site) => (await curl([...digest, site.url()])).status,
    cause: /nonce is not one of this server|another process|made by another/,
    cure: /digest\.secret/,
  },
  {
    ...overNginx,
    client: 'curl --anyauth, nginx in between',
    planted: 'the proxy strips WWW-Authenticate',
    kind: 'stripped',
    plant: async () =>
      behindNginx(
        await serve({ accounts, schemes: ['Digest'], limits }),
        'proxy_hide_header WWW-Authenticate; proxy_set_header X-Forwarded-For $remote_addr;',
      ),
    visit: async (site) => (await curl(['--anyauth', '-u', 'alice:Wonderland-7', site.url()])).status,
    cause: /WWW-Authenticate/,
    cure: /proxy_hide_header|passes on/,
  },
  {
    ...overNginx,
    client: 'requests, nginx in between',
    planted: 'the proxy strips Authorization',
    kind: 'stripped',
    plant: async () =>
      behindNginx(
        await serve({ accounts, schemes: ['Digest'], limits }),
        'proxy_set_header Authorization ""; proxy_set_header X-Forwarded-For $remote_addr;',
      ),
    visit: (site) => requestsStatus(site.url(), "HTTPDigestAuth('alice', 'Wonderland-7')"),
    cause: /Authorization/,
    cure: /proxy_set_header|passes on/,
  },
  {
    ...overNginx,
    client: 'curl --negotiate, nginx in between',
    planted: 'the proxy strips Authorization, and the client has a ticket',
    kind: 'stripped',
    plant: async ({ kdc }) =>
      behindNginx(
        await serve({ keytab: kdc.keytab, limits }),
        'proxy_set_header Authorization ""; proxy_set_header X-Forwarded-For $remote_addr;',
      ),
    visit: (site, realm) => negotiateStatus(site.url(), realm.alice),
    cause: /through a proxy/,
    cure: /passes on WWW-Authenticate and Authorization/,
    // The address is the one that nginx has of this server.
    misleads: /open the site by its name/,
  },
  {
    ...overNginx,
    planted: 'TLS ends at the proxy, and channelBinding is always',
    kind: 'channel binding',
    plant: async ({ kdc }) => behindNginx(await serve({ keytab: kdc.keytab, channelBinding: 'always' }), keepAlive),
    visit: (site, realm) => negotiateStatus(site.url(), realm.alice),
    cause: /SEC_E_BAD_BINDINGS.*(no TLS (of|to) this server|without TLS|no TLS)/,
    cure: /channelBinding/,
  },
  {
    ...overNginx,
    answer: 400,
    planted: 'the proxy cuts off the beginning of the path, and Digest signs the whole',
    kind: 'Digest path',
    plant: async () => behindNginx(await serve({ accounts, schemes: ['Digest'] }), 'rewrite ^/app(.*)$ $1 break;'),
    visit: async (site) => (await curl([...digest, `${site.url()}app/page`])).status,
    cause: /\/app\/page.*\/page/,
    cure: /a proxy (may have |has )?rewritten the path|rewrites the path/,
  },
  {
    ...overNginx,
    answer: 200,
    planted: 'the proxy sends each request twice (mirror)',
    kind: 'twice',
    async plant({ kdc }) {
      const site = await serve({ keytab: kdc.keytab });
      const nginx = await startNginx(
        `location / { mirror /copy; ${passes(site)} } location = /copy { internal; ${passes(site)} }`,
      );
      return behind(site, nginx.port, nginx);
    },
    visit: (site, realm) => negotiateStatus(site.url(), realm.alice),
    cause: /was used before/,
    cure: /a replay, or (one|a) request (that was )?(judged|verified|sent) twice|twice/,
  },
  {
    client: 'curl',
    answer: 431,
    planted: "the server has Node's limit for fields, and the user is in many groups",
    kind: 'large ticket',
    plant: ({ kdc }) => serve({ keytab: kdc.keytab }, {}),
    async visit(site, realm) {
      await negotiateStatus(site.url(), realm.alice);
      return (await curl([...padded(17_000), site.url()])).status;
    },
    cause: /^warn.*maxHeaderSize.*16384|^warn.*16384.*maxHeaderSize|^warn.*16 KiB/,
    cure: /recommendedServerOptions/,
  },
  {
    client: 'curl',
    answer: 401,
    planted: 'a token larger than limits.tokenBytes',
    kind: 'large ticket',
    plant: ({ kdc }) => serve({ keytab: kdc.keytab }),
    visit: async (site) => (await curl([...padded(65_548), site.url()])).status,
    cause: /token-too-large.*49161|token-too-large.*(49152|48 KiB)|limits\.tokenBytes.*token-too-large/,
    cure: /limits\.tokenBytes/,
  },
  {
    client: 'curl --http2-prior-knowledge',
    answer: 401,
    planted: 'NTLM wanted of a server of HTTP/2',
    kind: 'HTTP/2',
    async plant() {
      const log = new PlantLog();
      const { listener, parts } = protectedListener({ accounts, limits }, log);
      const server = createHttp2Server((request, response) => listener(request as never, response as never));
      const { port, ...running } = await listen(server);
      return siteOf(port, log, [...parts, running]);
    },
    visit: async (site) =>
      (
        await curl([
          '--http2-prior-knowledge',
          '-H',
          'Authorization: NTLM TlRMTVNTUAABAAAABoIIAAAAAAAAAAAAAAAAAAAAAAA=',
          site.url(),
        ])
      ).status,
    cause: /scheme-not-offered.*NTLM.*HTTP\/2|scheme-not-offered.*HTTP\/2.*NTLM/,
    cure: /Digest|HTTP\/1\.1/,
  },
  {
    client: 'curl',
    answer: 400,
    planted: 'two Authorization fields, one of them added on the way',
    kind: 'two fields',
    plant: async () => serve({ accounts, schemes: ['NTLM'] }),
    visit: async (site) =>
      (await curl(['-H', 'Authorization: Bearer x', '-H', 'Authorization: NTLM TlRMTVNTUAABAAAA', site.url()])).status,
    cause: /repeated-authorization/,
    cure: /(two|more than one) Authorization fields|proxy|one Authorization/,
  },
];
