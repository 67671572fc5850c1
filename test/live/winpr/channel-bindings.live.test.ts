/** Channel bindings of clients on WinPR's own InitializeSecurityContextW, accepted by WinPR and checked by the provider. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { liveNativeHandles, secur32Packages } from '../../../src/native/secur32/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { runProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { tier } from '../../lab/tier.ts';
import {
  canEnterWinprNamespace,
  enterWinprNamespace,
  winprAccounts,
  WinprClient,
  winprLibrary,
} from '../../lab/winpr.ts';

const ready = await tier('winpr', [], canEnterWinprNamespace);
if (ready.skip === false) enterWinprNamespace();

const bindingsOf = (text: string): Uint8Array => encodeChannelBindings(Buffer.from(`tls-server-end-point:${text}`));
const right = bindingsOf('this certificate');
const wrong = bindingsOf('another certificate');

/** A handshake to its end. */
async function handshake(
  name: string,
  channelBindings: Uint8Array | undefined,
  requirements: number,
): Promise<Sspi.AcceptSecurityContextResult> {
  const owner = secur32Packages(winprLibrary).find(({ info }) => info.name === name);
  assert.ok(owner);
  const credential = await Sspi.acquireCredentialsHandle({ package: owner, credentialUse: 'inbound' });
  const options = channelBindings === undefined ? {} : { channelBindings };
  using client = new WinprClient(name, { user: 'alice', ...winprAccounts.alice }, options);
  let result: Sspi.AcceptSecurityContextResult | undefined;
  do {
    const token = client.next(result?.output[0]?.data);
    assert.ok(token !== undefined);
    result = await Sspi.acceptSecurityContext({
      credential,
      context: result?.context,
      input: [
        { type: Sspi.SECBUFFER_TOKEN, data: token },
        { type: Sspi.SECBUFFER_CHANNEL_BINDINGS, data: right },
      ],
      requirements: Sspi.ASC_REQ_CONNECTION | requirements,
      targetDataRep: Sspi.SECURITY_NATIVE_DREP,
    });
  } while (result.status === Sspi.SEC_I_CONTINUE_NEEDED);
  if (result.status === Sspi.SEC_I_COMPLETE_NEEDED && result.context !== undefined) {
    result = await Sspi.completeAuthToken(result.context, result.output);
  }
  Sspi.freeCredentialsHandle(credential);
  return result;
}

describe('channel bindings over WinPR', ready, () => {
  after(() =>
    assert.deepEqual(liveNativeHandles(), { credentials: 0, contexts: 0, tokens: 0, certificates: 0, buffers: 0 }),
  );

  for (const name of ['NTLM', 'Negotiate']) {
    for (const [what, sent, whenSupported, always] of [
      ['the right ones', right, 'SEC_E_OK', 'SEC_E_OK'],
      ['those of another certificate', wrong, 'SEC_E_BAD_BINDINGS', 'SEC_E_BAD_BINDINGS'],
      // WinPR's client knows channel bindings: without any it sends zeros, as Windows does.
      ['none, from a client that knows them', undefined, 'SEC_E_BAD_BINDINGS', 'SEC_E_BAD_BINDINGS'],
    ] as const) {
      it(`${name}, ${what}: ${whenSupported}, and where they are required ${always} (C16)`, async () => {
        for (const [requirements, expected] of [
          [Sspi.ASC_REQ_ALLOW_MISSING_BINDINGS, whenSupported],
          [0, always],
        ] as const) {
          const { status, context, output } = await handshake(name, sent, requirements);
          assert.equal(Sspi.statusName(status), expected);
          if (context === undefined) continue;
          assert.equal(output.find(({ type }) => type === Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT)?.data[0], 0x10);
          Sspi.deleteSecurityContext(context);
        }
      });
    }
  }

  it('are looked at by no acceptor here: native-values.ts of the verification kit says so', async () => {
    const kit = programWords(new URL('../../windows/native-values.ts', import.meta.url));
    const words = [...kit, '--library', winprLibrary, '--user', 'LAB\\alice'];
    const { code, stdout } = await runProcess(process.execPath, words, {
      env: { SSPI_AUTH_KIT_PASSWORD: winprAccounts.alice.password },
    });
    assert.equal(code, 1);
    for (const name of ['NTLM', 'Negotiate']) {
      assert.match(stdout, new RegExp(`^pass   ${name}, bindings required, client has right: accepted$`, 'm'));
      assert.match(
        stdout,
        new RegExp(`^fail   ${name}, bindings required, client has wrong: .*: 0x00000000 from`, 'm'),
      );
    }
  });
});
