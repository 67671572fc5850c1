/** Hostile input to the NTLM acceptor, through the contract. Every case is refused, with the status named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource, NtlmLogon } from '../../../src/accounts/account-source.ts';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { OptionError } from '../../../src/errors.ts';
import { decodeChallengeMessage } from '../../../src/formats/ntlm-challenge-message.ts';
import { filetimeOf } from '../../../src/formats/filetime.ts';
import type { NtlmAuthData } from '../../../src/packages/ntlm/ntlm-auth-data.ts';
import {
  acceptSecurityContext,
  ASC_REQ_CONNECTION,
  deleteSecurityContext,
  freeCredentialsHandle,
  liveHandles,
  queryContextAttributes,
  querySecurityContextToken,
  SEC_E_INTERNAL_ERROR,
  SEC_E_INVALID_HANDLE,
  SEC_E_INVALID_TOKEN,
  SEC_E_LOGON_DENIED,
  SEC_E_NO_AUTHENTICATING_AUTHORITY,
  SEC_E_OK,
  SEC_E_OUT_OF_SEQUENCE,
  SEC_E_UNSUPPORTED_FUNCTION,
  SEC_I_CONTINUE_NEEDED,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_ATTR_NAMES,
} from '../../../src/sspi/index.ts';
import type { AcceptSecurityContextResult } from '../../../src/sspi/index.ts';
import {
  authenticateMessage,
  CURL_FLAGS,
  encodePairs,
  negotiateMessage,
  u32,
  utf16,
  WINDOWS_FLAGS,
} from './ntlm-client.ts';
import type { ClientOptions } from './ntlm-client.ts';
import { accounts, credential, leg, NOW, tokenOf } from './ntlm-server.ts';

const right: ClientOptions = { userName: 'User', domain: 'Domain', password: 'Password', mic: true };
const type1 = negotiateMessage(WINDOWS_FLAGS);

interface Attempt {
  readonly authData?: Partial<NtlmAuthData>;
  readonly negotiate?: Uint8Array;
  readonly requirements?: number;
  /** Changes the finished message. */
  readonly alter?: (message: Uint8Array) => Uint8Array;
}

/** A handshake with a client that deviates; the result of its last leg. */
function attempt(client: ClientOptions, how: Attempt = {}): AcceptSecurityContextResult {
  const handle = credential(how.authData);
  const negotiate = how.negotiate ?? type1;
  const first = leg(handle, undefined, negotiate);
  assert.equal(first.status, SEC_I_CONTINUE_NEEDED);
  const { message } = authenticateMessage(negotiate, tokenOf(first), client);
  const last = leg(handle, first.context, how.alter?.(message) ?? message, { requirements: how.requirements ?? 0 });
  freeCredentialsHandle(handle);
  if (last.status !== SEC_E_OK) assert.equal(last.context, undefined);
  return last;
}

/** The message with a 16- or 32-bit little-endian number changed. */
const patch =
  (at: number, bits: 16 | 32, value: number) =>
  (message: Uint8Array): Uint8Array => {
    const copy = message.slice();
    const view = new DataView(copy.buffer);
    if (bits === 16) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    return copy;
  };

describe('NTLM attacks', () => {
  it('the client of these tests is accepted where it does not deviate', () => {
    assert.equal(attempt(right).status, SEC_E_OK);
  });

  describe('first leg', () => {
    const handle = credential();
    const refuse = (name: string, token: Uint8Array): void => {
      it(name, () => assert.equal(leg(handle, undefined, token).status, SEC_E_INVALID_TOKEN));
    };
    const challenge = tokenOf(leg(handle, undefined, type1));
    refuse('C01: an AUTHENTICATE_MESSAGE as first message', authenticateMessage(type1, challenge, right).message);
    refuse('C05: a CHALLENGE_MESSAGE of the server itself', challenge);
    for (const type of [0, 4, 0xffffffff]) refuse(`C05: message type ${type}`, patch(8, 32, type)(type1));
    refuse('C05: signature NTLMSSP1', Buffer.from(type1).fill('1', 7, 8));
    refuse('an empty token', new Uint8Array(0));
    refuse('C10: neither Unicode nor OEM', negotiateMessage(WINDOWS_FLAGS & ~3));
    refuse('C06: a domain outside the message', patch(16, 16, 8)(patch(20, 32, 0xfffffff0)(type1)));
    refuse('C06: a domain inside the header', patch(16, 16, 8)(patch(20, 32, 8)(type1)));
    refuse('A05: more than 64 KiB', Buffer.concat([type1, new Uint8Array(0x10000)]));
    it('A03: every prefix is refused', () => {
      for (let end = 0; end < type1.byteLength; end++) {
        assert.equal(leg(handle, undefined, type1.subarray(0, end)).status, SEC_E_INVALID_TOKEN);
      }
    });
    it('no token buffer at all', () => {
      const result = acceptSecurityContext({
        ...{ credential: handle, context: undefined, input: [], requirements: 0, targetDataRep: 0 },
      });
      assert.ok(!(result instanceof Promise));
      assert.equal(result.status, SEC_E_INVALID_TOKEN);
    });
    it('C11: 128-bit keys required and not offered', () => {
      const strict = credential({ require128: true });
      assert.equal(leg(strict, undefined, negotiateMessage(CURL_FLAGS)).status, SEC_E_UNSUPPORTED_FUNCTION);
    });
    it('LM_KEY and DATAGRAM are never granted, nor protection without extended session security', () => {
      const flags = (offered: number): number =>
        decodeChallengeMessage(tokenOf(leg(handle, undefined, negotiateMessage(offered)))).flags;
      assert.equal(flags(0xe00882f7) & 0xc0, 0);
      assert.equal(flags(0xe0008237) & 0xe0000030, 0);
      assert.equal(flags(WINDOWS_FLAGS) & 3, 1);
      assert.equal(flags(WINDOWS_FLAGS | 3) & 3, 1);
      assert.equal(flags(CURL_FLAGS) & 3, 2);
    });
  });

  describe('one challenge, one attempt', () => {
    it('C02: a message of another connection', () => {
      const handle = credential();
      const [a, b] = [leg(handle, undefined, type1), leg(handle, undefined, type1)];
      const { message } = authenticateMessage(type1, tokenOf(a), right);
      assert.equal(leg(handle, b.context, message).status, SEC_E_LOGON_DENIED);
      assert.equal(leg(handle, b.context, message).status, SEC_E_INVALID_HANDLE);
      assert.equal(leg(handle, a.context, message).status, SEC_E_OK);
    });
    it('C03: the same message twice, the second drops the context', () => {
      const handle = credential();
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      const done = leg(handle, first.context, message);
      assert.equal(done.status, SEC_E_OK);
      assert.equal(leg(handle, done.context, message).status, SEC_E_OUT_OF_SEQUENCE);
      assert.equal(querySecurityContextToken(done.context!).status, SEC_E_INVALID_HANDLE);
      assert.equal(leg(handle, done.context, message).status, SEC_E_INVALID_HANDLE);
    });
    it('C03: a wrong password uses the challenge up', () => {
      const handle = credential();
      const first = leg(handle, undefined, type1);
      const wrong = authenticateMessage(type1, tokenOf(first), { ...right, password: 'x' }).message;
      assert.equal(leg(handle, first.context, wrong).status, SEC_E_LOGON_DENIED);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      assert.equal(leg(handle, first.context, message).status, SEC_E_INVALID_HANDLE);
    });
    it('C04: a NEGOTIATE_MESSAGE where the answer is due', () => {
      const handle = credential();
      const first = leg(handle, undefined, type1);
      assert.equal(leg(handle, first.context, type1).status, SEC_E_INVALID_TOKEN);
    });
    it('A12: the second of two messages at once finds nothing', async () => {
      const slow: AccountSource = { description: 'slow', judgeNtlm: async (logon) => accounts.judgeNtlm!(logon) };
      const handle = credential({ accounts: slow });
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      const call = (): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> =>
        acceptSecurityContext({
          ...{ credential: handle, context: first.context, requirements: ASC_REQ_CONNECTION, targetDataRep: 0 },
          input: [{ type: SECBUFFER_TOKEN, data: message }],
        });
      const [one, two] = [call(), call()];
      assert.ok(one instanceof Promise && !(two instanceof Promise));
      assert.equal(two.status, SEC_E_INVALID_HANDLE);
      assert.equal((await one).status, SEC_E_OK);
    });
    it('A12: the caller may overwrite its buffer while the source is asked', async () => {
      const slow: AccountSource = { description: 'slow', judgeNtlm: async (logon) => accounts.judgeNtlm!(logon) };
      const handle = credential({ accounts: slow });
      const negotiate = Buffer.from(type1);
      const first = leg(handle, undefined, negotiate);
      negotiate.fill(0);
      // A Buffer, as HTTP hands it over: its slice() would not copy.
      const message = Buffer.from(authenticateMessage(type1, tokenOf(first), right).message);
      const pending = acceptSecurityContext({
        ...{ credential: handle, context: first.context, requirements: 0, targetDataRep: 0 },
        input: [{ type: SECBUFFER_TOKEN, data: message }],
      });
      message.fill(0);
      assert.equal((await pending).status, SEC_E_OK);
    });
    it('A17: abandoned handshakes leave nothing behind', () => {
      const handle = credential();
      const before = liveHandles().contexts;
      for (let i = 0; i < 2000; i++)
        assert.equal(deleteSecurityContext(leg(handle, undefined, type1).context!), SEC_E_OK);
      for (let i = 0; i < 200; i++) {
        const first = leg(handle, undefined, type1);
        leg(handle, first.context, authenticateMessage(type1, tokenOf(first), { ...right, password: 'no' }).message);
      }
      assert.equal(liveHandles().contexts, before);
    });
    it('G09: deleted twice, used after deletion', () => {
      const done = attempt(right);
      assert.equal(deleteSecurityContext(done.context!), SEC_E_OK);
      assert.equal(deleteSecurityContext(done.context!), SEC_E_INVALID_HANDLE);
      assert.equal(queryContextAttributes(done.context!, SECPKG_ATTR_NAMES).status, SEC_E_INVALID_HANDLE);
    });
    it('C27: challenges are never the same, and every bit of them varies', () => {
      const handle = credential();
      const seen = new Set<string>();
      const ones = new Array<number>(64).fill(0);
      const count = 2000;
      for (let i = 0; i < count; i++) {
        const first = leg(handle, undefined, type1);
        const { serverChallenge } = decodeChallengeMessage(tokenOf(first));
        deleteSecurityContext(first.context!);
        seen.add(Buffer.from(serverChallenge).toString('hex'));
        for (let bit = 0; bit < 64; bit++) ones[bit]! += (serverChallenge[bit >> 3]! >> (bit & 7)) & 1;
      }
      assert.equal(seen.size, count);
      // Seven standard deviations: once in 10^10 runs by chance.
      for (const value of ones) assert.ok(Math.abs(value - count / 2) < 7 * Math.sqrt(count / 4));
    });
  });

  describe('form of the answer', () => {
    const refuse = (name: string, how: Attempt, client: ClientOptions = right): void => {
      it(name, () => assert.equal(attempt(client, how).status, SEC_E_INVALID_TOKEN));
    };
    refuse('C06: user offset that wraps in 32 bits', { alter: patch(40, 32, 0xfffffff0) });
    refuse('C06: user at the end of the message', {
      alter: (message) => patch(40, 32, message.byteLength)(message),
    });
    refuse('C06: user inside the header', { alter: patch(40, 32, 16) });
    refuse('C06: odd UTF-16 length', { alter: patch(36, 16, 7) });
    it('C06: MaxLen is ignored, overlapping fields are harmless', () => {
      assert.equal(attempt({ ...right, mic: false }, { alter: patch(38, 16, 0xffff) }).status, SEC_E_OK);
      const overlap = (message: Uint8Array): Uint8Array => {
        const view = new DataView(message.buffer);
        return patch(48, 32, view.getUint32(40, true))(patch(44, 16, view.getUint16(36, true))(message));
      };
      assert.equal(attempt({ ...right, mic: false }, { alter: overlap }).status, SEC_E_OK);
    });
    const eol = new Uint8Array(0);
    const lists: Readonly<Record<string, Uint8Array>> = {
      'without end': Uint8Array.of(2, 0, 2, 0, 65, 0, 9, 9, 9, 9),
      'with a length past its end': Uint8Array.of(2, 0, 255, 255, 65, 0),
      'of 10000 pairs': encodePairs(Array.from({ length: 10_000 }, () => [77, eol] as const)),
      'with two MsvAvFlags': encodePairs([
        [6, u32(0)],
        [6, u32(0)],
        [0, eol],
      ]),
      'with two channel bindings': encodePairs([
        [10, new Uint8Array(16)],
        [10, new Uint8Array(16)],
        [0, eol],
      ]),
      'with two target names': encodePairs([
        [9, utf16('a')],
        [9, utf16('b')],
        [0, eol],
      ]),
      'with flags of 2 bytes': encodePairs([
        [6, Uint8Array.of(2, 0)],
        [0, eol],
      ]),
      'with bindings of 15 bytes': encodePairs([
        [10, new Uint8Array(15)],
        [0, eol],
      ]),
      'with a timestamp of 4 bytes': encodePairs([
        [7, new Uint8Array(4)],
        [0, eol],
      ]),
      'whose end has a value': encodePairs([[0, u32(0)]]),
    };
    for (const [name, avBytes] of Object.entries(lists)) {
      refuse(`C07: AV list ${name}`, {}, { ...right, mic: false, avBytes });
    }
    for (const length of [1, 16, 23, 25, 43, 47]) {
      refuse(`C08: a response of ${length} bytes`, {}, { ...right, ntResponse: new Uint8Array(length).fill(1) });
    }
    refuse('C08: RespType 2', {}, { ...right, ntResponse: new Uint8Array(64).fill(2) });
    for (const userName of ['User\0', 'Us\0er', '\ud800User', 'User\udc00', 'User\n', 'User\u0085', 'x'.repeat(257)]) {
      refuse(`C09: user ${JSON.stringify(userName).slice(0, 20)}`, {}, { ...right, userName });
    }
    for (const userName of ['\ufeffUser', 'User ', 'User.', '\uff35ser', 'Us\u00adr']) {
      it(`C09: user ${JSON.stringify(userName)} is not User`, () => {
        assert.equal(attempt({ ...right, userName }).status, SEC_E_LOGON_DENIED);
      });
    }
    it('C09: a name of 256 characters is read', () => {
      assert.equal(attempt({ ...right, userName: 'x'.repeat(256) }).status, SEC_E_LOGON_DENIED);
    });
    refuse(
      'C10: OEM text with a byte above ASCII',
      { negotiate: negotiateMessage(CURL_FLAGS) },
      {
        ...right,
        userName: 'ben\u00e9',
        headerBytes: 64,
        mic: false,
      },
    );
    refuse('C11: an answer in the other character set', {}, { ...right, flags: (WINDOWS_FLAGS & ~1) | 2 });
    for (const length of [0, 15, 17, 64]) {
      refuse(`C25: an exchanged key of ${length} bytes`, {}, { ...right, encryptedKey: new Uint8Array(length) });
    }
    it('A04: bytes behind the payload are covered by the MIC', () => {
      assert.equal(attempt({ ...right, trailing: new Uint8Array(9) }).status, SEC_E_OK);
      const added = (message: Uint8Array): Uint8Array => Buffer.concat([message, new Uint8Array(1)]);
      assert.equal(attempt(right, { alter: added }).status, SEC_E_LOGON_DENIED);
    });
    it('A03: no prefix is accepted', () => {
      const whole = attempt(right);
      assert.equal(whole.status, SEC_E_OK);
      const { byteLength } = authenticateMessage(type1, tokenOf(leg(credential(), undefined, type1)), right).message;
      for (let end = 0; end < byteLength; end++) {
        const { status } = attempt(right, { alter: (message) => message.subarray(0, end) });
        assert.ok(status === SEC_E_INVALID_TOKEN || status === SEC_E_LOGON_DENIED, `${end} bytes`);
      }
    });
  });

  describe('what does not prove the account', () => {
    const refuse = (name: string, client: ClientOptions, how: Attempt = {}): void => {
      it(name, () => assert.equal(attempt(client, how).status, SEC_E_LOGON_DENIED));
    };
    refuse('C12: a response of 24 bytes', { ...right, ntResponse: new Uint8Array(24).fill(7) });
    refuse('C12: LM alone', { ...right, ntResponse: new Uint8Array(0), lmResponse: new Uint8Array(24).fill(7) });
    refuse('C13: MIC promised, header of 64 bytes', { ...right, headerBytes: 64 });
    refuse('C13: MIC promised, header of 72 bytes', { ...right, headerBytes: 72 });
    refuse('C13: MIC promised and zero', right, { alter: (message) => message.fill(0, 72, 88) });
    refuse('C14: no MIC where one is required', { ...right, mic: false }, { authData: { requireMic: true } });
    it('C14: the promise struck from the response breaks the proof', () => {
      const strike = (message: Uint8Array): Uint8Array => {
        const at = Buffer.from(message).indexOf(Buffer.from([6, 0, 4, 0, 2, 0, 0, 0]));
        assert.ok(at > 0);
        return patch(at + 4, 32, 0)(message);
      };
      assert.equal(attempt(right, { alter: strike }).status, SEC_E_LOGON_DENIED);
    });
    refuse('C20: anonymous, empty', { userName: '', ntResponse: new Uint8Array(0), lmResponse: new Uint8Array(0) });
    refuse('C20: anonymous, LM of one zero', {
      userName: '',
      ntResponse: new Uint8Array(0),
      lmResponse: new Uint8Array(1),
    });
    refuse('C21: no user but a response', { ...right, userName: '' });
    refuse('C21: a user and no response', { ...right, ntResponse: new Uint8Array(0), lmResponse: new Uint8Array(0) });
    refuse('C21: ANONYMOUS and a user', { ...right, flags: WINDOWS_FLAGS | 0x800 });
    refuse('C22: an unknown user with an empty password', { ...right, userName: 'Guest', password: '' });
    for (const [name, timestamp] of [
      ['37 hours old', filetimeOf(NOW - 37 * 3_600_000)],
      ['37 hours ahead', filetimeOf(NOW + 37 * 3_600_000)],
      ['zero', 0n],
      ['0xffffffffffffffff', 0xffffffffffffffffn],
      ['one interval too old', filetimeOf(NOW - 36 * 3_600_000) - 1n],
    ] as const) {
      refuse(`C24: time ${name}`, { ...right, timestamp });
    }
    it('C24: 36 hours exactly are accepted, in both directions', () => {
      for (const hours of [36, -36]) {
        assert.equal(attempt({ ...right, timestamp: filetimeOf(NOW + hours * 3_600_000) }).status, SEC_E_OK);
      }
    });
    for (const userName of ['__proto__', 'constructor', 'hasOwnProperty', '0', 'toString']) {
      refuse(`G05: user ${userName}`, { ...right, userName });
    }
    refuse('C28: DOMAIN\\user inside the user name', { ...right, userName: 'Domain\\User', domain: '' });
    refuse('C28: user@domain inside the user name', { ...right, userName: 'User@Domain', domain: '' });
    refuse('C28: another domain', { ...right, domain: 'Elsewhere' });
    it('C11: 128-bit keys dropped by the answer', () => {
      const flags = WINDOWS_FLAGS & ~0x20000000;
      assert.equal(attempt({ ...right, flags }, { authData: { require128: true } }).status, SEC_E_UNSUPPORTED_FUNCTION);
    });
    it('C11: flags that were not offered have no effect', () => {
      const result = attempt({ ...right, flags: (WINDOWS_FLAGS | 0x80 | 0x100000) >>> 0 });
      assert.equal(result.status, SEC_E_OK);
      assert.equal((result.attributes ?? 0) & 0x80000, 0);
    });
  });

  describe('C26: names', () => {
    const names: readonly (readonly [account: string, sent: string, upper: string])[] = [
      ['straße', 'STRAßE', 'STRAßE'],
      ['ılgaz', 'ıLGAZ', 'ıLGAZ'],
      ['ſam', 'ſAM', 'ſAM'],
      ['émile', 'ÉMILE', 'ÉMILE'],
      ['юрий', 'ЮРИЙ', 'ЮРИЙ'],
      ['emoji🙂', 'EMOJI🙂', 'EMOJI🙂'],
    ];
    for (const [userName, sent, hashedUser] of names) {
      it(`${userName} as ${sent}`, () => {
        const source = memoryAccounts([{ userName, password: 'p' }]);
        const result = attempt({ userName: sent, hashedUser, password: 'p' }, { authData: { accounts: source } });
        assert.equal(result.status, SEC_E_OK);
        assert.equal(querySecurityContextToken(result.context!).value?.userName, userName);
      });
    }
    for (const [userName, sent] of [
      ['strasse', 'straße'],
      ['ilgaz', 'ılgaz'],
      ['sam', 'ſam'],
    ] as const) {
      it(`${sent} is not ${userName}`, () => {
        const source = memoryAccounts([{ userName, password: 'p' }]);
        for (const hashedUser of [userName.toUpperCase(), sent.toUpperCase(), sent]) {
          const result = attempt({ userName: sent, hashedUser, password: 'p' }, { authData: { accounts: source } });
          assert.equal(result.status, SEC_E_LOGON_DENIED);
        }
      });
    }
  });

  describe('C18: the service the client says it called', () => {
    const target = (pairs: ClientOptions['pairs']): string | undefined => {
      const result = attempt({ ...right, mic: false, pairs: pairs ?? [] });
      assert.equal(result.status, SEC_E_OK);
      return queryContextAttributes(result.context!, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET).value;
    };
    it('is told', () => assert.equal(target([[9, utf16('HTTP/other.test')]]), 'HTTP/other.test'));
    it('is empty where there is none', () => assert.equal(target([]), ''));
    it('is empty where the client says it is not to be trusted', () =>
      assert.equal(
        target([
          [6, u32(4)],
          [9, utf16('HTTP/server.test')],
        ]),
        '',
      ));
  });

  describe('A21: what an account source may do wrong', () => {
    const key = new Uint8Array(16).fill(1);
    const account = { userName: 'User' };
    const verdicts: Readonly<Record<string, readonly [verdict: unknown, status: number]>> = {
      'C23 undefined': [undefined, SEC_E_LOGON_DENIED],
      'C23 null': [null, SEC_E_LOGON_DENIED],
      'C23 true': [true, SEC_E_LOGON_DENIED],
      'an empty object': [{}, SEC_E_LOGON_DENIED],
      refused: [{ verdict: 'refused' }, SEC_E_LOGON_DENIED],
      'Accepted in capitals': [{ verdict: 'Accepted', account, sessionBaseKey: key }, SEC_E_LOGON_DENIED],
      'accepted without key': [{ verdict: 'accepted', account }, SEC_E_LOGON_DENIED],
      'a key of 8 bytes': [{ verdict: 'accepted', account, sessionBaseKey: key.subarray(8) }, SEC_E_LOGON_DENIED],
      'a key in hex': [{ verdict: 'accepted', account, sessionBaseKey: '01'.repeat(16) }, SEC_E_LOGON_DENIED],
      'no account': [{ verdict: 'accepted', sessionBaseKey: key }, SEC_E_LOGON_DENIED],
      'an account without a name': [
        { verdict: 'accepted', account: { userName: '' }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      'C22 the Guest account': [
        { verdict: 'accepted', account: { ...account, sid: 'S-1-5-21-1-2-3-501' }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      'C20 ANONYMOUS LOGON': [
        { verdict: 'accepted', account: { ...account, sid: 'S-1-5-7' }, sessionBaseKey: key },
        SEC_E_LOGON_DENIED,
      ],
      unavailable: [{ verdict: 'unavailable', reason: 'x' }, SEC_E_NO_AUTHENTICATING_AUTHORITY],
    };
    const judgeOnce = (
      judgeNtlm: (logon: NtlmLogon) => unknown,
    ): AcceptSecurityContextResult | Promise<AcceptSecurityContextResult> => {
      const source = { description: 'of a test', judgeNtlm } as unknown as AccountSource;
      const handle = credential({ accounts: source });
      const first = leg(handle, undefined, type1);
      return acceptSecurityContext({
        ...{ credential: handle, context: first.context, requirements: 0, targetDataRep: 0 },
        input: [
          { type: SECBUFFER_TOKEN, data: authenticateMessage(type1, tokenOf(first), { ...right, mic: false }).message },
        ],
      });
    };
    for (const [name, [verdict, status]] of Object.entries(verdicts)) {
      it(`${name}, at once and later`, async () => {
        const now = judgeOnce(() => verdict);
        assert.ok(!(now instanceof Promise));
        assert.equal(now.status, status);
        assert.equal((await judgeOnce(async () => verdict)).status, status);
      });
    }
    it('throws', () => {
      const result = judgeOnce(() => {
        throw new Error('no database');
      });
      assert.ok(!(result instanceof Promise));
      assert.equal(result.status, SEC_E_INTERNAL_ERROR);
    });
    it('rejects', async () => {
      assert.equal((await judgeOnce(() => Promise.reject(new Error('no database')))).status, SEC_E_INTERNAL_ERROR);
    });
    it('C28: the identity is the record of the source, not the words of the client', async () => {
      const result = attempt({ ...right, userName: 'USER', domain: 'dOMAIN', hashedDomain: 'dOMAIN' });
      assert.equal(queryContextAttributes(result.context!, SECPKG_ATTR_NAMES).value, 'Domain\\User');
    });
  });

  describe('options', () => {
    const bad: Readonly<Record<string, Record<string, unknown>>> = {
      accounts: { accounts: undefined },
      'accounts without judgeNtlm': { accounts: { description: 'of passwords' } },
      domain: { domain: '' },
      'domain too long': { domain: 'x'.repeat(16) },
      'domain with a control character': { domain: 'a\n' },
      computerName: { computerName: undefined },
      dnsDomain: { dnsDomain: 7 },
      clock: { clock: {} },
      random: { random: 'x' },
      maxLifetimeMilliseconds: { maxLifetimeMilliseconds: 0 },
      requireMic: { requireMic: 'yes' },
      require128: { require128: 1 },
    };
    for (const [name, authData] of Object.entries(bad)) {
      it(`${name} is refused by name`, () => {
        const option = name.split(' ')[0];
        assert.throws(
          () => credential(authData),
          (error) => error instanceof OptionError && error.option === option,
        );
      });
    }
  });
});
