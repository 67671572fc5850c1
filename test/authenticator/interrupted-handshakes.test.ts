/** What the log says of handshakes that could not end: an administrator is not sent to look for a wrong password. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { Outcome } from '../../src/http/outcome.ts';
import { writeOutcome } from '../../src/index.ts';
import * as Sspi from '../../src/sspi/index.ts';
import { listen } from '../lab/ports.ts';
import { RawConnection } from '../lab/raw-connection.ts';
import { assertBare401, FakeSocket, first, later, scripted, userOf, usualScript } from './scripted-authenticator.ts';
import type { Scripted } from './scripted-authenticator.ts';
import type { Script } from './scripted-package.ts';

const generic = 'without a handshake: the first leg came over another connection';
const script: Script = {
  ...usualScript,
  lost: { status: Sspi.SEC_E_INVALID_TOKEN, diagnosis: { text: generic, account: 'alice' } },
  wrong: { status: Sspi.SEC_E_LOGON_DENIED, diagnosis: { account: 'LAB\\alice', text: 'wrong response' } },
  silent: { status: Sspi.SEC_E_LOGON_DENIED },
};

const last = ({ log }: Scripted): Readonly<Record<string, unknown>> => log.at(-1)?.record ?? {};

describe('a last token whose handshake is not there any more', () => {
  for (const [what, between, expected] of [
    ['nothing between', () => undefined, generic],
    [
      'a request without credentials',
      (s: Scripted, socket: FakeSocket) => s.now(socket),
      'a request without credentials came between the legs of this handshake: a proxy seems to share this connection',
    ],
    [
      'credentials of another scheme',
      (s: Scripted, socket: FakeSocket) => s.now(socket, 'Digest right'),
      'credentials of another scheme came between the legs',
    ],
    [
      'a token of another scheme',
      (s: Scripted, socket: FakeSocket) => s.now(socket, later('wrong', 'Negotiate')),
      'credentials of another scheme came between the legs',
    ],
    [
      'the last token of another client',
      (s: Scripted, socket: FakeSocket) => s.now(socket, later('wrong')),
      'had ended with the token of another request: a proxy seems to share this connection between clients',
    ],
    [
      'another first token, and its end',
      (s: Scripted, socket: FakeSocket) => {
        s.now(socket, first('hello'));
        s.now(socket, later('right'));
      },
      generic,
    ],
  ] as const) {
    it(`says why: ${what}`, () => {
      const s = scripted(script, {}, { right: {} });
      const socket = new FakeSocket();
      if (what !== 'nothing between') s.now(socket, first('hello'));
      between(s, socket);
      const outcome = s.now(socket, later('lost'));
      assert.ok(outcome.type === 'refused' && outcome.status === 401);
      assert.equal(last(s)['reason'], 'SEC_E_INVALID_TOKEN');
      assert.ok(String(last(s)['diagnosis']).includes(expected), String(last(s)['diagnosis']));
      assert.equal(last(s)['account'], 'alice');
    });
  }

  it('says why: its deadline, or newer handshakes', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted(script, { limits: { handshakeMilliseconds: 100, pendingHandshakes: 1 } });
    const [slow, evicted] = [new FakeSocket(), new FakeSocket()];
    s.now(slow, first('hello'));
    s.clock.advance(101);
    t.mock.timers.tick(101);
    assertBare401(s.now(slow, later('lost')));
    assert.match(String(last(s)['diagnosis']), /abandoned: it took longer than limits\.handshakeMilliseconds/);
    s.now(evicted, first('hello'));
    s.now(new FakeSocket(), first('hello'));
    assertBare401(s.now(evicted, later('lost')));
    assert.match(String(last(s)['diagnosis']), /there were more than limits\.pendingHandshakes/);
  });
});

describe('two handshakes that a proxy mixes on one connection', () => {
  it('are told from a wrong password', () => {
    for (const [token, known] of [
      ['wrong', /^wrong response; this handshake took the place of one that was pending on the same connection/],
      ['silent', /^this handshake took the place of one that was pending .* a proxy seems to share this connection/],
    ] as const) {
      const s = scripted(script);
      const socket = new FakeSocket();
      s.now(socket, first('hello'));
      s.now(socket, first('hello'));
      assertBare401(s.now(socket, later(token)));
      assert.equal(last(s)['reason'], 'SEC_E_LOGON_DENIED');
      assert.match(String(last(s)['diagnosis']), known);
    }
  });

  it('also over several legs, and not of one that follows an ended one', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.now(socket, first('hello'));
    s.now(socket, first('hello'));
    s.now(socket, later('more'));
    s.now(socket, later('silent'));
    assert.match(String(last(s)['diagnosis']), /took the place/);
    s.now(socket, first('hello'));
    s.now(socket, later('silent'));
    assert.equal(last(s)['diagnosis'], undefined);
    s.now(socket, first('hello'));
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
    s.now(socket, first('hello'));
    s.now(socket, later('silent'));
    assert.equal(last(s)['diagnosis'], undefined);
  });
});

describe('A15: a leg with a body above limits.handshakeBodyBytes', () => {
  const limits = { discardedBodyBytes: 100, handshakeBodyBytes: 1000 };

  it('is refused, since its connection has to end, and the log says so', () => {
    const s = scripted(script, { limits });
    for (const [length, type] of [
      ['1000', 'challenge'],
      ['1001', 'refused'],
    ] as const) {
      const socket = new FakeSocket();
      const outcome = s.now(socket, first('hello'), { fields: ['Content-Length', length] });
      assert.equal(outcome.type, type);
      if (type === 'challenge') continue;
      assertBare401(outcome);
      assert.deepEqual(
        [last(s)['reason'], last(s)['diagnosis']],
        [
          'body-too-large',
          'have the client sign in before it uploads, or set limits.handshakeBodyBytes higher: the body of this leg has 1001 bytes, more than limits.handshakeBodyBytes (1000)',
        ],
      );
    }
    assert.deepEqual([s.package.live, s.authenticator.pendingHandshakes], [1, 1]);
  });

  it('that is sent in chunks ends the connection, and the log says so, with the client', async () => {
    const s = scripted(script, { limits });
    const server = createServer((message, response) => {
      const outcome = s.authenticator.authenticate(message, '/', undefined) as Outcome;
      writeOutcome(message, response, outcome, s.authenticator.settings.limits);
    });
    await using listening = await listen(server);
    const sockets = once(server, 'connection');
    await using connection = await RawConnection.open(listening.port);
    const [served] = (await sockets) as [Socket];
    const closed = once(served, 'close');
    const fields = ['Transfer-Encoding: chunked', `Authorization: ${first('hello')}`];
    connection.send({ method: 'POST', fields, body: `800\r\n${'x'.repeat(1500)}` });
    await closed;
    assert.deepEqual(
      s.log
        .filter(({ record }) => 'durationMilliseconds' in record)
        .map(({ level, record }) => [level, record['reason']]),
      [
        ['debug', 'SEC_I_CONTINUE_NEEDED'],
        ['warn', 'body-too-large'],
      ],
    );
    assert.match(String(last(s)['peer']), /^127\.0\.0\.1:\d+$/);
    assert.deepEqual([s.package.live, s.authenticator.pendingHandshakes], [0, 0]);
  });
});
