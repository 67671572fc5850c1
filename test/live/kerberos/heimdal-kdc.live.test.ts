/** Tickets of a Heimdal KDC, with no PAC in them, from Heimdal's kinit through curl, verified by Heimdal, by MIT krb5 and without a library. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { liveHandles } from '../../../src/sspi/index.ts';
import { adapters } from '../../adapters/servers.ts';
import type { Answer } from '../../adapters/servers.ts';
import { curl } from '../../lab/curl.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import { heimdalKdcPackages, startHeimdalKdc, unpackHeimdalKdc } from '../../lab/heimdal-kdc.ts';
import type { HeimdalKdc } from '../../lab/heimdal-kdc.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, heimdal, mit, portable, useRealm } from './acceptor.ts';

let programs: ScratchFolder | undefined;
const ready = await tier('heimdal', ['python3-gssapi', ...heimdalKdcPackages], async () => {
  programs = await unpackHeimdalKdc();
});

describe('tickets of a Heimdal KDC', ready, () => {
  let kdc: HeimdalKdc;
  let alice: Readonly<Record<string, string>>;
  before(async () => {
    kdc = await startHeimdalKdc(programs!);
    useRealm(kdc);
    alice = await kdc.signIn(['--forwardable']);
  });
  after(async () => {
    await kdc[Symbol.asyncDispose]();
    await programs?.remove();
    assert.equal(liveHandles().contexts, 0);
  });

  for (const { name, options, library } of [heimdal, mit, portable]) {
    it(`sign in with curl, verified by ${name}`, async () => {
      await using server = await adapters['node:http']!({ ...options, keytab: kdc.keytab });
      const url = `http://localhost:${server.port}/`;
      const { status, body, exitCode } = await curl(['--negotiate', '-u', ':', url], { env: alice });
      assert.equal(exitCode, 0);
      assert.equal(status, 200, body);
      const answer = JSON.parse(body) as Answer;
      assert.equal(answer.name, 'alice@HEIMDAL.TEST');
      assert.equal(answer.package, 'Kerberos');
      assert.equal((await curl(['--negotiate', '-u', ':', url], { env: kdc.env })).status, 401);
    });

    it(`have no PAC, and are refused by ${name} where one is required`, async () => {
      await using client = await startGssClient(alice);
      using server = await acceptor({ library, keytab: kdc.keytab, requirePac: true });
      const verified = await server.verify(await client.initiate());
      assert.equal(verified.status, 'SEC_E_LOGON_DENIED');
      assert.match(verified.why, /no PAC/);
      using lenient = await acceptor({ library, keytab: kdc.keytab });
      const { status, token, expiry } = await lenient.verify(await client.initiate());
      assert.equal(status, 'SEC_E_OK');
      assert.equal(token?.userPrincipalName, 'alice@HEIMDAL.TEST');
      assert.ok(expiry !== undefined && expiry.getTime() > Date.now());
    });
  }
});
