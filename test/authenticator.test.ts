import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Outcome } from '../src/http/outcome.ts';
import * as Sspi from '../src/sspi/index.ts';
import { exchangeOf, FakeSocket, first, later, scripted } from './scripted-authenticator.ts';
import type { Script, Step } from './scripted-package.ts';

const script: Script = {
  hello: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'challenge' },
  more: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'another challenge' },
  right: {},
  bob: { account: { userName: 'bob' } },
  wrong: { status: Sspi.SEC_E_LOGON_DENIED },
};

/** A field of an outcome, by its name. */
function field(outcome: Outcome, name: string): string | readonly string[] | undefined {
  if (outcome.type === 'anonymous') return undefined;
  return outcome.headers.find(([candidate]) => candidate === name)?.[1];
}

function userOf(outcome: Outcome | Promise<Outcome>): string | undefined {
  assert.ok(!(outcome instanceof Promise), 'the answer was there at once');
  return outcome.type === 'authenticated' ? outcome.user.name : undefined;
}

const bare = {
  status: 401,
  headers: [
    ['WWW-Authenticate', ['NTLM', 'Negotiate']],
    ['Cache-Control', 'no-store'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', '17'],
  ],
  body: '401 Unauthorized\n',
};
function assertBare401(outcome: Outcome | Promise<Outcome>): void {
  assert.ok(!(outcome instanceof Promise));
  assert.ok(outcome.type === 'refused' || outcome.type === 'challenge', outcome.type);
  const { status, headers, body } = outcome;
  assert.deepEqual({ status, headers, body }, bare);
}

describe('one connection', () => {
  it('signs in over two legs, then lets every request of the connection pass without asking the package', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    const asked = s.request(socket, first('hello')) as Outcome;
    assert.equal(asked.type, 'challenge');
    assert.deepEqual(field(asked, 'WWW-Authenticate'), [`NTLM ${Buffer.from('challenge').toString('base64')}`]);
    assert.equal(s.authenticator.pendingHandshakes, 1);
    const signedIn = s.request(socket, later('right')) as Outcome;
    assert.equal(userOf(signedIn), 'LAB\\alice');
    assert.equal(field(signedIn, 'Persistent-Auth'), 'true');
    assert.equal(s.authenticator.pendingHandshakes, 0);
    const next = s.request(socket);
    assert.equal(userOf(next), 'LAB\\alice');
    assert.equal(next, s.request(socket), 'one outcome serves all requests of the connection');
    assert.deepEqual(s.package.asked, ['hello', 'right']);
    assert.equal(s.package.live, 0, 'a context that is not needed any more is deleted');
    assert.equal(socket.listenerCount('close'), 0);
  });

  it('says nothing about one connection to another', () => {
    const s = scripted(script);
    const [one, other] = [new FakeSocket(), new FakeSocket()];
    s.request(one, first('hello'));
    s.request(other, first('hello'));
    s.request(one, later('right'));
    assertBare401(s.request(other));
    s.request(other, first('hello'));
    assert.equal(userOf(s.request(other, later('bob'))), 'LAB\\bob');
    assert.equal(userOf(s.request(one)), 'LAB\\alice');
    assert.equal(userOf(s.request(other)), 'LAB\\bob');
  });

  it('sends the token that comes with SEC_E_OK', () => {
    const s = scripted({ ...script, right: { output: 'the last token' } });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    const outcome = s.request(socket, later('right')) as Outcome;
    assert.equal(field(outcome, 'WWW-Authenticate'), `NTLM ${Buffer.from('the last token').toString('base64')}`);
    const next = s.request(socket) as Outcome;
    assert.equal(field(next, 'WWW-Authenticate'), undefined, 'once');
  });

  it('goes through as many legs as the package wants', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    for (let leg = 0; leg < 5; leg++) {
      const outcome = s.request(socket, later('more')) as Outcome;
      assert.equal(outcome.type, 'challenge');
      assert.equal(s.package.made, 1);
    }
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
    assert.equal(s.package.live, 0);
  });

  it('C04: a new first token drops the identity before it is judged', () => {
    for (const next of ['hello', 'wrong', 'unheard of']) {
      const s = scripted({ ...script, throwing: { throws: new Error('broken') } });
      const socket = new FakeSocket();
      s.request(socket, first('hello'));
      s.request(socket, later('right'));
      s.request(socket, first(next));
      assertBare401(s.request(socket));
      assert.equal(s.package.live, 0);
    }
  });

  it('C04: a second first token ends the handshake of the first one', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    s.request(socket, first('hello'));
    assert.deepEqual([s.package.made, s.package.deleted], [2, 1]);
    assert.equal(s.authenticator.pendingHandshakes, 1);
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
  });

  it('C03: any token on an authenticated connection is judged anew, and the identity is gone if it fails', () => {
    const s = scripted({ ...script, replayed: { status: Sspi.SEC_E_INVALID_TOKEN } });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    s.request(socket, later('right'));
    assertBare401(s.request(socket, later('replayed')));
    assertBare401(s.request(socket));
  });

  it('A18: a request without credentials in mid-handshake ends the handshake', () => {
    const s = scripted({ ...script, right: { status: Sspi.SEC_E_INVALID_TOKEN } });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    assertBare401(s.request(socket));
    assert.equal(s.package.live, 0);
    assert.equal(s.authenticator.pendingHandshakes, 0);
    assert.equal(socket.listenerCount('close'), 0);
    assertBare401(s.request(socket, later('right')));
    assert.equal(s.package.made, 0 + 1, 'the later token met no context');
  });

  it('A08: another scheme ends the handshake; its name is compared without case, and whole', () => {
    const s = scripted(script, {}, { fields: {} });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    assert.equal(userOf(s.request(socket, later('right', 'ntlm'))), 'LAB\\alice');
    for (const other of [later('right', 'Negotiate'), later('right', 'NTLMx'), 'Digest fields', 'Basic YTpi']) {
      const fresh = new FakeSocket();
      s.request(fresh, first('hello'));
      s.request(fresh, other);
      assert.equal(s.authenticator.pendingHandshakes, 0, other);
      assert.equal((s.request(fresh, later('more')) as Outcome).type, 'challenge', 'a context of its own');
      fresh.close();
      assert.equal(s.package.live, 0);
    }
  });

  it('forgets the handshake when its client goes away, exactly once (A17, G09)', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    socket.close();
    socket.emit('close');
    assert.deepEqual([s.package.made, s.package.deleted], [1, 1]);
    assert.equal(s.authenticator.pendingHandshakes, 0);
  });

  it('G10: a client that is gone is not judged and gets no context', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    socket.close();
    assert.equal((s.request(socket, first('hello')) as Outcome).type, 'refused');
    assert.deepEqual(s.package.asked, []);
  });

  it('keeps a context that must outlive its handshake for as long as its connection', () => {
    const s = scripted({ ...script, right: { keepAfterHandshake: true } });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    s.request(socket, later('right'));
    assert.equal(s.package.live, 1);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    socket.close();
    assert.deepEqual([s.package.made, s.package.deleted], [1, 1]);
    const again = new FakeSocket();
    s.request(again, first('hello'));
    s.request(again, later('right'));
    s.request(again, first('hello'));
    assert.equal(s.package.live, 1, 'the context of the identity is gone, the one of the handshake is there');
    again.close();
    assert.equal(s.package.live, 0);
  });

  it('ends an identity when its time is over', () => {
    const s = scripted({ ...script, right: { expiry: new Date(1_000_500) } });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    s.request(socket, later('right'));
    s.clock.advance(499);
    assert.equal(userOf(s.request(socket)), 'LAB\\alice');
    s.clock.advance(1);
    assertBare401(s.request(socket));
    assertBare401(s.request(socket));
  });

  it("persistence 'request' keeps nobody", () => {
    const s = scripted(script, { persistence: 'request' });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    const outcome = s.request(socket, later('right')) as Outcome;
    assert.equal(userOf(outcome), 'LAB\\alice');
    assert.equal(field(outcome, 'Persistent-Auth'), 'false');
    assertBare401(s.request(socket));
  });

  it('A11: an identity neither stays behind a proxy nor serves one', () => {
    for (const name of ['Via', 'X-Forwarded-For', 'forwarded']) {
      const s = scripted(script);
      const socket = new FakeSocket();
      const fields = [name, '1.1 proxy'];
      s.request(socket, first('hello'), { fields });
      const outcome = s.request(socket, later('right'), { fields }) as Outcome;
      assert.equal(field(outcome, 'Persistent-Auth'), 'false');
      assertBare401(s.request(socket));
      s.request(socket, first('hello'));
      s.request(socket, later('right'));
      assertBare401(s.request(socket, undefined, { fields }));
    }
  });

  it('judges a request once, however often it is asked about it', () => {
    const s = scripted(script);
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    const exchange = exchangeOf(socket, later('right'));
    const once = s.authenticator.authenticate(exchange, '/', undefined);
    const twice = s.authenticator.authenticate(exchange, '/', undefined);
    assert.equal(userOf(once), 'LAB\\alice');
    assert.equal(twice, once);
    assert.deepEqual(s.package.asked, ['hello', 'right']);
    const refused = exchangeOf(socket, later('wrong'));
    assertBare401(s.authenticator.authenticate(refused, '/', undefined));
    assertBare401(s.authenticator.authenticate(refused, '/', undefined));
  });
});

/** What a package may answer to the second token that must let nobody in. */
const refusals: Readonly<Record<string, Step>> = {
  ...Object.fromEntries(
    Sspi.acceptSecurityContextStatuses
      .filter(({ value }) => value >= 0x80000000)
      .map(({ value, name }) => [name, { status: value }]),
  ),
  'G07: SEC_I_RENEGOTIATE': { status: 0x00090321 },
  'G07: an unknown positive code': { status: 0x00012345 },
  'G07: a failure as int32': { status: Sspi.SEC_E_LOGON_DENIED | 0 },
  'G07: 1': { status: 1 },
  'SEC_E_INCOMPLETE_MESSAGE, which leaves a context': { status: Sspi.SEC_E_INCOMPLETE_MESSAGE },
  'A21: an exception': { throws: new Error('the verifier is broken') },
  'no reply at all': { raw: undefined },
  'a reply without a status': { raw: { context: {} } },
  'a status that is no number': { raw: { status: '0' } },
  'G08: a null session': { attributes: Sspi.ASC_RET_NULL_SESSION },
  'C20: an anonymous account': { account: { isAnonymous: true } },
  'C22: the Guest account': { account: { isGuest: true } },
  'C21: an account without a name': { account: { userName: '' } },
  'an account that is none': { account: new Error() },
  'a token without groups': { account: { groups: undefined } as unknown as NonNullable<Step['account']> },
  'completion that fails': {
    status: Sspi.SEC_I_COMPLETE_NEEDED,
    completion: { status: Sspi.SEC_E_MESSAGE_ALTERED },
  },
  'completion that throws': { status: Sspi.SEC_I_COMPLETE_NEEDED, completion: { throws: new Error('broken') } },
  'completion that never comes to an end': {
    status: Sspi.SEC_I_COMPLETE_NEEDED,
    completion: { status: Sspi.SEC_I_COMPLETE_NEEDED },
  },
};

describe('refusals: the same bytes whatever the cause, and nothing left behind', () => {
  const table: Script = { ...script, ...refusals };
  for (const name of Object.keys(refusals)) {
    for (const [leg, prepare] of [
      ['first', false],
      ['second', true],
    ] as const) {
      it(`${name}, as the answer to the ${leg} token`, () => {
        const s = scripted(table);
        const socket = new FakeSocket();
        if (prepare) s.request(socket, first('hello'));
        assertBare401(s.request(socket, prepare ? later(name) : first(name)));
        assert.equal(s.package.live, 0);
        assert.equal(s.authenticator.pendingHandshakes, 0);
        assert.equal(socket.listenerCount('close'), 0);
        assertBare401(s.request(socket));
      });
    }
  }

  it('a yes without a context', () => {
    const s = scripted({ yes: { withoutContext: true } });
    assertBare401(s.request(new FakeSocket(), first('yes')));
  });

  it('A01, A02: no token, spaces, or what is not base64', () => {
    const s = scripted(script);
    for (const value of [
      'NTLM',
      'NTLM  ',
      'NTLM TlRM_-NT',
      'NTLM TlRMTVM',
      'NTLM TlRM TVNT',
      'NTLM TlRMTVN=',
      'NTLM ====',
    ]) {
      const socket = new FakeSocket();
      s.request(socket, first('hello'));
      assertBare401(s.request(socket, value));
      assert.equal(s.package.live, 0, value);
    }
    assert.ok(s.package.asked.every((text) => text === 'hello'));
  });

  it('A05: a token over the limit', () => {
    const s = scripted(script, { limits: { tokenBytes: 15 } });
    const exact = `NTLM ${Buffer.alloc(15).toString('base64')}`;
    assertBare401(s.request(new FakeSocket(), exact));
    assert.equal(s.package.asked.length, 1);
    assertBare401(s.request(new FakeSocket(), `NTLM ${Buffer.alloc(16).toString('base64')}`));
    assertBare401(s.request(new FakeSocket(), `NTLM ${'A'.repeat(1_000_000)}`));
    assert.equal(s.package.asked.length, 1);
    assert.deepEqual(
      s.log.map(({ record }) => record['reason']),
      ['SEC_E_INVALID_TOKEN', 'token-too-large', 'token-too-large'],
    );
  });

  it('A06, A07: two fields or a list are 400, end the handshake and are never tried one by one', () => {
    const s = scripted(script, {}, {});
    for (const value of [
      [later('right'), later('right')],
      [later('right'), 'Basic YTpi'],
      `${later('right')}, ${later('right')}`,
      `${later('right')},Digest x=y`,
      'NTLM\tAAAA',
      '@ AAAA',
      '',
    ]) {
      const socket = new FakeSocket();
      s.request(socket, first('hello'));
      const outcome = s.request(socket, value) as Outcome;
      assert.ok(outcome.type === 'refused');
      assert.equal(outcome.status, 400, JSON.stringify(value));
      assert.equal(outcome.body, '400 Bad Request\n');
      assert.equal(s.package.live, 0);
    }
    assert.ok(!s.package.asked.includes('right'));
  });
});

describe('CompleteAuthToken', () => {
  it('gives the verdict after SEC_I_COMPLETE_NEEDED', () => {
    const s = scripted({
      ...script,
      right: { status: Sspi.SEC_I_COMPLETE_NEEDED, output: 'for the client', completion: { attributes: 0x800 } },
    });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    const outcome = s.request(socket, later('right')) as Outcome;
    assert.ok(outcome.type === 'authenticated');
    assert.equal(outcome.sspi.attributes, 0x800);
    assert.equal(field(outcome, 'WWW-Authenticate'), `NTLM ${Buffer.from('for the client').toString('base64')}`);
    assert.equal(s.package.live, 0);
  });

  it('is only one more leg after SEC_I_COMPLETE_AND_CONTINUE', () => {
    const s = scripted({
      ...script,
      hello: { status: Sspi.SEC_I_COMPLETE_AND_CONTINUE, output: 'go on', completion: {} },
    });
    const socket = new FakeSocket();
    const outcome = s.request(socket, first('hello')) as Outcome;
    assert.equal(outcome.type, 'challenge');
    assert.deepEqual(field(outcome, 'WWW-Authenticate'), [`NTLM ${Buffer.from('go on').toString('base64')}`]);
    assert.equal(s.authenticator.pendingHandshakes, 1);
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
    assert.equal(s.package.live, 0);
  });
});

describe('schemes that are bound to a request', () => {
  const digest: Script = {
    '': { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'nonce="1"' },
    right: {},
    bob: { account: { userName: 'bob' } },
    malformed: { status: Sspi.SEC_E_INVALID_TOKEN },
    wrong: { status: Sspi.SEC_E_LOGON_DENIED },
    stale: { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'nonce="2", stale=true' },
  };

  it('cover the request that carried them and no other', () => {
    const s = scripted(script, {}, digest);
    const socket = new FakeSocket();
    const outcome = s.request(socket, 'Digest right') as Outcome;
    assert.equal(userOf(outcome), 'LAB\\alice');
    assert.deepEqual(outcome.type === 'authenticated' && outcome.headers, []);
    assert.equal((s.request(socket) as Outcome).type, 'challenge');
    assert.equal(userOf(s.request(socket, 'Digest bob')), 'LAB\\bob');
    assert.equal(s.digest.live, 0);
  });

  it('end an identity of the connection', () => {
    const s = scripted(script, {}, digest);
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    s.request(socket, later('right'));
    assert.equal(userOf(s.request(socket, 'Digest bob')), 'LAB\\bob');
    assert.equal((s.request(socket) as Outcome).type, 'challenge');
  });

  it('answer malformed fields with 400, wrong ones with 401, an old nonce with a new one', () => {
    const s = scripted(script, {}, digest);
    const socket = new FakeSocket();
    const statusOf = (outcome: Outcome | Promise<Outcome>): unknown => 'status' in outcome && outcome.status;
    assert.equal(statusOf(s.request(socket, 'Digest malformed')), 400);
    const refused = s.request(socket, 'Digest wrong') as Outcome;
    assert.equal(statusOf(refused), 401);
    assert.deepEqual(field(refused, 'WWW-Authenticate'), ['NTLM', 'Negotiate', 'Digest nonce="1"']);
    const stale = s.request(socket, 'Digest stale') as Outcome;
    assert.deepEqual(field(stale, 'WWW-Authenticate'), ['NTLM', 'Negotiate', 'Digest nonce="2", stale=true']);
    assert.equal(s.digest.live, 0);
  });

  it('A13: are all that HTTP/2 is offered and judged by', () => {
    const s = scripted(script, {}, digest);
    const socket = new FakeSocket();
    const http2 = { httpVersionMajor: 2 };
    const asked = s.request(socket, undefined, http2) as Outcome;
    assert.deepEqual(field(asked, 'WWW-Authenticate'), ['Digest nonce="1"']);
    const refused = s.request(socket, first('hello'), http2) as Outcome;
    assert.deepEqual(field(refused, 'WWW-Authenticate'), ['Digest nonce="1"']);
    assert.deepEqual(s.package.asked, []);
    assert.equal(userOf(s.request(socket, 'Digest right', http2)), 'LAB\\alice');
    const only = scripted(script);
    assert.equal(field(only.request(socket, undefined, http2) as Outcome, 'WWW-Authenticate'), undefined);
  });

  it('offer nothing where a challenge would have to be waited for', () => {
    const s = scripted(script, {}, { '': { status: Sspi.SEC_I_CONTINUE_NEEDED, output: 'late', waits: true } });
    assertBare401(s.request(new FakeSocket()));
  });
});

describe('what the operator decides', () => {
  it('anonymous: no credentials pass, wrong ones do not', () => {
    const s = scripted(script, { anonymous: true });
    const socket = new FakeSocket();
    assert.equal((s.request(socket) as Outcome).type, 'anonymous');
    s.request(socket, first('hello'));
    assert.equal((s.request(socket) as Outcome).type, 'anonymous');
    assert.equal(s.package.live, 0);
    s.request(socket, first('hello'));
    assertBare401(s.request(socket, later('wrong')));
    assertBare401(s.authenticator.challenge({ httpVersionMajor: 1 }));
  });

  it('skip: only true skips, and a skipped request leaves the connection alone', () => {
    for (const [answer, type] of [
      [true, 'anonymous'],
      [false, 'challenge'],
      [1, 'challenge'],
      [Promise.resolve(true), 'challenge'],
    ] as const) {
      const s = scripted(script, { skip: (() => answer) as () => boolean });
      assert.equal((s.request(new FakeSocket()) as Outcome).type, type);
    }
    const s = scripted(script, { skip: (request) => request === 'health' });
    const socket = new FakeSocket();
    s.request(socket, first('hello'));
    assert.equal((s.request(socket, undefined, { request: 'health' }) as Outcome).type, 'anonymous');
    assert.equal(userOf(s.request(socket, later('right'))), 'LAB\\alice');
  });

  it('authorize: asked for every request; only true is a yes', async () => {
    for (const [answer, expected] of [
      [() => true, 'authenticated'],
      [() => false, 403],
      [() => 'yes', 403],
      [() => 1, 403],
      [() => undefined, 403],
      [async () => Promise.resolve(true), 'authenticated'],
      [async () => Promise.resolve('yes'), 403],
      [async () => Promise.reject(new Error('directory away')), 500],
    ] as const) {
      const s = scripted(script, { authorize: answer as () => boolean });
      const socket = new FakeSocket();
      s.request(socket, first('hello'));
      const outcome = await s.request(socket, later('right'));
      assert.equal('status' in outcome ? outcome.status : outcome.type, expected);
      const next = await s.request(socket);
      assert.equal('status' in next ? next.status : next.type, expected);
      assert.equal(s.package.live, 0);
    }
  });

  it('authorize is given the request and the user; an exception is 500 and lets nobody in', () => {
    const asked: unknown[] = [];
    const s = scripted(script, {
      authorize: (user, request) => {
        asked.push([user.name, request]);
        if (request === 'broken') throw new Error('broken');
        return true;
      },
    });
    const socket = new FakeSocket();
    s.request(socket, first('hello'), { request: 1 });
    s.request(socket, later('right'), { request: 2 });
    s.request(socket, undefined, { request: 3 });
    const broken = s.request(socket, undefined, { request: 'broken' }) as Outcome;
    assert.equal(broken.type === 'refused' && broken.status, 500);
    assert.deepEqual(asked, [
      ['LAB\\alice', 2],
      ['LAB\\alice', 3],
      ['LAB\\alice', 'broken'],
    ]);
  });
});

describe('channel bindings', () => {
  const flags = { never: 0, whenSupported: Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS, always: 0 } as const;
  for (const [mode, flag] of Object.entries(flags)) {
    it(`${mode}, without TLS`, () => {
      const s = scripted(script, { channelBinding: mode as keyof typeof flags });
      const outcome = s.request(new FakeSocket(), first('hello')) as Outcome;
      if (mode === 'always') {
        assertBare401(outcome);
        assert.deepEqual(s.package.asked, [], "'always' without TLS asks nobody");
        assert.equal(s.log.at(-1)?.record['reason'], 'SEC_E_BAD_BINDINGS');
      } else {
        assert.equal(outcome.type, 'challenge');
        const [call] = s.package.calls;
        assert.equal(Sspi.findBuffer(call!.input, Sspi.SECBUFFER_CHANNEL_BINDINGS), undefined);
        assert.equal(call!.requirements & flag, 0, 'nothing to allow where there are no bindings');
      }
    });
  }

  it('are reported as matched only where the package says so', () => {
    for (const [data, expected] of [
      [[0x10, 0, 0, 0], true],
      [[0x02, 0, 0, 0], false],
      [[0x20, 0, 0, 0], false],
      [[], false],
    ] as const) {
      const buffers = [{ type: Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, data: Uint8Array.from(data) }];
      const s = scripted({ ...script, right: { buffers } });
      const socket = new FakeSocket();
      s.request(socket, first('hello'));
      const outcome = s.request(socket, later('right'));
      assert.ok('type' in outcome && outcome.type === 'authenticated');
      assert.equal(outcome.sspi.channelBound, expected);
    }
  });
});

describe('close', () => {
  it('gives up every handshake, frees the credentials and lets nobody in, the signed in included', () => {
    for (const anonymous of [false, true]) {
      const s = scripted(script, { anonymous });
      const [signedIn, negotiating] = [new FakeSocket(), new FakeSocket()];
      s.request(signedIn, first('hello'));
      s.request(signedIn, later('right'));
      s.request(negotiating, first('hello'));
      s.authenticator.close();
      s.authenticator.close();
      assert.equal(s.package.live, 0);
      assert.equal(s.package.freed, 2, 'one for each scheme');
      assert.equal(s.authenticator.pendingHandshakes, 0);
      for (const outcome of [
        s.request(signedIn),
        s.request(negotiating, later('right')),
        s.request(new FakeSocket()),
        s.request(new FakeSocket(), first('hello')),
      ]) {
        assert.ok('status' in outcome);
        assert.equal(outcome.status, 401);
        assert.equal(field(outcome, 'WWW-Authenticate'), undefined);
      }
    }
  });
});
