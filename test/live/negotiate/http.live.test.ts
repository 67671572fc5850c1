/** Negotiate through every adapter: curl, requests-kerberos and WinPR sign in, their changed tokens do not. */
import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { memoryAccounts } from '../../../src/accounts/memory-accounts.ts';
import { decodeNegotiationToken, NEG_STATE_ACCEPT_COMPLETED } from '../../../src/formats/spnego.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { adapters } from '../../adapters/servers.ts';
import type { Answer, RunningServer } from '../../adapters/servers.ts';
import { curl } from '../../lab/curl.ts';
import { debianPython, ntlmGssClientPackages, ntlmGssAccount, startGssClient } from '../../lab/gss-client.ts';
import type { GssMechanism, NtlmGssAccount } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runProcess } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { WinprClient } from '../../lab/winpr.ts';

const accounts = memoryAccounts([{ userName: 'alice', domain: 'CORP', password: 'secret' }]);

/** requests-kerberos: raw Kerberos under Negotiate, and the answer of the server checked. */
const requestsKerberos = `
import sys, json, requests
from requests_kerberos import HTTPKerberosAuth, REQUIRED
session = requests.Session()
session.trust_env = False
auth = HTTPKerberosAuth(mutual_authentication=REQUIRED, force_preemptive=sys.argv[2] == 'preemptive')
response = session.get(sys.argv[1], auth=auth)
print(json.dumps({"status": response.status_code, "sent": response.request.headers["Authorization"], "body": response.json()}))
`;

interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on the connection of an agent. */
function get(port: number, agent: Agent, token?: Uint8Array): Promise<HttpAnswer> {
  const headers = token && { authorization: `Negotiate ${Buffer.from(token).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', agent, ...(headers && { headers }) }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.once('error', reject).end();
  });
}

/** What of a refusal must not tell one cause from another. */
const refusal = ({ status, headers, body }: HttpAnswer): unknown => ({
  status,
  headers: { ...headers, date: '' },
  body,
});

const ready = await tier('kdc', [...ntlmGssClientPackages, 'python3-requests-kerberos', 'libwinpr2-2']);

describe('Negotiate over HTTP', ready, () => {
  let kdc: Kdc;
  let ticket: Readonly<Record<string, string>>;
  let account: NtlmGssAccount;
  before(async () => {
    kdc = await startKdc();
    // libkrb5 in this process looks here; its replay cache of the user is in the KDC's folder.
    for (const name of ['KRB5_CONFIG', 'GSS_MECH_CONFIG', 'KRB5RCACHEDIR']) process.env[name] = kdc.env[name];
    ticket = await kdc.signIn('alice');
    account = await ntlmGssAccount('CORP', 'alice', 'secret');
  });
  after(async () => {
    await account[Symbol.asyncDispose]();
    await kdc.stop();
    assert.deepEqual(Sspi.liveHandles(), { credentials: 0, contexts: 0 });
  });

  for (const [name, start] of Object.entries(adapters)) {
    describe(name, () => {
      let both: RunningServer;
      let kerberosOnly: RunningServer;
      before(async () => {
        const { keytab } = kdc;
        both = await start({ keytab, accounts, domain: 'CORP', schemes: ['Negotiate'] });
        kerberosOnly = await start({
          keytab,
          accounts,
          domain: 'CORP',
          schemes: ['Negotiate'],
          packages: ['Kerberos'],
        });
      });
      after(async () => {
        await both[Symbol.asyncDispose]();
        await kerberosOnly[Symbol.asyncDispose]();
      });
      const url = (server: RunningServer): string => `http://localhost:${server.port}/`;
      const negotiate = ['--negotiate', '-u', ':', '--ipv4'];

      it('curl with a ticket signs in with its first request and gets the final token', async () => {
        for (const server of [both, kerberosOnly]) {
          const result = await curl([...negotiate, url(server)], { env: ticket });
          assert.deepEqual(
            result.responses.map(({ status }) => status),
            [200],
          );
          const answer = JSON.parse(result.body) as Answer;
          assert.deepEqual([answer.name, answer.package, answer.scheme], ['alice@TEST.LOCAL', 'Kerberos', 'Negotiate']);
          const [, token = ''] = /^Negotiate (.+)$/.exec(result.headers.get('www-authenticate')?.[0] ?? '') ?? [];
          const last = decodeNegotiationToken(Buffer.from(token, 'base64'));
          assert.ok(last.type === 'NegTokenResp' && last.negState === NEG_STATE_ACCEPT_COMPLETED);
          assert.ok(last.responseToken !== undefined, 'curl asks for mutual authentication');
        }
      });

      it('curl with NTLM in SPNEGO (gss-ntlmssp) signs in where NTLM is allowed', async () => {
        const result = await curl([...negotiate, url(both)], { env: account.env });
        assert.deepEqual(
          result.responses.map(({ status }) => status),
          [401, 200],
        );
        const answer = JSON.parse(result.body) as Answer;
        assert.deepEqual([answer.name, answer.package, answer.scheme], ['CORP\\alice', 'NTLM', 'Negotiate']);
      });

      it('curl with NTLM in SPNEGO is refused where it is not (G11)', async () => {
        const handled = kerberosOnly.handled();
        const result = await curl([...negotiate, url(kerberosOnly)], { env: account.env });
        assert.equal(result.status, 401);
        assert.deepEqual(result.headers.get('www-authenticate'), ['Negotiate']);
        assert.equal(kerberosOnly.handled(), handled);
      });

      for (const mode of ['preemptive', 'on demand']) {
        it(`requests-kerberos signs in with raw Kerberos, ${mode}, and finds the server genuine`, async () => {
          const { stdout, stderr } = await runProcess(debianPython, ['-c', requestsKerberos, url(both), mode], {
            env: ticket,
          });
          const { status, sent, body } = JSON.parse(stdout || `{"status": ${JSON.stringify(stderr)}}`) as {
            status: number;
            sent: string;
            body: Answer;
          };
          assert.equal(status, 200);
          assert.deepEqual([body.name, body.package], ['alice@TEST.LOCAL', 'Kerberos']);
          assert.match(sent, /^Negotiate YI/, 'a GSS token');
        });
      }

      it("WinPR's Negotiate client signs in on its connection, and only there", async () => {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        using client = new WinprClient('Negotiate', { user: 'alice', domain: 'CORP', password: 'secret' });
        const challenged = await get(both.port, agent, client.next(undefined));
        assert.equal(challenged.status, 401);
        const challenge = challenged.headers['www-authenticate']?.replace(/^Negotiate /, '') ?? '';
        const done = await get(both.port, agent, client.next(Buffer.from(challenge, 'base64')));
        assert.equal(done.status, 200);
        assert.equal((JSON.parse(done.body) as Answer).name, 'CORP\\alice');
        assert.equal((await get(both.port, agent)).status, 200, 'the connection stays signed in');
        agent.destroy();
        const other = new Agent();
        assert.equal((await get(both.port, other)).status, 401);
        other.destroy();
      });

      it('changed, cut and replayed tokens all get the same bare 401', async () => {
        const handled = both.handled();
        const fresh = async (mech: GssMechanism): Promise<Uint8Array> => {
          await using client = await startGssClient(ticket);
          return await client.initiate({ mech });
        };
        const bare = async (token?: Uint8Array): Promise<unknown> => {
          const agent = new Agent();
          const result = await get(both.port, agent, token);
          agent.destroy();
          return refusal(result);
        };
        const expected = await bare();
        for (const mech of ['spnego', 'kerberos'] as const) {
          const token = await fresh(mech);
          const step = Math.floor(token.byteLength / 12);
          for (let at = 0; at + 1 < token.byteLength; at += step) {
            assert.deepEqual(await bare(token.subarray(0, at + 1)), expected, `cut at ${at}`);
          }
          // The authenticator is at the end, and nothing of it is open.
          for (let back = 1; back < 120; back += 17) {
            const changed = token.map((byte, index) => (index === token.byteLength - back ? byte ^ 1 : byte));
            assert.deepEqual(await bare(changed), expected, `changed ${back} before the end`);
          }
          assert.equal(both.handled(), handled + (mech === 'spnego' ? 0 : 1));
          const agent = new Agent();
          assert.equal((await get(both.port, agent, token)).status, 200, 'the token itself is good');
          agent.destroy();
          assert.deepEqual(await bare(token), expected, 'once (D01)');
        }
      });
    });
  }
});
