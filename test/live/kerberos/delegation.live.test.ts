import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { after, before, describe, it } from 'node:test';
import express from 'express';
import { sspiAuth } from '../../../adapters/express.ts';
import type { Identity, SspiAuthOptions } from '../../../src/index.ts';
import { liveHandles } from '../../../src/sspi/index.ts';
import { curl } from '../../lab/curl.ts';
import type { CurlResult } from '../../lab/curl.ts';
import { canMakeNamespaces, startSambaAd } from '../../lab/samba-ad.ts';
import type { SambaDomain } from '../../lab/samba-ad.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { heimdal, mit, portable, useRealm } from './acceptor.ts';

const ready = await tier('samba-ad', [], canMakeNamespaces);
const gssapis = [
  { ...mit, ready },
  { ...portable, ready },
  { ...heimdal, ready: ready.skip === false ? await tier('heimdal') : ready },
];
const negotiate = ['--negotiate', '-u', ':'];
const firstUrl = 'http://localhost/';
const secondUrl = 'http://web.corp.example.test/';
const nothing = 'nothing delegated';

/** A server on a Unix socket: curl reaches it from inside the domain's network, where the KDC is. */
interface SocketServer {
  readonly path: string;
  close(): Promise<void>;
}

async function listening(server: Server, path: string, close: () => void | Promise<void>): Promise<SocketServer> {
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await close();
    },
  };
}

describe('delegation in an Active Directory', ready, () => {
  let domain: SambaDomain;
  let folder: ScratchFolder;
  let second: SocketServer;
  let secondHops = 0;
  before(async () => {
    domain = await startSambaAd();
    useRealm(domain);
    folder = await scratchFolder('delegation');
    second = await startSecond();
  });
  after(async () => {
    await second.close();
    await folder.remove();
    await domain.stop();
    assert.equal(liveHandles().contexts, 0);
  });

  const request = (
    path: string,
    url: string,
    env: Readonly<Record<string, string>>,
    words: readonly string[] = [],
  ): Promise<CurlResult> =>
    curl([...negotiate, ...words, '--unix-socket', path, url], { env }, domain.namespace.wrapper);

  /** Says who called. */
  const startSecond = async (): Promise<SocketServer> => {
    const app = express();
    app.set('env', 'test');
    const auth = sspiAuth({ keytab: domain.keytab, requirePac: true });
    app.use(auth);
    app.get('/', (incoming, response) => {
      secondHops++;
      response.json(incoming.user);
    });
    const server = createServer(app);
    auth.attach(server);
    return listening(server, folder.file('second'), () => auth.close());
  };

  /** Passes each request on to the second server with what the client delegated. */
  const startFirst = async (
    name: string,
    options: SspiAuthOptions,
  ): Promise<SocketServer & { readonly caches: string[]; readonly ended: () => Promise<void> }> => {
    const caches: string[] = [];
    const app = express();
    app.set('env', 'test');
    const auth = sspiAuth({ keytab: domain.keytab, ...options });
    app.use(auth);
    app.get('/', (incoming, response, next) => {
      const cache = incoming.sspi?.delegatedCredentials?.credentialCache;
      if (cache === undefined) return void response.send(nothing);
      caches.push(cache);
      assert.ok(existsSync(cache.replace(/^FILE:/, '')), cache);
      // The service's own environment, and no ticket but the delegated one.
      request(second.path, secondUrl, { ...domain.env, KRB5CCNAME: cache }).then(
        ({ status, body }) => response.status(status).type('json').send(body),
        next,
      );
    });
    const server = createServer(app);
    auth.attach(server);
    let open = 0;
    let told: (() => void) | undefined;
    server.on('connection', (socket) => {
      open++;
      socket.once('close', () => {
        if (--open === 0) told?.();
      });
    });
    const running = await listening(server, folder.file(name), () => auth.close());
    const ended = async (): Promise<void> => {
      if (open > 0) await new Promise<void>((resolve) => (told = resolve));
    };
    return { ...running, caches, ended };
  };

  const sidOf = async (name: string): Promise<string> =>
    (await domain.namespace.runChecked('wbinfo', ['-n', `CORP\\${name}`])).split(' ')[0] ?? '';

  /** alice on the second server, as the domain knows her. */
  const isAlice = async ({ status, body }: CurlResult): Promise<void> => {
    assert.equal(status, 200, body);
    const user = JSON.parse(body) as Identity;
    assert.equal(user.name, 'CORP\\alice');
    assert.equal(user.package, 'Kerberos');
    assert.equal(user.sid, await sidOf('alice'));
    const groups = user.groups.map(({ sid }) => sid);
    for (const name of ['Engineering', 'Domain Users']) assert.ok(groups.includes(await sidOf(name)), body);
  };

  const gone = (caches: readonly string[]): void => {
    for (const cache of caches) {
      assert.match(cache, /^FILE:/);
      assert.equal(existsSync(cache.replace(/^FILE:/, '')), false, cache);
    }
  };

  for (const { name: gssapi, options, ready: runs } of gssapis)
    describe(gssapi, runs, () => {
      it('a handler calls a second server as alice, groups included, and the cache ends with the connection', async () => {
        const first = await startFirst('first', { ...options, delegate: true });
        const alice = await domain.signIn('alice', [], ['-f']);
        await isAlice(await request(first.path, firstUrl, alice, ['--delegation', 'always']));
        assert.equal(first.caches.length, 1);
        // The server still runs: it is the connection's end that destroys.
        await first.ended();
        gone(first.caches);
        assert.equal((await request(first.path, firstUrl, alice)).body, nothing);
        const fixed = await domain.signIn('alice', [], ['-F']);
        assert.equal((await request(first.path, firstUrl, fixed, ['--delegation', 'always'])).body, nothing);
        await first.close();
      });

      it('without the option nothing is kept of what alice forwards', async () => {
        const hops = secondHops;
        const first = await startFirst('plain', options);
        const alice = await domain.signIn('alice', [], ['-f']);
        const { status, body } = await request(first.path, firstUrl, alice, ['--delegation', 'always']);
        assert.equal(status, 200);
        assert.equal(body, nothing);
        assert.equal(secondHops, hops);
        await first.close();
      });

      it('a client that asks the domain forwards only to an account trusted for delegation', async () => {
        const first = await startFirst('trusted', { ...options, delegate: true });
        const byPolicy = ['--delegation', 'policy'];
        const trust = (word: 'on' | 'off'): Promise<string> =>
          domain.namespace.runChecked('samba-tool', ['delegation', 'for-any-service', 'svc-web', word]);
        const before = await domain.signIn('alice', [], ['-f']);
        assert.equal((await request(first.path, firstUrl, before, byPolicy)).body, nothing);
        await trust('on');
        const trusting = await domain.signIn('alice', [], ['-f']);
        await isAlice(await request(first.path, firstUrl, trusting, byPolicy));
        await trust('off');
        await first.close();
        gone(first.caches);
      });
    });
});
