/** What the log says where an account source refuses, fails or is silent, and curl sees the same 401 each time. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { sspiAuth } from '../../../adapters/node.ts';
import { memoryAccounts } from '../../../src/index.ts';
import type { AccountSource, SspiAuthOptions } from '../../../src/index.ts';
import { curl } from '../../lab/curl.ts';
import { listen } from '../../lab/ports.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');

interface Line {
  readonly level: string;
  readonly record: Readonly<Record<string, unknown>>;
}

interface Attempt {
  readonly scheme: '--ntlm' | '--digest';
  readonly user: string;
  readonly password: string;
}

const right = { user: 'CORP\\alice', password: 'Wonderland-7' };

/** Signs in by curl. Returns what curl was answered, without Date and challenges that are new each time, and the log. */
async function attempt(options: SspiAuthOptions, { scheme, user, password }: Attempt): Promise<[string, Line[]]> {
  const lines: Line[] = [];
  const write =
    (level: string) =>
    (record: object): void => {
      if ('durationMilliseconds' in record || level === 'error') lines.push({ level, record: { ...record } });
    };
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const protect = sspiAuth({ domain: 'CORP', provider: 'portable', ...options, logger });
  await using server = await listen(createServer(protect((_request, response) => response.end('in'))));
  const { status, headers, body } = await curl([scheme, '-u', `${user}:${password}`, `${server.origin}/`]);
  protect.close();
  const fields = [...headers].filter(([name]) => name !== 'date');
  return [JSON.stringify([status, fields, body]).replace(/nonce=\\"[^"]*"/g, 'nonce'), lines];
}

const refusalOf = (lines: readonly Line[]): Line['record'] => {
  const [refusal, ...more] = lines.filter(({ level }) => level === 'warn');
  assert.deepEqual(more, []);
  return refusal?.record ?? {};
};

for (const scheme of ['--ntlm', '--digest'] as const) {
  describe(`curl ${scheme} is refused`, ready, () => {
    it('by a wrong password, or as nobody that is known: told apart in the log alone (G01)', async () => {
      const accounts = memoryAccounts([{ userName: 'alice', password: right.password }]);
      const [wrong, ofWrong] = await attempt({ accounts }, { scheme, ...right, password: 'x' });
      const [unknown, ofUnknown] = await attempt({ accounts }, { scheme, ...right, user: 'CORP\\bob' });
      assert.equal(wrong, unknown);
      assert.match(wrong, /^\[401,/);
      for (const [lines, account, diagnosis] of [
        [ofWrong, 'CORP\\alice', 'wrong password'],
        [ofUnknown, 'CORP\\bob', 'no such account'],
      ] as const) {
        const record = refusalOf(lines);
        assert.deepEqual(
          [record['reason'], record['account'], record['diagnosis']],
          ['SEC_E_LOGON_DENIED', account, diagnosis],
        );
      }
    });

    it('because the source never answers: source and account are named', async () => {
      const never = (): Promise<never> => new Promise(() => undefined);
      const accounts: AccountSource = { description: 'ldap://dc1', verifyNtlm: never, verifyDigest: never };
      const [answer, lines] = await attempt({ accounts, limits: { handshakeMilliseconds: 400 } }, { scheme, ...right });
      assert.match(answer, /^\[401,/);
      const { reason, account, diagnosis, scheme: named } = refusalOf(lines);
      assert.deepEqual(
        [reason, account, named],
        ['SEC_E_NO_AUTHENTICATING_AUTHORITY', 'CORP\\alice', scheme === '--ntlm' ? 'NTLM' : 'Digest'],
      );
      assert.match(String(diagnosis), /: the account source ldap:\/\/dc1 has not answered within .* \(400\)$/);
    });

    it('because the source throws: the error is there once, whole and without the password', async () => {
      const fail = (): never => {
        throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:389'), {
          code: 'ECONNREFUSED',
          bindPassword: 'Bind-Secret-7',
        });
      };
      const accounts: AccountSource = { description: 'ldap://dc1', verifyNtlm: fail, verifyDigest: fail };
      const [answer, lines] = await attempt({ accounts }, { scheme, ...right });
      assert.match(answer, /^\[401,/);
      const { reason, account, diagnosis } = refusalOf(lines);
      assert.deepEqual([reason, account], ['SEC_E_INTERNAL_ERROR', 'CORP\\alice']);
      assert.match(String(diagnosis), /: the account source ldap:\/\/dc1 failed: .*ECONNREFUSED 10\.0\.0\.1:389$/);
      const errors = lines.filter(({ level }) => level === 'error');
      assert.equal(errors.length, 1);
      assert.match(String((errors[0]?.record['err'] as Error).stack), /ECONNREFUSED[^]*refusals\.live\.test/);
      assert.equal(errors[0]?.record['where'], 'the account source ldap://dc1');
      assert.doesNotMatch(inspect(lines, { depth: null }), /Bind-Secret-7|Wonderland-7/);
    });
  });
}
