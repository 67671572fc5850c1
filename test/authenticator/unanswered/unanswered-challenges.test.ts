/** Requests that are asked for credentials and get none: what is told, to whom, and how much of it. */
import assert from 'node:assert/strict';
import diagnosticsChannel from 'node:diagnostics_channel';
import { describe, it } from 'node:test';
import type { UnansweredRecord } from '../../../src/index.ts';
import { FakeSocket, first, later, scripted, usualScript } from '../scripted-authenticator.ts';
import type { LogLine, RequestExtras, Scripted } from '../scripted-authenticator.ts';

const message = 'sspi-auth: asked for credentials, and none came';
const WAIT = 30_000;
const HOUR = 60 * 60 * 1000;

class Client extends FakeSocket {
  override readonly remoteAddress: string;

  constructor(remoteAddress = '192.0.2.7') {
    super();
    this.remoteAddress = remoteAddress;
  }
}

const agent = (userAgent: string, ...more: readonly string[]): RequestExtras => ({
  fields: ['User-Agent', userAgent, ...more],
});

/** Lets the time pass in which clients may answer, and reports those who have not. */
function pass(s: Scripted, milliseconds = WAIT): void {
  s.clock.advance(milliseconds);
  s.now(new Client('203.0.113.1'), undefined, agent('tell-tale'));
}

function told(s: Scripted, level?: string): readonly LogLine[] {
  return s.log.filter(
    (line) =>
      line.message === message &&
      line.record['userAgent'] !== 'tell-tale' &&
      (level === undefined || line.level === level),
  );
}

describe('a challenge that is not answered', () => {
  it('is told once its client has had the time of a handshake, with each likely cause and its cure', () => {
    const s = scripted(usualScript);
    s.now(new Client(), undefined, agent('curl/7.88.1'));
    pass(s, WAIT - 1);
    assert.deepEqual(told(s), []);
    pass(s, 1);
    const shared = {
      host: 'localhost',
      client: 'curl',
      userAgent: 'curl/7.88.1',
      offered: ['NTLM', 'Negotiate'],
      causes: ['no-ticket', 'curl-without-option'],
      diagnosis:
        'see by `klist` at the client that its user has a ticket: without one (no kinit, not signed in to the domain, ' +
        'expired) nothing is sent; or call curl with `--ntlm -u USER` or `--negotiate -u :`: by itself it sends no ' +
        'credentials',
    };
    assert.deepEqual(told(s), [
      { level: 'debug', message, record: { ...shared, peer: '192.0.2.7:4711', requests: 1 } },
      { level: 'info', message, record: { ...shared, clients: 1 } },
    ]);
  });

  it('is told by a timer where no other request comes', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const s = scripted(usualScript);
    s.now(new Client());
    s.clock.advance(WAIT);
    t.mock.timers.tick(WAIT);
    assert.equal(told(s, 'info').length, 1);
    s.now(new Client());
    s.authenticator.close();
    s.clock.advance(2 * HOUR);
    t.mock.timers.tick(2 * HOUR);
    assert.equal(told(s, 'debug').length, 1, 'nothing after close()');
  });

  it('is none where credentials follow, right or wrong: on its connection, or on another one of the same client', () => {
    for (const answer of [first('right'), first('wrong'), 'Basic YTpi', ['NTLM a', 'NTLM b'], '@']) {
      for (const elsewhere of [false, true]) {
        const s = scripted(usualScript);
        const socket = new Client();
        s.now(socket, undefined, agent('x'));
        const next = elsewhere ? new Client() : socket;
        s.now(next, answer, agent(elsewhere ? 'x' : 'y'));
        pass(s);
        assert.deepEqual(told(s), [], JSON.stringify([answer, elsewhere]));
      }
    }
  });

  it('is none where a token of the application follows, and that says nothing of later challenges', () => {
    for (const elsewhere of [false, true]) {
      const user = { name: 'service', userName: 'service', groups: [], package: 'JWT' };
      const s = scripted(usualScript, { otherSchemes: { Bearer: () => user } });
      const socket = new Client();
      s.now(socket, undefined, agent('curl/8.5.0'));
      s.now(elsewhere ? new Client() : socket, 'Bearer right', agent(elsewhere ? 'curl/8.5.0' : 'y'));
      pass(s);
      assert.deepEqual(told(s), [], String(elsewhere));
      s.now(new Client(), undefined, agent('curl/8.5.0'));
      pass(s);
      assert.equal(told(s, 'info').length, 1, 'it has never signed in by itself');
    }
  });

  it('is one where another client answers: of another address, User-Agent or Host', () => {
    for (const [address, userAgent] of [
      ['192.0.2.8', 'x'],
      ['192.0.2.7', 'y'],
    ] as const) {
      const s = scripted(usualScript);
      s.now(new Client(), undefined, agent('x'));
      s.now(new Client(address), first('right'), agent(userAgent));
      pass(s);
      assert.equal(told(s, 'debug').length, 1);
    }
  });

  it('is no news of a client that signs in for other requests: debug alone', () => {
    const s = scripted(usualScript);
    const socket = new Client();
    s.now(socket, undefined, agent('x'));
    s.now(socket, first('right'), agent('x'));
    s.now(new Client(), undefined, agent('x'));
    pass(s);
    assert.deepEqual(
      told(s).map(({ level }) => level),
      ['debug'],
    );
  });

  it('costs a handshake and a signed-in connection nothing that is told', () => {
    const s = scripted(usualScript);
    const socket = new Client();
    s.now(socket);
    s.now(socket, first('hello'));
    s.now(socket, later('right'));
    for (let request = 0; request < 3; request++) s.now(socket);
    pass(s);
    assert.deepEqual(told(s), []);
  });

  it('is told once an hour for a host and a kind of client, with the number of clients meanwhile', () => {
    const s = scripted(usualScript);
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
      s.now(new Client(address), undefined, agent('curl/8'));
      s.now(new Client(address), undefined, agent('curl/8'));
    }
    pass(s);
    assert.deepEqual(
      told(s, 'debug').map(({ record }) => [record['peer'], record['requests']]),
      [
        ['192.0.2.1:4711', 2],
        ['192.0.2.2:4711', 2],
        ['192.0.2.3:4711', 2],
      ],
    );
    assert.equal(told(s, 'info').length, 1);
    s.clock.advance(HOUR);
    s.now(new Client('192.0.2.4'), undefined, agent('curl/9'));
    pass(s);
    assert.deepEqual(
      told(s, 'info').map(({ record }) => [record['userAgent'], record['clients']]),
      [
        ['curl/8', 1],
        ['curl/9', 3],
      ],
    );
  });

  it('A09, A21: is bounded and escaped, whatever Host and User-Agent a client makes up', () => {
    const s = scripted(usualScript);
    for (let count = 0; count < 3000; count++) {
      const fields = ['User-Agent', `\u001b[2J${count}${'x'.repeat(5000)}`];
      const rawHeaders = ['Host', `h${count}\u202e${'y'.repeat(5000)}`, ...fields];
      const exchange = { socket: new Client(), method: 'GET', httpVersionMajor: 1, rawHeaders };
      assert.ok(!(s.authenticator.authenticate(exchange, '/', undefined) instanceof Promise));
    }
    pass(s);
    assert.equal(told(s, 'debug').length, 1000, 'how many clients are waited for');
    const info = told(s, 'info');
    assert.equal(info.length, 33, 'how many hosts are told apart, and one for all others');
    assert.deepEqual(info.filter(({ record }) => record['others'] === true).length, 1);
    for (const { record } of told(s)) {
      const text = JSON.stringify(record);
      assert.ok(text.length < 2000, `${text.length}`);
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      assert.doesNotMatch(String(record['host']) + String(record['userAgent']), /[\u0000-\u001f\u202e]/);
    }
  });

  it('goes to subscribers without a logger, and nowhere without both', () => {
    const records: UnansweredRecord[] = [];
    const hear = (record: unknown): void => void records.push(record as UnansweredRecord);
    const s = scripted(usualScript, { logger: false });
    s.now(new Client());
    pass(s);
    diagnosticsChannel.subscribe('sspi-auth:unanswered', hear);
    try {
      s.now(new Client(), undefined, agent('x'));
      pass(s);
    } finally {
      diagnosticsChannel.unsubscribe('sspi-auth:unanswered', hear);
    }
    assert.deepEqual(
      records.map(({ client, userAgent, host }) => [client, userAgent, host]),
      [['other', 'x', 'localhost']],
    );
  });

  it('is one of requireUser too: an application that asks for a user where anonymous lets requests in', () => {
    const s = scripted(usualScript, { anonymous: true });
    const exchange = { socket: new Client(), httpVersionMajor: 1, rawHeaders: ['Host', 'localhost'] };
    s.now(new Client());
    s.authenticator.challenge(exchange);
    s.authenticator.challenge({ httpVersionMajor: 1 });
    s.clock.advance(WAIT);
    s.authenticator.challenge({ ...exchange, socket: new Client('203.0.113.1') });
    assert.equal(told(s, 'debug').length, 1);
  });
});

describe('a preflight that is asked for credentials', () => {
  const preflight = (origin: string): RequestExtras => ({
    fields: ['Origin', origin, 'Access-Control-Request-Method', 'PUT'],
  });
  const ask = (s: Scripted, origin: string, method = 'OPTIONS'): void => {
    const rawHeaders = ['Host', 'localhost', ...(preflight(origin).fields ?? [])];
    const exchange = { socket: new Client(), method, rawHeaders, httpVersionMajor: 1 };
    assert.ok(!(s.authenticator.authenticate(exchange, '/', undefined) instanceof Promise));
  };

  it('A09: is told at once and once, with its origin and the cure', () => {
    const s = scripted(usualScript);
    ask(s, 'https://app.example\u202e');
    ask(s, 'https://other.example');
    assert.deepEqual(
      s.log.filter(({ level }) => level === 'warn'),
      [
        {
          level: 'warn',
          record: { advice: 'preflight' },
          message:
            'sspi-auth: answer preflights before sspiAuth and give it skip: isPreflight: a CORS preflight from ' +
            'https://app.example\\u202e got 401, and browsers send no credentials with one',
        },
      ],
    );
    assert.deepEqual(
      told(s).map(({ level, record }) => [level, record['causes']]),
      [
        ['debug', ['preflight']],
        ['debug', ['preflight']],
      ],
    );
  });

  it('is OPTIONS alone', () => {
    const s = scripted(usualScript);
    ask(s, 'https://app.example', 'GET');
    assert.deepEqual(s.log, []);
  });
});
