/** The strategy of Passport, with real connections. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { ExtractJwt, Strategy as JwtStrategy } from 'passport-jwt';
import { createHmac } from 'node:crypto';
import { requireUser, Strategy } from '../../adapters/passport.ts';
import type { PassportSspiAuthOptions } from '../../adapters/passport.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { accounts, begin, forgedTokens, ntlmField, signIn } from './raw-clients.ts';

const secret = 'a secret of at least thirty-two bytes';

function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/** Passport's types say `any`. */
function handlerOf(
  own: passport.Authenticator,
): (names: string | string[], options?: object) => express.RequestHandler {
  return (names, options) => own.authenticate(names, options ?? {}) as express.RequestHandler;
}

interface Running extends AsyncDisposable {
  readonly port: number;
  readonly calls: string[];
}

async function start(options: PassportSspiAuthOptions): Promise<Running> {
  const calls: string[] = [];
  const own = new passport.Passport();
  const strategy = new Strategy({ accounts, domain: 'LAB', ...options });
  // What Passport is told, in order.
  const { authenticate } = strategy;
  Object.defineProperty(strategy, 'authenticate', {
    value(this: Record<string, (...values: unknown[]) => void>, request: express.Request) {
      for (const name of ['success', 'fail', 'pass', 'error']) {
        const action = this[name];
        this[name] = (...values) => {
          calls.push(name);
          action?.apply(this, values);
        };
      }
      authenticate.call(this as unknown as Strategy, request);
    },
  });
  own.use(strategy);
  const options_ = { jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), secretOrKey: secret };
  own.use(
    new JwtStrategy(options_, (payload: { sub: string }, done) => {
      done(null, { name: payload.sub, userName: payload.sub, groups: [], package: 'JWT' });
    }),
  );
  own.serializeUser((user, done) => done(null, user));
  own.deserializeUser((user: Express.User, done) => done(null, user));
  const app = express();
  app.set('env', 'test');
  app.use('/session', session({ secret, resave: false, saveUninitialized: false }), own.session());
  const name = (request: express.Request, response: express.Response): void => {
    response.json({ user: request.user ?? null, scheme: request.sspi?.scheme ?? null });
  };
  app.get('/session/login', handlerOf(own)('sspi'), name);
  app.get('/session/page', name);
  app.use('/both', handlerOf(own)(['sspi', 'jwt'], { session: false }), name);
  app.use('/elsewhere', handlerOf(own)('sspi', { session: false, failureRedirect: '/login' }), name);
  app.use(handlerOf(own)('sspi', { session: false }));
  app.get('/user', requireUser, name);
  app.use(name);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    async [Symbol.asyncDispose]() {
      strategy.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('the strategy of Passport', () => {
  it('calls no function of Passport before the handshake has ended, then success', async () => {
    await using server = await start({});
    await using connection = await RawConnection.open(server.port);
    const tokens = forgedTokens({});
    const challenge = await begin(connection, tokens);
    assert.deepEqual(server.calls, []);
    const response = await connection.exchange({ fields: [ntlmField(tokens.last(challenge))] });
    assert.deepEqual([response.status, server.calls], [200, ['success']]);
    assert.match(response.body, /"userName":"alice".*"scheme":"NTLM"/);
    assert.equal((await connection.exchange({})).status, 200);
    assert.equal((await connection.exchange({ target: '/user' })).status, 200);
  });

  it('fails with the first challenge, and the answer has all of them', async () => {
    await using server = await start({ schemes: ['NTLM', 'Digest'], challenges: ['Bearer realm="api"'] });
    await using connection = await RawConnection.open(server.port);
    for (const fields of [[], ['Authorization: NTLM AAAA']]) {
      const response = await connection.exchange({ fields });
      assert.equal(response.status, 401);
      const sent = response.headers.get('www-authenticate')?.map((value) => value.split(' ')[0]);
      assert.deepEqual(sent, ['NTLM', 'Digest', 'Digest', 'Bearer']);
      assert.deepEqual(response.headers.get('cache-control'), ['no-store']);
    }
    assert.deepEqual(server.calls, ['fail', 'fail']);
    const redirected = await connection.exchange({ target: '/elsewhere' });
    assert.deepEqual([redirected.status, redirected.headers.get('www-authenticate')], [302, undefined]);
  });

  it("works beside another strategy: ['sspi', 'jwt']", async () => {
    await using server = await start({ schemes: ['NTLM'], otherSchemes: {} });
    await using connection = await RawConnection.open(server.port);
    const fields = [`Authorization: Bearer ${jwt({ sub: 'service' })}`];
    const response = await connection.exchange({ target: '/both', fields });
    assert.deepEqual([response.status, response.headers.get('www-authenticate')], [200, undefined]);
    assert.match(response.body, /"userName":"service"/);
    const neither = await connection.exchange({ target: '/both' });
    assert.equal(neither.status, 401);
    assert.equal(neither.headers.get('www-authenticate')?.[0], 'NTLM');
    const signedIn = await signIn(connection, forgedTokens({}), { target: '/both' });
    assert.match(signedIn.body, /"userName":"alice"/);
  });

  it('signs a session in at a login route', async () => {
    await using server = await start({ schemes: ['NTLM'] });
    await using connection = await RawConnection.open(server.port);
    const response = await signIn(connection, forgedTokens({}), { target: '/session/login' });
    assert.equal(response.status, 200);
    const cookie = response.headers.get('set-cookie')?.[0]?.split(';')[0];
    await using other = await RawConnection.open(server.port);
    const page = await other.exchange({ target: '/session/page', fields: [`Cookie: ${cookie}`] });
    assert.match(page.body, /"userName":"alice"/);
    assert.match((await other.exchange({ target: '/session/page' })).body, /"user":null/);
  });

  it('403, 400, 500 and 503 are what they are; anonymous requests pass', async () => {
    await using server = await start({
      anonymous: true,
      logger: false,
      authorize: (_user, { path }) => path !== '/no',
    });
    await using connection = await RawConnection.open(server.port);
    assert.equal((await signIn(connection, forgedTokens({}), { target: '/no' })).status, 403);
    assert.equal((await connection.exchange({ fields: ['Authorization: NTLM a, b'] })).status, 400);
    await using stranger = await RawConnection.open(server.port);
    assert.equal((await stranger.exchange({})).status, 200);
    assert.equal((await stranger.exchange({ target: '/user' })).status, 401);
    await using away = await start({
      logger: false,
      accounts: { description: 'away', verifyNtlm: () => ({ result: 'unavailable', reason: 'away' }) },
    });
    await using unlucky = await RawConnection.open(away.port);
    const response = await signIn(unlucky, forgedTokens({}));
    assert.deepEqual([response.status, response.headers.get('retry-after')], [503, ['10']]);
  });

  it('has no option refuse', () => {
    assert.throws(() => new Strategy({ accounts, refuse: 'error' } as PassportSspiAuthOptions), /is not an option/);
  });
});
