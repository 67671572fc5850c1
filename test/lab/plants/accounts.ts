/** The accounts that plants share, and clients that have their passwords. */
import { memoryAccounts } from '../../../src/index.ts';
import { runChecked } from '../process.ts';

const groups = [{ name: 'CORP\\Engineering', sid: 'S-1-5-21-1-2-3-1105' }];

/** alice, with a password and a group. */
export const plantAccounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7', domain: 'CORP', groups }]);

/** The status that Python's requests get, 0 where it throws. `auth` is an expression of Python. */
export async function requestsStatus(
  url: string,
  auth: string,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const script = [
    'import requests, sys',
    'from requests.auth import HTTPDigestAuth',
    'session = requests.Session()',
    'session.trust_env = False',
    `print(session.get(sys.argv[1], auth=${auth}).status_code)`,
  ].join('\n');
  return Number(await runChecked('/usr/bin/python3', ['-c', script, url], { env }));
}
