/** Channel bindings over TLS: what the client saw against what the server showed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { connect, createServer as createTlsServer } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { sspiAuth } from '../../../adapters/node.ts';
import { endPointBindings } from '../../../src/crypto/end-point-bindings.ts';
import type { SspiAuthOptions } from '../../../src/index.ts';
import type { IncomingMessage } from 'node:http';
import { liveHandles } from '../../../src/sspi/index.ts';
import { selfSigned } from '../../lab/certificates.ts';
import type { KeyAndCertificate } from '../../lab/certificates.ts';
import { launchChromium } from '../../lab/chromium.ts';
import type { Chromium } from '../../lab/chromium.ts';
import { curl } from '../../lab/curl.ts';
import { listen } from '../../lab/ports.ts';
import { RawConnection, requestText } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { accounts, domain, signIn, users, winprTokens } from './clients.ts';

const readiness = [await tier('openssl'), await tier('curl'), await tier('winpr')];
const ready = readiness.find(({ skip }) => skip !== false) ?? readiness[0]!;
const browsers = await tier('browsers');

type Mode = NonNullable<SspiAuthOptions['channelBinding']>;
const modes: readonly Mode[] = ['never', 'whenSupported', 'always'];

interface SecureServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

/** An https server behind the node adapter that answers with the user and whether its channel is bound. */
async function serve(
  { key, cert }: KeyAndCertificate,
  options: SspiAuthOptions<IncomingMessage>,
): Promise<SecureServer> {
  const protect = sspiAuth({ accounts, domain, schemes: ['NTLM'], ...options });
  const server = createServer(
    { key, cert },
    protect(({ user, sspi }, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ user: user?.userName, channelBound: sspi?.channelBound }));
    }),
  );
  const { port } = await listen(server);
  return {
    port,
    url: `https://localhost:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      protect.close();
      await new Promise((resolve) => server.close(resolve));
      assert.equal(liveHandles().contexts, 0);
    },
  };
}

/** Somebody in the middle: TLS with a certificate of his own on one side, TLS to the server on the other. */
async function relay({ key, cert }: KeyAndCertificate, port: number): Promise<SecureServer> {
  const sockets = new Set<{ destroy(): void }>();
  const server = createTlsServer({ key, cert }, (client) => {
    const upstream = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('close', () => {
          client.destroy();
          upstream.destroy();
        });
    }
    client.pipe(upstream).pipe(client);
  });
  const { port: own } = await listen(server);
  return {
    port: own,
    url: `https://localhost:${own}/`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const bound = { user: 'alice', channelBound: true };
const unbound = { user: 'alice', channelBound: false };

describe('channel bindings of TLS', ready, () => {
  let own: KeyAndCertificate;
  let other: KeyAndCertificate;
  before(async () => {
    [own, other] = [await selfSigned(), await selfSigned()];
  });

  const alice = ['--ntlm', '-k', '-u', `${domain}\\alice:${users['alice']!}`];
  for (const [mode, expected] of [
    ['never', unbound],
    ['whenSupported', unbound],
    ['always', undefined],
  ] as const) {
    it(`curl, which sends none: ${mode} ${expected === undefined ? 'refuses' : 'accepts'}`, async () => {
      await using server = await serve(own, { channelBinding: mode });
      const response = await curl([...alice, server.url]);
      assert.equal(response.status, expected === undefined ? 401 : 200);
      if (expected !== undefined) assert.deepEqual(JSON.parse(response.body), expected);
    });
  }

  /** What WinPR says it saw, and what each mode makes of it. */
  const seen: readonly (readonly [string, () => Uint8Array | undefined, Readonly<Record<Mode, object | 401>>])[] = [
    ['the right certificate', () => endPointBindings(own.der), { never: unbound, whenSupported: bound, always: bound }],
    ['another certificate', () => endPointBindings(other.der), { never: unbound, whenSupported: 401, always: 401 }],
    // WinPR without bindings sends sixteen zeros: it knows them and saw none.
    ['none, and it knows of bindings', () => undefined, { never: unbound, whenSupported: 401, always: 401 }],
  ];
  for (const [name, bindings, expected] of seen) {
    for (const mode of modes) {
      it(`C16: WinPR that saw ${name}: ${mode}`, async () => {
        await using server = await serve(own, { channelBinding: mode });
        await using connection = await RawConnection.open(server.port, 'tls');
        using tokens = winprTokens('alice', users['alice'], bindings());
        const response = await signIn(connection, tokens);
        const wanted = expected[mode];
        assert.equal(response.status, wanted === 401 ? 401 : 200);
        if (wanted !== 401) assert.deepEqual(JSON.parse(response.body), wanted);
        assert.equal((await connection.exchange({})).status, response.status, 'and so it stays');
      });
    }
  }

  for (const [what, words] of [
    ['Ed25519', ['-newkey', 'ed25519']],
    ['RSA and SHA-3', ['-newkey', 'rsa:2048', '-sha3-256']],
  ] as const) {
    it(`a certificate without bindings (${what}): always refuses, whenSupported cannot ask, and says so once`, async () => {
      const odd = await selfSigned(words);
      const told: string[] = [];
      const logger = {
        info: () => undefined,
        error: () => undefined,
        // Not advice about the server.
        warn: (record: object, text: string) => {
          if (!('advice' in record)) told.push(text);
        },
      };
      await using lenient = await serve(odd, { channelBinding: 'whenSupported', logger });
      await using strict = await serve(odd, { channelBinding: 'always' });
      for (let count = 0; count < 2; count++) {
        assert.deepEqual(JSON.parse((await curl([...alice, lenient.url])).body), unbound);
      }
      assert.equal(told.length, 1);
      assert.match(told[0] ?? '', /has no channel bindings/);
      assert.equal((await curl([...alice, strict.url])).status, 401);
    });
  }

  it('A15: 5 MiB that are sent before the answer is read: 401, also where the connection ends with it', async () => {
    await using server = await serve(own, {});
    for (const fields of [[], ['Connection: close'], [`Content-Length: ${40 * 1024 * 1024}`]]) {
      const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      socket.pause();
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        const request = requestText({ method: 'POST', fields, body: Buffer.alloc(5 * 1024 * 1024) });
        socket.write(request, () => resolve());
      });
      const [answer] = (await once(socket.resume(), 'data')) as [Buffer];
      assert.match(answer.toString('latin1'), /^HTTP\/1\.1 401 /);
      socket.destroy();
    }
  });

  it('the certificate is that of the connection, also after the server has changed it', async () => {
    const protect = sspiAuth({ accounts, domain, schemes: ['NTLM'], channelBinding: 'always' });
    const server = createServer(
      own,
      protect((_request, response) => void response.end()),
    );
    const { port } = await listen(server);
    for (const certificate of [own, other, own]) {
      server.setSecureContext(certificate);
      await using connection = await RawConnection.open(port, 'tls');
      using tokens = winprTokens('alice', users['alice'], endPointBindings(certificate.der));
      assert.equal((await signIn(connection, tokens)).status, 200);
    }
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    protect.close();
  });

  it("without TLS, 'always' refuses everybody", async () => {
    const protect = sspiAuth({ accounts, domain, schemes: ['NTLM'], channelBinding: 'always' });
    const { createServer: createPlain } = await import('node:http');
    const server = createPlain(protect((_request, response) => void response.end()));
    const { port } = await listen(server);
    assert.equal((await curl([...alice, `http://127.0.0.1:${port}/`])).status, 401);
    server.closeAllConnections();
    server.close();
    protect.close();
  });
});

describe('Chromium over https', ready.skip === false ? browsers : ready, () => {
  let chromium: Chromium;
  let own: KeyAndCertificate;
  let other: KeyAndCertificate;
  before(async () => {
    chromium = await launchChromium();
    [own, other] = [await selfSigned(['-newkey', 'rsa:2048', '-sha384']), await selfSigned()];
  });
  after(async () => chromium.close());

  const options = {
    credentials: { username: `${domain}\\alice`, password: users['alice']! },
    ignoreCertificate: true,
  };
  for (const mode of modes) {
    it(`sends the bindings of the server's certificate: ${mode} accepts`, async () => {
      await using server = await serve(own, { channelBinding: mode });
      const visit = await chromium.visit(server.url, options);
      assert.equal(visit.status, 200);
      assert.deepEqual(JSON.parse(visit.body), mode === 'never' ? unbound : bound);
    });

    it(`C16: through somebody in the middle with another certificate: ${mode} ${mode === 'never' ? 'does not notice' : 'refuses'}`, async () => {
      await using server = await serve(own, { channelBinding: mode });
      await using middle = await relay(other, server.port);
      const visit = await chromium.visit(middle.url, options);
      assert.equal(visit.status, mode === 'never' ? 200 : 401);
    });
  }
});
