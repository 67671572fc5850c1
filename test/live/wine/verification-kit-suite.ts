/**
 * The scripts of test/windows under Wine, with curl of this machine as their client from outside. That shows that they run on
 * a Windows build and see what there is to see; what Windows does only Windows shows.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { curl } from '../../lab/curl.ts';
import { winePassword } from '../../lab/wine.ts';
import type { WineProcess } from '../../lab/wine.ts';
import type { WindowsNetwork } from './windows-application.ts';

/** What a script printed, without the lines that tell of the machine. */
interface Findings {
  readonly exitCode: number | null;
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly values: readonly string[];
}

/** Starts a script. On a busy machine Wine now and then ends a process before it has run: then it is started once more. */
async function startedScript(network: WindowsNetwork, file: string, words: readonly string[]): Promise<WineProcess> {
  const script = await network.startScript(file, words);
  try {
    await script.waitForLine(/^# /m);
    return script;
  } catch (error) {
    if ((await script.ended) === 0 || (await script.output()) !== '') throw error;
    return await network.startScript(file, words);
  }
}

/** Runs a script, and signs in as often as it asks for a client. */
async function findings(network: WindowsNetwork, file: string, ...words: readonly string[]): Promise<Findings> {
  await using script = await startedScript(network, file, ['--client', 'outside', ...words]);
  for (let clients = 1; ; clients++) {
    const line = `^client ${clients} (NTLM|Negotiate) (\\S+)(.*)$`;
    const [, scheme, url = '', who = ''] = await script.waitForLine(
      new RegExp(`${line}|^# \\d+ passed, \\d+ failed$`, 'm'),
    );
    if (scheme === undefined) break;
    const [, user] = /^ as (\S+)/.exec(who) ?? [];
    const password = who.endsWith('with a wrong password') ? 'wrong' : winePassword;
    const credentials = scheme === 'NTLM' && user !== undefined ? `${user}:${password}` : ':';
    await curl([`--${scheme.toLowerCase()}`, '-u', credentials, url], { env: network.tickets });
  }
  const exitCode = await script.ended;
  const output = await script.output();
  const of = (kind: string): string[] =>
    [...output.matchAll(new RegExp(`^${kind} +(.*)$`, 'gm'))].map(([, line = '']) => line);
  return { exitCode, passed: of('pass'), failed: of('fail'), values: of('value').slice(3) };
}

const alice = ['--user', 'LAB\\alice', '--scheme', 'NTLM'];

export function verificationKitSuite(network: () => WindowsNetwork): void {
  describe('the verification kit', () => {
    it('local-account.ts: right and wrong passwords', async () => {
      const found = await findings(network(), 'local-account.ts', ...alice, '--browser', 'none');
      assert.deepEqual([found.exitCode, found.failed], [0, []]);
      assert.deepEqual(found.passed, [
        'curl, NTLM, with a password: is LAB\\alice',
        'curl, NTLM, with a password: has a SID',
        'curl, NTLM, with a password: has groups',
        'curl, NTLM, wrong password: 401',
        'curl, NTLM, wrong password: SEC_E_LOGON_DENIED',
      ]);
    });

    it('who-am-i.ts: Kerberos by the name that the ticket is for', async () => {
      const { exitCode, values } = await findings(network(), 'who-am-i.ts', '--host', 'localhost');
      assert.equal(exitCode, 0);
      assert.match(values[0] ?? '', /^localhost: Kerberos, TEST\.LOCAL\\+alice, S-1-5-21-/);
    });

    it('impersonation.ts: runs, and sees that these files are no secret from anybody', async () => {
      const { exitCode, passed, failed } = await findings(network(), 'impersonation.ts', ...alice);
      assert.equal(exitCode, 1);
      assert.deepEqual(passed, ['NTLM: signs in']);
      assert.match(failed[0] ?? '', /before, it is the server: \{"client":true,"server":true\}/);
    });

    it('many-groups.ts: notices that there are fewer', async () => {
      const few = await findings(network(), 'many-groups.ts', ...alice, '--groups', '5');
      assert.deepEqual([few.exitCode, few.failed], [0, []]);
      const many = await findings(network(), 'many-groups.ts', ...alice, '--groups', '300');
      assert.deepEqual([many.exitCode, many.passed], [1, []]);
    });

    it('many-sign-ins.ts: nothing is held', async () => {
      const found = await findings(network(), 'many-sign-ins.ts', ...alice, '--count', '10', '--batch', '5');
      assert.deepEqual([found.exitCode, found.failed], [0, []]);
      assert.deepEqual(found.passed, ['NTLM: all were admitted', 'NTLM: sspi-auth holds nothing of them']);
    });

    it('refusals.ts: names the cause, and fails where the client comes in', async () => {
      const wrong = await findings(network(), 'refusals.ts', ...alice);
      assert.deepEqual([wrong.exitCode, wrong.failed], [0, []]);
      assert.equal(wrong.passed.length, 3);
      const words = ['--user', 'LAB\\alice', '--situation', 'wrong-spn', '--host', 'localhost'];
      const admitted = await findings(network(), 'refusals.ts', ...words);
      assert.deepEqual([admitted.exitCode, admitted.passed], [1, []], 'the name is right here');
    });

    it('over-time.ts: one sign-in', async () => {
      const { exitCode, values } = await findings(network(), 'over-time.ts', '--minutes', '0');
      assert.equal(exitCode, 0);
      assert.match(values[0] ?? '', /Kerberos, TEST\.LOCAL\\+alice, \d of \d groups have names/);
    });

    it('native-values.ts: a handshake of secur32.dll with itself, which knows no bindings', async () => {
      const { exitCode, passed, failed, values } = await findings(
        network(),
        'native-values.ts',
        '--user',
        'LAB\\alice',
      );
      assert.deepEqual([exitCode, passed], [1, []]);
      assert.match(values[0] ?? '', /^NTLM, no bindings anywhere: 0x00000000 from AcceptSecurityContext/);
      // Wine's client takes no bindings, and its acceptor asks for none.
      assert.ok(failed.some((line) => /required, client has none.*: 0x00000000 from AcceptSecurityContext/.test(line)));
      assert.ok(failed.some((line) => /client has right.*: 0x80090308 from InitializeSecurityContextW/.test(line)));
    });
  });
}
