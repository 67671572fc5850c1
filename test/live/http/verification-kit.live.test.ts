/**
 * Scripts of test/windows with curl and Chromium, against an account of this library's own: relay, certificates and clients
 * do what the scripts say. Windows is not in it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { full } from '../../lab/matrix.ts';
import { runProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('browsers', ['curl', 'openssl']);

/** Runs a script; gives its exit code and the lines of a kind. */
async function ran(
  file: string,
  ...words: readonly string[]
): Promise<{ code: number | null; of: (kind: string) => string[] }> {
  const { code, stdout } = await runProcess(
    process.execPath,
    [
      ...programWords(new URL(`../../windows/${file}`, import.meta.url)),
      '--user',
      'LAB\\alice',
      '--scheme',
      'NTLM',
      ...words,
    ],
    { env: { SSPI_AUTH_KIT_PASSWORD: 'Wonderland-7' } },
  );
  const of = (kind: string): string[] =>
    [...stdout.matchAll(new RegExp(`^${kind} +(.*)$`, 'gm'))].map(([, line = '']) => line);
  return { code, of };
}

describe('the verification kit with Chromium in place of Edge', ready, () => {
  it('channel-bindings.ts: bound directly, refused through the relay (C16)', async () => {
    const { code, of } = await ran('channel-bindings.ts');
    assert.deepEqual([code, of('fail')], [0, []]);
    for (const policy of ['always', 'whenSupported']) {
      for (const what of ['signs in', 'is bound', 'through a relay: 401', 'through a relay: SEC_E_BAD_BINDINGS']) {
        assert.ok(of('pass').includes(`${policy}, NTLM: Edge ${what}`), what);
      }
    }
    assert.ok(of('pass').includes('always, NTLM: curl through a relay: 401'));
  });

  if (full()) {
    it('local-account.ts: right and wrong passwords; and notices what this account has not', async () => {
      const { code, of } = await ran('local-account.ts');
      assert.equal(code, 1);
      for (const client of ['curl', 'Edge']) {
        assert.ok(of('pass').includes(`${client}, NTLM, with a password: is LAB\\alice`));
        assert.ok(of('pass').includes(`${client}, NTLM, wrong password: SEC_E_LOGON_DENIED`));
        assert.ok(of('fail').includes(`${client}, NTLM, with a password: has a SID: nothing`));
      }
    });
  }

  it('many-sign-ins.ts: a sign-in for each URL of one curl', async () => {
    const { code, of } = await ran('many-sign-ins.ts', '--count', '100', '--batch', '50');
    assert.deepEqual([code, of('fail')], [0, []]);
    assert.ok(of('pass').includes('NTLM: all were admitted'));
  });
});
