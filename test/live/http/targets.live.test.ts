/** Option servicePrincipalNames against NTLM clients: those that name the service they mean, and those that name none. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { adapters } from '../../adapters/servers.ts';
import type { Answer, RunningServer } from '../../adapters/servers.ts';
import { launchChromium } from '../../lab/chromium.ts';
import type { Chromium } from '../../lab/chromium.ts';
import { curl } from '../../lab/curl.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';
import { ISC_REQ_CONNECTION, WinprClient } from '../../lab/winpr.ts';
import { accounts, assertNothingLeft, challengeOf, domain, users } from './clients.ts';

const winpr = await tier('winpr');
const tools = await tier('curl');
const browsers = await tier('browsers');

const diagnoses: unknown[] = [];
const serve = async (
  scheme: 'NTLM' | 'Negotiate',
  names: readonly string[],
  requireMic = false,
): Promise<RunningServer> =>
  adapters['node:http']!({
    ...{ accounts, domain, schemes: [scheme], packages: ['NTLM'], servicePrincipalNames: names, requireMic },
    logger: {
      info: () => undefined,
      error: () => undefined,
      warn: (record) => {
        if ('diagnosis' in record) diagnoses.push(record.diagnosis);
      },
    },
  });

for (const scheme of ['NTLM', 'Negotiate'] as const) {
  describe(`C18: the service that a client of ${scheme} means`, () => {
    for (const [target, status] of [
      ['HTTP/web.corp.example', 200],
      ['HTTP/WEB.corp.example:8080', 200],
      ['cifs/fileserver', 401],
      ['HTTP/web.corp.example.evil', 401],
    ] as const) {
      it(`WinPR for ${target}: ${status}`, winpr, async () => {
        await using server = await serve(scheme, ['HTTP/web.corp.example']);
        await using connection = await RawConnection.open(server.port);
        using client = new WinprClient(
          'NTLM',
          { user: 'alice', domain, password: users['alice']! },
          { target, requirements: ISC_REQ_CONNECTION },
        );
        const field = (token: Uint8Array): string =>
          `Authorization: ${scheme} ${Buffer.from(token).toString('base64')}`;
        const asked = await connection.exchange({ fields: [field(client.next(undefined)!)] });
        const challenge =
          scheme === 'NTLM'
            ? challengeOf(asked)
            : Buffer.from(asked.headers.get('www-authenticate')![0]!.slice('Negotiate '.length), 'base64');
        const answer = await connection.exchange({ fields: [field(client.next(challenge)!)] });
        assert.equal(answer.status, status);
        if (status === 401) assert.match(String(diagnoses.at(-1)), new RegExp(`the client meant ${target}, which`));
        assert.equal(server.handled(), status === 200 ? 1 : 0);
        await connection[Symbol.asyncDispose]();
        await assertNothingLeft(server);
      });
    }
  });
}

describe('C18, C14: curl, whose NTLM names no service and makes no MIC', tools, () => {
  for (const [what, names, requireMic, diagnosis] of [
    ['servicePrincipalNames', ['HTTP/localhost'], false, /the client names no service/],
    ['requireMic', undefined, true, /the client sent no MIC/],
  ] as const) {
    it(`is refused with ${what}, and the log says so`, async () => {
      await using server = await adapters['node:http']!({
        ...{ accounts, domain, schemes: ['NTLM'], requireMic },
        ...(names && { servicePrincipalNames: names }),
        logger: {
          info: () => undefined,
          error: () => undefined,
          warn: (record) => {
            if ('diagnosis' in record) diagnoses.push(record.diagnosis);
          },
        },
      });
      const url = `http://localhost:${server.port}/`;
      const { status } = await curl(['--ntlm', '-u', `${domain}\\alice:${users['alice']!}`, url]);
      assert.equal(status, 401);
      assert.match(String(diagnoses.at(-1)), diagnosis);
      assert.equal(server.handled(), 0);
    });
  }
});

describe('C18: Chromium, which names the host of the address and its port', browsers, () => {
  let chromium: Chromium;
  before(async () => {
    chromium = await launchChromium();
  });
  after(async () => chromium.close());

  const credentials = { username: 'alice', password: users['alice']! };
  for (const [name, status] of [
    ['HTTP/localhost', 200],
    ['HTTP/web.corp.example', 401],
  ] as const) {
    it(`where ${name} is wanted: ${status}`, async () => {
      await using server = await serve('NTLM', [name], true);
      const visit = await chromium.visit(`http://localhost:${server.port}/`, { credentials });
      assert.equal(visit.status, status);
      if (status === 200) assert.equal((JSON.parse(visit.body) as Answer).name, `${domain}\\alice`);
      else assert.match(String(diagnoses.at(-1)), /the client meant HTTP\/localhost/);
    });
  }
});
