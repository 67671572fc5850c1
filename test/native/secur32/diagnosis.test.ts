/** What the log says where Windows has refused a client: the cause as far as it can be told, and what to do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diagnose } from '../../../src/native/secur32/diagnosis.ts';
import type { Refusal } from '../../../src/native/secur32/diagnosis.ts';
import { tokenFacts } from '../../../src/native/secur32/token-facts.ts';
import * as Status from '../../../src/sspi/status.ts';
import { kerberosToken, ntlmLastMessage } from '../../lab/client-messages.ts';
import { CURL_FLAGS, negotiateMessage } from '../../packages/ntlm/ntlm-client.ts';

const processAccount = 'CORP\\WEB1$';
const ticket = { status: Status.SEC_E_LOGON_DENIED, facts: tokenFacts(kerberosToken()), first: true, fault: undefined };
const ntlm = { ...ticket, facts: tokenFacts(ntlmLastMessage()), first: false };
const textOf = (refusal: Partial<Refusal>): string => diagnose({ ...ticket, processAccount, ...refusal })?.text ?? '';

describe('why Windows refused a client', () => {
  for (const status of [
    Status.SEC_E_INVALID_TOKEN,
    Status.SEC_E_LOGON_DENIED,
    Status.SEC_E_WRONG_PRINCIPAL,
    Status.SEC_E_NO_KERB_KEY,
  ]) {
    it(`${Status.statusName(status)} for a ticket: its service, its key, and the account that has to open it`, () => {
      const text = textOf({ status });
      assert.match(text, /HTTP\/web\.lab\.test@LAB\.TEST \(aes256-cts-hmac-sha1-96, kvno 3\)/);
      assert.match(text, /this process runs as CORP\\WEB1\$/);
      assert.match(text, /setspn -Q HTTP\/web\.lab\.test/);
      assert.match(text, /restart the service.*klist purge/);
      assert.equal(diagnose({ ...ticket, status, processAccount })?.package, 'Kerberos');
    });
  }

  it('names the service alone where Windows does not say who this process is', () => {
    assert.match(textOf({ processAccount: undefined }), /the account of this process, whose key has to open it/);
  });

  it('of a ticket of another time: the clocks', () => {
    assert.match(textOf({ status: Status.SEC_E_TIME_SKEW }), /w32tm/);
    assert.match(textOf({ status: Status.SEC_E_CONTEXT_EXPIRED }), /^compare the clocks .*has expired$/);
  });

  it('with no domain controller: the command that shows it', () => {
    for (const facts of [ticket.facts, ntlm.facts]) {
      assert.match(textOf({ facts, status: Status.SEC_E_NO_AUTHENTICATING_AUTHORITY }), /nltest \/sc_verify:DOMAIN/);
    }
  });

  it('quotes what is no plain name: the client wrote it (A09)', () => {
    const facts = tokenFacts(kerberosToken({ service: ['HTTP', 'web\r\nreason: SEC_E_OK'], realm: 'X'.repeat(1000) }));
    const text = textOf({ facts });
    assert.doesNotMatch(text, /[\r\n]/);
    assert.ok(text.length < 1100, String(text.length));
  });

  it('of NTLM: the account that was claimed, and where Windows writes more', () => {
    assert.deepEqual(diagnose({ ...ntlm, processAccount }), {
      account: 'LAB\\alice',
      text: "look at event 4625 of this server's security log, which says what was wrong: wrong password, or the account may not sign in here",
      package: 'NTLM',
    });
    assert.match(textOf({ ...ntlm, status: 0xc0000418 }), /Restrict NTLM/);
  });

  it('of a message of NTLM that does not fit: the proxy, if it came first', () => {
    for (const status of [Status.SEC_E_INVALID_TOKEN, Status.SEC_E_INVALID_HANDLE]) {
      assert.match(textOf({ ...ntlm, status, first: true }), /a proxy opens a connection for each request/);
      assert.match(textOf({ ...ntlm, status, first: false }), /not the answer to the challenge of this connection/);
    }
    const first = tokenFacts(negotiateMessage(CURL_FLAGS));
    assert.match(textOf({ facts: first, status: Status.SEC_E_INVALID_TOKEN }), /malformed/);
  });

  it('of what is neither: that', () => {
    const facts = tokenFacts(Buffer.from('6003020100', 'hex'));
    assert.match(
      textOf({ facts, status: Status.SEC_E_INVALID_TOKEN }),
      /neither an NTLM message nor a Kerberos ticket/,
    );
    assert.equal(diagnose({ ...ticket, facts, status: Status.SEC_E_INTERNAL_ERROR, processAccount }), undefined);
  });

  it('of channel bindings: another certificate, or a program that sends none, and the option', () => {
    const status = Status.SEC_E_BAD_BINDINGS;
    assert.match(textOf({ status, fault: 'mismatch' }), /channelBinding: 'never'.*another TLS certificate/);
    assert.match(textOf({ status, fault: 'missing' }), /channelBinding: 'never'.*sends no channel bindings.*curl\.exe/);
    assert.match(
      textOf({ status, fault: 'unknown' }),
      /either .*another TLS certificate.*; or .*sends no channel bindings/,
    );
    assert.equal(diagnose({ ...ntlm, status, fault: 'missing', processAccount })?.account, 'LAB\\alice');
  });
});
