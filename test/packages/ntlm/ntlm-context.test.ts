/** What an NTLM context keeps to by itself, without the contract around it, and what it says in the log. */
import { reason } from '../../../src/identity/reasons/reason.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountSource, NtlmLogon, Unavailable } from '../../../src/accounts/account-source.ts';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { channelBindingsHash } from '../../../src/crypto/channel-bindings-hash.ts';
import { decodeChannelBindings, encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { filetimeOf } from '../../../src/formats/filetime.ts';
import { ntlmPackage } from '../../../src/packages/ntlm/ntlm-package.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { attempt, patch, right, type1 } from './deviating-client.ts';
import type { Attempt } from './deviating-client.ts';
import { authenticateMessage, negotiateMessage, u32, utf16, WINDOWS_FLAGS } from './ntlm-client.ts';
import type { ClientOptions } from './ntlm-client.ts';
import { accounts, clockAt, credential, leg, NOW, tokenOf } from './ntlm-server.ts';
import { atOnce } from '../../sspi/messages-now.ts';

type Context = NonNullable<Sspi.AcceptReply['context']>;

const call = (token: Uint8Array | undefined): Sspi.AcceptCall => ({
  input: token === undefined ? [] : [{ type: Sspi.SECBUFFER_TOKEN, data: token }],
  requirements: 0,
  targetDataRep: 0,
});

const now = (reply: Sspi.AcceptReply | Promise<Sspi.AcceptReply>): Sspi.AcceptReply => {
  assert.ok(!(reply instanceof Promise));
  return reply;
};

/** A context of the package itself that waits for its answer, and the answer of a client. */
const challenged = (client: ClientOptions = right): { readonly context: Context; readonly message: Uint8Array } => {
  const authData = { accounts, domain: 'Domain', computerName: 'Server', clock: clockAt(NOW) };
  const own = ntlmPackage.acquireCredentials({ credentialUse: 'inbound', principal: undefined, authData });
  assert.ok(!(own instanceof Promise));
  const { context, output } = now(own.accept(call(type1)));
  return { context: context!, message: authenticateMessage(type1, output![0]!.data, client).message };
};

const SPENT = { status: Sspi.SEC_E_OUT_OF_SEQUENCE };
const NOT_STANDING = { status: Sspi.SEC_E_INVALID_HANDLE };

describe('an NTLM context by itself', () => {
  it('C03: after a wrong password the right one is out of sequence', () => {
    const { context, message } = challenged();
    assert.equal(now(context.accept(call(patch(72, 32, 0)(message)))).status, Sspi.SEC_E_LOGON_DENIED);
    assert.deepEqual(now(context.accept(call(message))), SPENT);
    assert.deepEqual(context.queryToken(), NOT_STANDING);
  });

  it('C03: a call without a token uses the challenge up as well', () => {
    const { context, message } = challenged();
    assert.equal(now(context.accept(call(undefined))).status, Sspi.SEC_E_INVALID_TOKEN);
    assert.deepEqual(now(context.accept(call(message))), SPENT);
  });

  it('C03: a second answer takes away what the first one gave', () => {
    const { context, message } = challenged();
    assert.equal(now(context.accept(call(message))).status, Sspi.SEC_E_OK);
    assert.equal(context.queryToken().value?.userName, 'User');
    assert.deepEqual(now(context.accept(call(message))), SPENT);
    assert.deepEqual(context.queryToken(), NOT_STANDING);
  });

  it('answers nothing and protects nothing before it stands, nor after its deletion', () => {
    const { context, message } = challenged();
    const nothing = (): void => {
      assert.deepEqual(context.queryToken(), NOT_STANDING);
      assert.deepEqual(context.queryAttribute(Sspi.SECPKG_ATTR_SESSION_KEY), NOT_STANDING);
      for (const protect of ['makeSignature', 'verifySignature', 'encryptMessage', 'decryptMessage'] as const) {
        assert.deepEqual(context[protect]!([], undefined), NOT_STANDING, protect);
      }
      context.resetMessageState!();
    };
    nothing();
    assert.equal(now(context.accept(call(message))).status, Sspi.SEC_E_OK);
    assert.equal(context.makeSignature!([], undefined).status, Sspi.SEC_E_OK);
    context.delete();
    nothing();
    // A handshake that is given up half way.
    challenged().context.delete();
  });

  it('puts its ciphers back to their start for Negotiate (MS-SPNG 3.2.5.1)', () => {
    const seal = (resets: boolean): string => {
      const { context, message } = challenged();
      assert.equal(now(context.accept(call(message))).status, Sspi.SEC_E_OK);
      context.resetMessageState!();
      const data = { type: Sspi.SECBUFFER_DATA, data: Buffer.alloc(32) };
      const sealed = (): string =>
        Buffer.from(atOnce(context.encryptMessage!([data], undefined)).value![1]!.data).toString('hex');
      const first = sealed();
      if (resets) context.resetMessageState!();
      return String(sealed() === first);
    };
    assert.deepEqual([seal(true), seal(false)], ['true', 'false']);
  });
});

describe('NTLM attacks', () => {
  it('C20, C21: what can be refused without the account source does not reach it', () => {
    const logons: NtlmLogon[] = [];
    const open: AccountSource = {
      description: 'lets everybody in',
      verifyNtlm: (logon) => {
        logons.push(logon);
        return { result: 'accepted', account: { userName: 'anybody' }, sessionBaseKey: new Uint8Array(16) };
      },
    };
    const refused = (client: ClientOptions, how: Attempt = {}): void => {
      const { status } = attempt(client, { ...how, authData: { accounts: open, ...how.authData } });
      assert.equal(status, Sspi.SEC_E_LOGON_DENIED);
    };
    const unsigned = { ...right, mic: false };
    refused({ ...unsigned, userName: '' });
    refused({ ...unsigned, flags: WINDOWS_FLAGS | 0x800 });
    refused({ ...unsigned, ntResponse: new Uint8Array(0) });
    refused({ ...unsigned, ntResponse: new Uint8Array(24) });
    refused({ ...unsigned, timestamp: filetimeOf(NOW - 37 * 3_600_000) });
    assert.deepEqual(logons, []);
    assert.equal(attempt(unsigned, { authData: { accounts: open } }).status, Sspi.SEC_E_OK);
    assert.equal(logons.length, 1);
  });

  it('C11: a client with 128-bit keys is accepted where they are required', () => {
    assert.equal(attempt(right, { authData: { require128: true } }).status, Sspi.SEC_E_OK);
  });

  it('C14: a client with a MIC is accepted where it is required', () => {
    assert.equal(attempt(right, { authData: { requireMic: true } }).status, Sspi.SEC_E_OK);
  });

  it('C25: a key that is sent and not agreed on is not looked at', () => {
    // Neither signing nor sealing: KEY_EXCH of both sides has no effect, nor has the length of its key.
    const negotiate = negotiateMessage(WINDOWS_FLAGS & ~0x30);
    const client = { ...right, flags: WINDOWS_FLAGS & ~0x30, encryptedKey: new Uint8Array(5) };
    assert.equal(attempt(client, { negotiate }).status, Sspi.SEC_E_OK);
  });

  it('C16: bindings that the server gives on the first leg only are required on the last', () => {
    const data = encodeChannelBindings(Buffer.from('tls-server-end-point:a certificate'));
    const buffers = [{ type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data }];
    const hash = channelBindingsHash(decodeChannelBindings(data));
    for (const [pairs, status] of [
      [[], Sspi.SEC_E_BAD_BINDINGS],
      [[[10, new Uint8Array(16)]], Sspi.SEC_E_BAD_BINDINGS],
      [[[10, hash]], Sspi.SEC_E_OK],
    ] as const) {
      const handle = credential();
      const first = leg(handle, undefined, type1, { buffers });
      const { message } = authenticateMessage(type1, tokenOf(first), { ...right, pairs });
      assert.equal(leg(handle, first.context, message).status, status);
    }
  });

  it('C16: bindings of both legs are those of the last one', () => {
    const [one, two] = ['a certificate', 'its successor'].map((name) => {
      const data = encodeChannelBindings(Buffer.from(`tls-server-end-point:${name}`));
      return { type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data };
    });
    for (const [seen, status] of [
      [one, Sspi.SEC_E_BAD_BINDINGS],
      [two, Sspi.SEC_E_OK],
    ] as const) {
      const handle = credential();
      const first = leg(handle, undefined, type1, { buffers: [one!] });
      const pairs = [[10, channelBindingsHash(decodeChannelBindings(seen!.data))]] as const;
      const { message } = authenticateMessage(type1, tokenOf(first), { ...right, pairs });
      assert.equal(leg(handle, first.context, message, { buffers: [two!] }).status, status);
    }
  });

  it('C16: a proxy whose bindings the first leg asked for is not forgotten on the last', () => {
    for (const [pairs, status] of [
      [[], Sspi.SEC_E_BAD_BINDINGS],
      [[[10, new Uint8Array(16)]], Sspi.SEC_E_BAD_BINDINGS],
      [[[10, new Uint8Array(16).fill(1)]], Sspi.SEC_E_OK],
    ] as const) {
      const handle = credential();
      const first = leg(handle, undefined, type1, { requirements: Sspi.ASC_REQ_PROXY_BINDINGS });
      const { message } = authenticateMessage(type1, tokenOf(first), { ...right, pairs });
      assert.equal(leg(handle, first.context, message, { requirements: 0 }).status, status);
    }
  });

  it('C19: the own account of this machine, reflected: its answer is for the channel and the service that it called', () => {
    const machine = memoryAccounts([{ userName: 'Server$', domain: 'Domain', password: 'of the machine' }]);
    const [own, attackers] = ['this server', 'the attacker'].map((name) =>
      encodeChannelBindings(Buffer.from(`tls-server-end-point:${name}`)),
    );
    // What a service of this machine sends to the attacker: his channel, his name, and the machine's identifier.
    const singleHost = Buffer.concat([u32(48), u32(0), Buffer.alloc(8), Buffer.alloc(32, 7)]);
    const pairs = [
      [8, singleHost],
      [9, utf16('HTTP/attacker.test')],
      [10, channelBindingsHash(decodeChannelBindings(attackers!))],
    ] as const;
    const client = { userName: 'Server$', domain: 'Domain', password: 'of the machine', mic: true, pairs };
    for (const [authData, buffers, status] of [
      [{}, [{ type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data: own! }], Sspi.SEC_E_BAD_BINDINGS],
      [{ servicePrincipalNames: ['HTTP/server.test'] }, [], Sspi.SEC_E_WRONG_PRINCIPAL],
      // Without either it cannot be told from a call of that service itself.
      [{}, [], Sspi.SEC_E_OK],
    ] as const) {
      const handle = credential({ accounts: machine, ...authData });
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), client);
      assert.equal(leg(handle, first.context, message, { buffers }).status, status);
    }
  });

  it('C16: an empty buffer of bindings is none: it asks for nothing, and nothing is told of it', () => {
    const buffers = [{ type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data: new Uint8Array(0) }];
    const handle = credential();
    const first = leg(handle, undefined, type1, { buffers });
    const { message } = authenticateMessage(type1, tokenOf(first), right);
    const { status, output } = leg(handle, first.context, message, { buffers });
    assert.deepEqual([status, output], [Sspi.SEC_E_OK, []]);
  });

  it('C16: what became of the bindings is told: matched, given by a proxy, or missing', () => {
    const data = encodeChannelBindings(Buffer.from('tls-server-end-point:a certificate'));
    const bindings = { type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data };
    const pair = [10, channelBindingsHash(decodeChannelBindings(data))] as const;
    for (const [buffers, requirements, pairs, told] of [
      [[bindings], 0, [pair], 0x11],
      [[bindings], Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS, [pair], 0x11],
      [[bindings], Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS, [], 0x42],
      [[], Sspi.ASC_REQ_PROXY_BINDINGS, [pair], 0x21],
    ] as const) {
      const handle = credential();
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), { ...right, pairs });
      const { status, output } = leg(handle, first.context, message, { buffers, requirements });
      const result = [{ type: Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, data: Uint8Array.of(told, 0, 0, 0) }];
      assert.deepEqual([status, output], [Sspi.SEC_E_OK, result]);
    }
  });

  it('names the account a client claimed and the kind of what a source threw, and hands on the error', async () => {
    const fails = Object.assign(new Error('the password is x'), { code: 'ECONNREFUSED' });
    const expected = {
      account: 'Domain\\User',
      text: reason('account-source-failed', { source: 'the account source fails', detail: 'Error ECONNREFUSED' }),
      failure: { where: 'the account source fails', error: fails },
    };
    for (const verifyNtlm of [
      () => {
        throw fails;
      },
      () => Promise.reject(fails),
    ]) {
      const handle = credential({ accounts: { description: 'fails', verifyNtlm } });
      const first = leg(handle, undefined, type1);
      const { message } = authenticateMessage(type1, tokenOf(first), right);
      const { diagnosis } = await Sspi.acceptSecurityContext({
        ...{ credential: handle, context: first.context, requirements: 0, targetDataRep: 0 },
        input: [{ type: Sspi.SECBUFFER_TOKEN, data: message }],
      });
      assert.deepEqual(diagnosis, expected);
    }
    const wrong = { text: 'wrong password' };
    assert.deepEqual(attempt({ ...right, password: 'x' }).diagnosis, { account: 'Domain\\User', ...wrong });
    assert.deepEqual(attempt({ ...right, domain: '', password: 'x' }).diagnosis, { account: 'User', ...wrong });
    // A source may be JavaScript: only text is a reason, for an error may hold anything.
    for (const [reason, text] of [
      ['no controller', { text: 'no controller' }],
      [new Error('the password is x'), undefined],
    ] as const) {
      const verifyNtlm = (): Unavailable => ({ result: 'unavailable', reason: reason as string });
      const { diagnosis } = attempt(right, { authData: { accounts: { description: 'away', verifyNtlm } } });
      assert.deepEqual(diagnosis, { account: 'Domain\\User', ...text });
    }
  });
});
