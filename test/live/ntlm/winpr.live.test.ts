/** Our NTLM acceptor against clients on WinPR's InitializeSecurityContextW, which shares no code with it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { describeNtlmMessage } from '../../../src/formats/ntlm/message-description.ts';
import {
  ASC_REQ_ALLOW_MISSING_BINDINGS,
  ASC_REQ_CONNECTION,
  ASC_RET_CONFIDENTIALITY,
  ASC_RET_INTEGRITY,
  deleteSecurityContext,
  queryContextAttributes,
  SEC_E_BAD_BINDINGS,
  SEC_E_LOGON_DENIED,
  SEC_E_MESSAGE_ALTERED,
  SEC_E_OK,
  SEC_E_OUT_OF_SEQUENCE,
  SEC_I_CONTINUE_NEEDED,
  SECBUFFER_CHANNEL_BINDINGS,
  SECBUFFER_DATA,
  SECBUFFER_TOKEN,
  SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
  SECPKG_ATTR_NAMES,
  systemClock,
} from '../../../src/sspi/index.ts';
import type { AcceptSecurityContextResult, ContextHandle, SecBuffer } from '../../../src/sspi/index.ts';
import { tier } from '../../lab/tier.ts';
import { ISC_REQ_CONNECTION, WinprClient } from '../../lab/winpr.ts';
import type { WinprClientOptions, WinprIdentity } from '../../lab/winpr.ts';
import { credential, leg, tokenOf } from '../../packages/ntlm/ntlm-server.ts';
import { decryptNow, encryptNow } from '../../sspi/messages-now.ts';

// WinPR writes its log to the terminal.
process.env['WLOG_LEVEL'] ??= 'OFF';
const ready = await tier('winpr');

const right: WinprIdentity = { user: 'User', domain: 'Domain', password: 'Password' };

/** A client that protects messages, unless its options say otherwise. */
const ntlm = (identity = right, options: WinprClientOptions = {}): WinprClient =>
  new WinprClient('NTLM', identity, { target: 'HTTP/server.test', ...options });
/** One that asks for no protection. */
const plainly = { requirements: ISC_REQ_CONNECTION };

interface Handshake {
  readonly last: AcceptSecurityContextResult;
  /** Messages of the client, as the page that shows handshakes tells them. */
  readonly negotiate: Extract<ReturnType<typeof describeNtlmMessage>, { type: 'NEGOTIATE' }>;
  readonly authenticate: Extract<ReturnType<typeof describeNtlmMessage>, { type: 'AUTHENTICATE' }>;
}

function handshake(
  client: WinprClient,
  options: {
    readonly authData?: Parameters<typeof credential>[0];
    readonly buffers?: readonly SecBuffer[];
    readonly requirements?: number;
    readonly alter?: (message: Uint8Array) => Uint8Array;
  } = {},
): Handshake {
  const handle = credential({ clock: systemClock, ...options.authData });
  const { buffers = [], requirements = ASC_REQ_CONNECTION } = options;
  const one = client.next(undefined)!;
  assert.equal(client.complete, false);
  const first = leg(handle, undefined, one, { buffers, requirements });
  assert.equal(first.status, SEC_I_CONTINUE_NEEDED);
  const two = client.next(tokenOf(first))!;
  assert.equal(client.complete, true);
  const token = options.alter?.(two) ?? two;
  const last = leg(handle, first.context, token, { buffers, requirements });
  const negotiate = describeNtlmMessage(one);
  const authenticate = describeNtlmMessage(two);
  assert.ok(negotiate.type === 'NEGOTIATE' && authenticate.type === 'AUTHENTICATE');
  return { last, negotiate, authenticate };
}

const data = (bytes: Uint8Array): SecBuffer => ({ type: SECBUFFER_DATA, data: bytes });
const token = (bytes: Uint8Array): SecBuffer => ({ type: SECBUFFER_TOKEN, data: bytes });

describe('WinPR as NTLM client', ready, () => {
  it('signs in with the right password, with MIC and key exchange', () => {
    using client = ntlm();
    const { last, authenticate } = handshake(client, { authData: { requireMic: true, require128: true } });
    assert.equal(last.status, SEC_E_OK);
    const wanted = ASC_RET_INTEGRITY | ASC_RET_CONFIDENTIALITY;
    assert.equal((last.attributes ?? 0) & wanted, wanted);
    assert.equal(authenticate.response, 'NTLMv2');
    assert.ok(authenticate.micPromised && authenticate.micPresent && authenticate.sessionKeyExchanged);
    assert.equal(queryContextAttributes(last.context!, SECPKG_ATTR_NAMES).value, 'Domain\\User');
    assert.equal(queryContextAttributes(last.context!, SECPKG_ATTR_CLIENT_SPECIFIED_TARGET).value, 'HTTP/server.test');
    deleteSecurityContext(last.context!);
  });

  it('seals only where it asked to', () => {
    using client = ntlm(right, plainly);
    const { last } = handshake(client);
    assert.equal(last.status, SEC_E_OK);
    assert.equal((last.attributes ?? 0) & ASC_RET_CONFIDENTIALITY, 0);
    deleteSecurityContext(last.context!);
  });

  const refused: readonly (readonly [name: string, identity: WinprIdentity])[] = [
    ['a wrong password', { ...right, password: 'password' }],
    ['an unknown user', { ...right, user: 'Mallory' }],
    ['another domain', { ...right, domain: 'Elsewhere' }],
  ];
  for (const [name, identity] of refused) {
    it(`is refused with ${name}`, () => {
      using client = ntlm(identity);
      assert.equal(handshake(client).last.status, SEC_E_LOGON_DENIED);
    });
  }

  it('C26: signs in with a name beyond ASCII, in another case', () => {
    // WinPR upcases by its own table; where it and ours differ is not what this is about.
    const accounts = memoryAccounts([{ userName: 'Émile', domain: 'Domain', password: 'pässwörd' }]);
    using client = ntlm({ user: 'émile', domain: 'Domain', password: 'pässwörd' }, plainly);
    const { last } = handshake(client, { authData: { accounts } });
    assert.equal(last.status, SEC_E_OK);
    deleteSecurityContext(last.context!);
  });

  it('C13: is refused when a bit of its MIC is wrong', () => {
    using client = ntlm();
    const alter = (message: Uint8Array): Uint8Array => {
      message[72] = message[72]! ^ 1;
      return message;
    };
    assert.equal(handshake(client, { alter }).last.status, SEC_E_LOGON_DENIED);
  });

  describe('C16: channel bindings', () => {
    const bindings = encodeChannelBindings(Buffer.from(`tls-server-end-point:${'h'.repeat(32)}`, 'latin1'));
    const another = encodeChannelBindings(Buffer.from(`tls-server-end-point:${'x'.repeat(32)}`, 'latin1'));
    const buffers = [{ type: SECBUFFER_CHANNEL_BINDINGS, data: bindings }];
    const table: readonly (readonly [
      name: string,
      sent: Uint8Array | undefined,
      requirements: number,
      status: number,
    ])[] = [
      ['the right ones', bindings, 0, SEC_E_OK],
      ['others', another, 0, SEC_E_BAD_BINDINGS],
      ['none, which it says', undefined, 0, SEC_E_BAD_BINDINGS],
      [
        'none, which it says, where a silent client may pass',
        undefined,
        ASC_REQ_ALLOW_MISSING_BINDINGS,
        SEC_E_BAD_BINDINGS,
      ],
    ];
    for (const [name, sent, requirements, status] of table) {
      it(name, () => {
        using client = ntlm(right, { ...plainly, ...(sent && { channelBindings: sent }) });
        const { last } = handshake(client, { buffers, requirements });
        assert.equal(last.status, status);
        if (last.context !== undefined) deleteSecurityContext(last.context);
      });
    }
  });

  describe('messages', () => {
    const established = (client: WinprClient): ContextHandle => {
      const { last } = handshake(client);
      assert.equal(last.status, SEC_E_OK);
      return last.context!;
    };

    it('sealed by either side open on the other, one after another', () => {
      using client = ntlm();
      const context = established(client);
      for (const text of ['one', 'two', 'x'.repeat(5000), 'four']) {
        const plain = Buffer.from(text);
        const sealed = client.encryptMessage(plain);
        assert.notDeepEqual(Buffer.from(sealed.data), plain);
        const opened = decryptNow(context, [token(sealed.token), data(sealed.data)]);
        assert.equal(opened.status, SEC_E_OK);
        assert.deepEqual(Buffer.from(opened.value![0]!.data), plain);
        const [signature, reply] = encryptNow(context, [data(plain)]).value!;
        assert.deepEqual(Buffer.from(client.decryptMessage(signature!.data, reply!.data)), plain);
      }
      deleteSecurityContext(context);
    });

    it('changed, replayed or out of order are refused by us', () => {
      using client = ntlm();
      const context = established(client);
      const first = client.encryptMessage(Buffer.from('first'));
      const second = client.encryptMessage(Buffer.from('second'));
      const early = decryptNow(context, [token(second.token), data(second.data)]);
      assert.equal(early.status, SEC_E_OUT_OF_SEQUENCE);
      const changed = Uint8Array.from(first.data);
      changed[0] = changed[0]! ^ 1;
      assert.equal(decryptNow(context, [token(first.token), data(changed)]).status, SEC_E_MESSAGE_ALTERED);
      assert.equal(decryptNow(context, [token(first.token), data(first.data)]).status, SEC_E_OK);
      assert.equal(decryptNow(context, [token(first.token), data(first.data)]).status, SEC_E_OUT_OF_SEQUENCE);
      assert.equal(decryptNow(context, [token(second.token), data(second.data)]).status, SEC_E_OK);
      deleteSecurityContext(context);
    });

    it('changed are refused by WinPR', () => {
      using client = ntlm();
      const context = established(client);
      const [signature, sealed] = encryptNow(context, [data(Buffer.from('genuine'))]).value!;
      const changed = Uint8Array.from(sealed!.data);
      changed[0] = changed[0]! ^ 1;
      // SEC_E_MESSAGE_ALTERED
      assert.throws(() => client.decryptMessage(signature!.data, changed), /DecryptMessage: 0x8009030f/);
      deleteSecurityContext(context);
    });
  });
});
