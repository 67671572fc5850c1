/** What the log gets of an exception: enough to find the fault, and no secret. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { pino } from 'pino';
import { loggedError } from '../../src/authenticator/logged-error.ts';
import { createAuthenticator } from '../../src/index.ts';
import type { AccountSource, Logger, Outcome } from '../../src/index.ts';
import { answerChallenge } from '../packages/digest/digest-client.ts';
import { authenticateMessage, negotiateMessage, WINDOWS_FLAGS } from '../packages/ntlm/ntlm-client.ts';
import { FakeSocket, field, later, exchangeOf, scripted, settled } from './scripted-authenticator.ts';

describe('an exception in the log', () => {
  it('has its kind, message, stack, code and causes', () => {
    const cause = Object.assign(new RangeError('port 99999'), { code: 'ERR_SOCKET_BAD_PORT' });
    const thrown = new TypeError('cannot ask the directory', { cause });
    const logged = loggedError(thrown);
    assert.ok(logged instanceof TypeError && logged !== thrown);
    assert.deepEqual([logged.name, logged.message, logged.stack], [thrown.name, thrown.message, thrown.stack]);
    const { code, message } = logged.cause as NodeJS.ErrnoException;
    assert.deepEqual([code, message], ['ERR_SOCKET_BAD_PORT', 'port 99999']);
    assert.match(inspect(logged), /TypeError: cannot ask the directory\n\s+at [^]*port 99999/);
  });

  it('has the errors of an AggregateError, of another realm too, and an end of causes', () => {
    const aggregate = new AggregateError([new Error('::1 refuses'), new Error('127.0.0.1 refuses')], '');
    assert.match(inspect(loggedError(aggregate)), /::1 refuses[^]*127\.0\.0\.1 refuses/);
    const foreign = loggedError(runInNewContext('new TypeError("elsewhere")'));
    assert.deepEqual([foreign.name, foreign.message], ['TypeError', 'elsewhere']);
    const endless = new Error('again');
    endless.cause = endless;
    assert.ok(inspect(loggedError(endless), { depth: null }).length < 20_000);
  });

  it('has four causes of causes, and four errors of an AggregateError', () => {
    let nested = new Error('cause 6');
    for (let level = 5; level >= 0; level--) nested = new Error(`cause ${level}`, { cause: nested });
    const messages: string[] = [];
    for (let at: unknown = loggedError(nested); at instanceof Error; at = at.cause) messages.push(at.message);
    assert.deepEqual(messages, ['cause 0', 'cause 1', 'cause 2', 'cause 3', 'cause 4']);
    const form = (error: Error): object => ({ ...Object.getOwnPropertyDescriptor(error, 'cause'), value: undefined });
    assert.deepEqual(form(loggedError(nested)), form(nested), 'a logger may do with it as with any other');
    let level: unknown = new Error('level 6');
    for (let count = 5; count >= 0; count--) level = new AggregateError([level], `level ${count}`);
    const levels: string[] = [];
    for (
      let at = loggedError(level) as AggregateError | undefined;
      at !== undefined;
      at = at.errors?.[0] as typeof at
    ) {
      levels.push(at.message);
    }
    assert.deepEqual(levels, ['level 0', 'level 1', 'level 2', 'level 3', 'level 4']);
    const many = new AggregateError(Array.from({ length: 6 }, (_, index) => new Error(`error ${index}`)));
    const { errors } = loggedError(many) as AggregateError;
    assert.deepEqual(
      errors.map((error: Error) => error.message),
      ['error 0', 'error 1', 'error 2', 'error 3'],
    );
  });

  it('has a code that is a number, and none that is neither that nor a text', () => {
    const codeOf = (code: unknown): unknown =>
      (loggedError(Object.assign(new Error('x'), { code })) as NodeJS.ErrnoException).code;
    assert.deepEqual([codeOf(49), codeOf('ETIMEDOUT'), codeOf({ secret: 1 })], [49, 'ETIMEDOUT', undefined]);
  });

  it('is an Error whatever was thrown', () => {
    for (const [thrown, message] of [
      ['no such account', 'not an Error was thrown, but "no such account"'],
      [undefined, 'not an Error was thrown, but a value of type undefined'],
      [null, 'not an Error was thrown, but a value of type object'],
      [{ password: 'Wonderland-7' }, 'not an Error was thrown, but a value of type object'],
      [
        new Proxy(new Error(), {
          get: () => {
            throw new Error('hostile');
          },
        }),
        'an error that cannot be read was thrown',
      ],
    ] as const) {
      const logged = loggedError(thrown);
      assert.ok(logged instanceof Error);
      assert.equal(logged.message, message);
    }
  });

  it('G04: has no property of its own but those, for any logger', () => {
    const thrown = Object.assign(new Error('Request failed with status code 401'), {
      code: 'ERR_BAD_REQUEST',
      config: { auth: { username: 'svc', password: 'Wonderland-7' }, headers: { Authorization: 'Basic c3ZjOg==' } },
      toJSON: () => ({ password: 'Wonderland-7' }),
    });
    const logged = loggedError(thrown);
    const lines: string[] = [];
    pino({ base: null }, { write: (line) => void lines.push(line) }).error({ err: logged }, 'failed');
    for (const text of [inspect(logged, { depth: null, showHidden: true }), JSON.stringify(logged), ...lines]) {
      assert.ok(!/Wonderland|c3ZjOg/.test(text), text);
    }
    assert.match(lines[0] ?? '', /Request failed with status code 401.*logged-error\.test/);
  });

  const hash = createHash('md5').update('Wonderland-7').digest();
  const token = randomBytes(60).toString('base64');
  for (const [what, message, kept] of [
    ['a hash', `no entry ${hash.toString('hex')} in the table`, 'no entry [masked] in the table'],
    ['a Buffer as Node prints it', `not ${inspect(hash)}`, 'not <Buffer [masked]>'],
    [
      'an array of numbers',
      `not ${inspect(new Uint8Array(hash), { breakLength: Infinity, compact: true })}`,
      /^not Uint8Array/,
    ],
    [
      'bytes in columns, deep in an object',
      `not ${inspect({ a: { b: { response: new Uint8Array(Buffer.concat([hash, hash, hash, hash])) } } }, { depth: 9 })}`,
      /^not \{[^]*\[masked\]/,
    ],
    ['bytes as JSON', `bad ${JSON.stringify({ ntResponse: new Uint8Array(hash) })}`, /^bad /],
    ['a token', `cannot decode ${token} as text`, 'cannot decode [masked] as text'],
    [
      'a password in a URL',
      'connect ldap://cn=svc:Wonderland-7@dc1/: refused',
      'connect ldap://cn=svc:[masked]@dc1/: refused',
    ],
    [
      'a password by its name',
      'bind failed (user=svc, password=Wonderland-7)',
      'bind failed (user=svc, password=[masked]',
    ],
    ['a password in words', 'the password is Wonderland-7', 'the password is [masked]'],
    ['a password in JSON', 'bad {"user":"svc","password":"Wonderland-7"}', 'bad {"user":"svc","password":[masked]}'],
    ['a field', 'sent Authorization: Bearer Wonderland-7', 'sent Authorization: [masked]'],
  ] as const) {
    it(`G04: has no ${what}, in its message or its stack`, () => {
      const logged = loggedError(new Error(message));
      if (typeof kept === 'string') assert.equal(logged.message, kept);
      else assert.match(logged.message, kept);
      const shown = inspect(logged, { showHidden: true });
      for (const secret of [
        'Wonderland',
        token.slice(0, 30),
        hash.toString('hex'),
        [...hash].slice(0, 3).join(', '),
        [...hash].slice(0, 3).join(','),
      ]) {
        assert.ok(!shown.includes(secret), shown);
      }
    });
  }

  it('G04: has no array of bytes, however inspect() or JSON breaks it into lines', () => {
    for (let size = 16; size <= 128; size += 7) {
      // How many numbers stand in a line depends on how long they are.
      for (const bytes of [1, 37, 211].map((first) => Uint8Array.from({ length: size }, (_, i) => first + i * 31))) {
        const logon = { userName: 'alice', ntResponse: bytes, kept: { other: { bytes, buffer: bytes.buffer } } };
        for (const text of [
          ...[inspect(logon), inspect(logon, { depth: null }), inspect(logon, { compact: false, depth: null })],
          ...[inspect(logon, { compact: true, depth: null }), inspect([[[logon]]], { depth: null, showHidden: true })],
          ...[JSON.stringify(logon), JSON.stringify(logon, undefined, 2), JSON.stringify([[...bytes]], undefined, 8)],
          ...[
            [...bytes].join(),
            [...bytes].join(', '),
            Buffer.from(bytes)
              .toString('hex')
              .replace(/..(?!$)/g, '$&:'),
          ],
        ]) {
          const shown = inspect(loggedError(new Error(text)));
          assert.doesNotMatch(shown, /(?:\b\d{1,3},\s*){6}|(?:\d",?\s*"?\d+": \d){3}|(?:[0-9a-f]{2}[ :]){6}/, text);
        }
      }
    }
  });

  it('G04: has no beginning of a secret where it ends', () => {
    const bytes = createHash('sha512').update('Wonderland-7').digest();
    for (const [lead, secret] of [
      ['', bytes.toString('hex')],
      ['', bytes.toString('base64')],
      ['<Buffer ', inspect(bytes)],
      ['[', JSON.stringify([...bytes])],
      ['Uint8Array(64) [\n  ', inspect(new Uint8Array(bytes))],
      ['password: ', `password: "${'Wonderland-7 '.repeat(100)}"`],
      ['ldap://svc:', 'ldap://svc:Wonderland-7@dc1/'],
    ] as const) {
      for (let shown = 0; shown < secret.length; shown++) {
        const filler = `${'directory, '.repeat(200).slice(0, 1999 - shown)} `;
        const { message } = loggedError(new Error(`${filler}${secret} and more`));
        const kept = message.slice(filler.length).split('[masked]')[0]?.trimEnd() ?? '';
        assert.ok(lead.startsWith(kept), `${shown} of ${secret}: ${kept}`);
      }
    }
  });

  it('leaves what is no secret as it is', () => {
    for (const text of [
      "Cannot read properties of undefined (reading 'verifyNtlmResponseWithTheDirectory')",
      'getaddrinfo ENOTFOUND ldap.corp.example.com',
      'expected 1, 2, 3, 4 and 5',
      'S-1-5-21-1004336348-1177238915-682003330-1105 is on no list',
      '550e8400-e29b-41d4-a716-446655440000 timed out after 30000 ms',
      'no passwords in /etc/sspi-auth/smbpasswd',
      'at verify (/srv/intranet-App2/node_modules/some-package/lib/a-folder/source.js:12:34)',
      'connect ECONNREFUSED fd00:aa:bb:cc:dd:ee:ff:1 by 52:54:00:12:34:56',
    ]) {
      assert.equal(loggedError(new Error(text)).message, text);
    }
    assert.match(loggedError(new Error('x')).stack ?? '', /test\/authenticator\/logged-error\.test\.ts:\d+/);
  });

  it('keeps the first 2000 characters of a message', () => {
    const text = 'no answer of the directory, '.repeat(100);
    assert.equal(loggedError(new Error(text)).message, text.slice(0, 2000));
    assert.equal(loggedError(new Error(text.slice(0, 2001))).message, text.slice(0, 2000));
    assert.equal(loggedError(new Error(text.slice(0, 2000))).message, text.slice(0, 2000));
  });

  it('is made of any text, however long', () => {
    for (const piece of ['a:', '//', '"', 'password', '1,', 'A1a', 'f', '<Buffer ', 'x://a:', ' ', 'hash=']) {
      assert.ok(loggedError(new Error(piece.repeat(1_000_000))).message.length <= 4000, piece);
    }
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => loggedError(new Error(text)) instanceof Error));
  });
});

describe('A21: an account source that throws', () => {
  interface Line {
    readonly level: string;
    readonly record: Readonly<Record<string, unknown>>;
    readonly message: string;
  }

  for (const [how, fail] of [
    [
      'throws',
      (text: string): never => {
        throw new TypeError(text);
      },
    ],
    ['rejects', (text: string): Promise<never> => Promise.reject(new TypeError(text))],
  ] as const) {
    it(`is in the log once, whole and without the response that it was given: NTLM and Digest, it ${how}`, async () => {
      const log: Line[] = [];
      const write =
        (level: string) =>
        (record: object, message: string): void =>
          void log.push({ level, record: record as Line['record'], message });
      const logger: Logger = { info: write('info'), warn: write('warn'), error: write('error') };
      const accounts: AccountSource = {
        description: 'one that fails',
        verifyNtlm: (logon) =>
          fail(`cannot verify ${inspect(logon)} ${Buffer.from(logon.ntResponse).toString('base64')}`),
        verifyDigest: (logon) => fail(`cannot verify ${JSON.stringify(logon)}`),
      };
      const authenticator = createAuthenticator({ accounts, domain: 'LAB', logger });
      const ask = async (socket: FakeSocket, authorization?: string): Promise<Outcome> =>
        authenticator.authenticate(exchangeOf(socket, authorization), '/', undefined);
      const secrets: string[] = [];
      for (let count = 0; count < 3; count++) {
        const socket = new FakeSocket();
        const type1 = negotiateMessage(WINDOWS_FLAGS);
        const asked = await ask(socket, `NTLM ${Buffer.from(type1).toString('base64')}`);
        const challenge = Buffer.from(String(field(asked, 'WWW-Authenticate')).slice('NTLM '.length), 'base64');
        const options = { userName: 'alice', domain: 'LAB', password: 'Wonderland-7' };
        const type3 = authenticateMessage(type1, Uint8Array.from(challenge), options).message;
        const refused = await ask(socket, `NTLM ${Buffer.from(type3).toString('base64')}`);
        assert.equal('status' in refused && refused.status, 401);
        const digestChallenge = [field(await ask(new FakeSocket()), 'WWW-Authenticate')]
          .flat()[1]
          ?.slice('Digest '.length);
        const answer = answerChallenge(digestChallenge ?? '', { password: 'Wonderland-7', uri: '/' });
        secrets.push(/response="(\w+)"/.exec(answer)?.[1] ?? '');
        assert.equal(((await ask(new FakeSocket(), `Digest ${answer}`)) as { status?: number }).status, 401);
      }
      const errors = log.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1, 'of one place');
      const where = 'the account source one that fails';
      for (const { record, message } of errors) {
        assert.equal(message, `sspi-auth: ${where} failed; the request was refused`);
        assert.equal(record['where'], where);
        assert.match((record['err'] as Error).stack ?? '', /TypeError: cannot verify[^]*logged-error\.test/);
      }
      const refusals = log.filter(({ level }) => level === 'warn');
      assert.equal(refusals.length, 6);
      for (const { record } of refusals) {
        assert.match(
          String(record['diagnosis']),
          /: the account source one that fails failed: TypeError: cannot verify/,
        );
        assert.match(String(record['account']), /alice/);
      }
      const text = inspect(log, { depth: null, maxStringLength: null, maxArrayLength: null });
      for (const secret of secrets) assert.ok(secret.length === 64 && !text.includes(secret));
      assert.doesNotMatch(text, /<Buffer (?!\[masked)|(?:\d+,\s*){9}/);
      authenticator.close();
    });
  }

  it('G04: functions of the operator are logged in the same way', async () => {
    const thrown = Object.assign(new Error('password=Wonderland-7'), { config: { auth: 'Wonderland-7' } });
    const fail = (): never => {
      throw thrown;
    };
    const source: AccountSource = { description: 'one', verifyNtlm: () => ({ result: 'refused' }), close: fail };
    for (const options of [{ skip: fail }, { authorize: fail }, { accounts: source }]) {
      const s = scripted({ right: {} }, options);
      assert.ok(s.request(new FakeSocket(), later('right')));
      s.authenticator.close();
      await settled();
      const lines = s.log.filter(({ level }) => level === 'error');
      assert.equal(lines.length, 1);
      assert.doesNotMatch(inspect(lines, { depth: null }), /Wonderland/);
    }
  });
});
