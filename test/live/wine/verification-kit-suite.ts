/**
 * The scripts of test/windows under Wine, with curl of this machine as their client from outside. That shows that they run on
 * a Windows build and see what there is to see; what Windows does only Windows shows.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { curl } from '../../lab/curl.ts';
import { winePassword } from '../../lab/wine.ts';
import type { WindowsNetwork } from './windows-application.ts';

/** What a script printed, without the lines that tell of the machine. */
interface Findings {
  readonly exitCode: number | null;
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  readonly values: readonly string[];
}

/** Runs a script, and signs in as often as it asks for a client. */
async function findings(network: WindowsNetwork, file: string, ...words: readonly string[]): Promise<Findings> {
  await using script = await network.startScript(file, ['--client', 'outside', ...words]);
  for (let clients = 1; ; clients++) {
    const lines = `(?:[^]*?^client (NTLM|Negotiate) (\\S+)(.*)\\n){${clients}}`;
    const [, scheme, url = '', who = ''] = await script.waitForLine(
      new RegExp(`${lines}|^# \\d+ passed, \\d+ failed$`, 'm'),
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

const alice = ['--user', 'LAB\\alice'];

export function verificationKitSuite(network: () => WindowsNetwork): void {
  describe('the verification kit', () => {
    it('local-account.ts', async () => {
      const found = await findings(network(), 'local-account.ts', ...alice, '--scheme', 'NTLM', '--browser', 'none');
      console.log(found);
    });
    it('who-am-i.ts', async () => {
      console.log(await findings(network(), 'who-am-i.ts', '--host', 'localhost'));
    });
    it('impersonation.ts', async () => {
      console.log(await findings(network(), 'impersonation.ts', ...alice, '--scheme', 'NTLM'));
    });
    it('many', async () => {
      console.log(await findings(network(), 'many-groups.ts', ...alice));
      console.log(await findings(network(), 'many-sign-ins.ts', ...alice, '--count', '20', '--batch', '5'));
      console.log(await findings(network(), 'refusals.ts', ...alice));
      console.log(await findings(network(), 'refusals.ts', ...alice, '--situation', 'wrong-spn', '--host', 'localhost'));
      console.log(await findings(network(), 'over-time.ts', '--minutes', '0'));
      console.log(await findings(network(), 'native-values.ts', ...alice));
    });
  });
}
