/** What becomes of forwarded tickets when the server ends, and where they cannot be stored. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import {
  ASC_REQ_CONNECTION,
  ASC_REQ_DELEGATE,
  ASC_RET_DELEGATE,
  deleteSecurityContext,
  queryDelegatedCredentials,
  statusName,
} from '../../../src/sspi/index.ts';
import { gssClientPackages, mutual, startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { runChecked } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';
import { accountOf, acceptor, heimdal, mit, portable, useRealm } from './acceptor.ts';

const gssapis = [
  { ...mit, ready: await tier('kdc', gssClientPackages) },
  { ...heimdal, ready: await tier('heimdal', gssClientPackages) },
  { ...portable, ready: await tier('kdc', gssClientPackages) },
];
const flags = [...mutual, 'delegate_to_peer'];
const delegating = { requirements: ASC_REQ_CONNECTION | ASC_REQ_DELEGATE };

for (const { name: gssapi, library, ready } of gssapis)
  describe(`tickets that clients forward, with ${gssapi}`, ready, () => {
    let kdc: Kdc;
    let client: GssClient;
    const whatWas = process.env['TMPDIR'];
    before(async () => {
      kdc = await startKdc();
      useRealm(kdc);
      client = await startGssClient(await kdc.signIn('alice', ['-f']));
      await mkdir(kdc.file('temporary'));
    });
    after(async () => {
      if (whatWas === undefined) Reflect.deleteProperty(process.env, 'TMPDIR');
      else process.env['TMPDIR'] = whatWas;
      await client[Symbol.asyncDispose]();
      await kdc.stop();
    });

    it('are in the folder of this process while their context lives', async () => {
      process.env['TMPDIR'] = kdc.file('temporary');
      using server = await acceptor({ library, keytab: kdc.keytab, delegate: true });
      const { context, attributes = 0 } = await server.accept(await client.initiate({ flags }), delegating);
      assert.notEqual(attributes & ASC_RET_DELEGATE, 0);
      const cache = queryDelegatedCredentials(context!).value?.credentialCache ?? '';
      const kind = library === portable.library ? 'forwarded' : 'delegated';
      assert.ok(cache.startsWith(`FILE:${kdc.file('temporary')}/sspi-auth-${kind}-`), cache);
      assert.equal(existsSync(cache.replace(/^FILE:/, '')), true);
      await runChecked('kvno', ['HTTP/web.test.local'], { env: { ...kdc.env, KRB5CCNAME: cache } });
      deleteSecurityContext(context!);
      assert.deepEqual(await readdir(kdc.file('temporary')), []);
    });

    for (const [name, temporary] of [
      ['is missing', 'absent'],
      ['is a file', 'file'],
    ] as const) {
      it(`if the temporary folder ${name}, the client is signed in without them, and the operator is told once`, async () => {
        await writeFile(kdc.file('file'), '');
        process.env['TMPDIR'] = kdc.file(temporary);
        const warnings: string[] = [];
        const onWarning = (text: string): void => void warnings.push(text);
        using server = await acceptor({ library, keytab: kdc.keytab, delegate: true, onWarning });
        warnings.length = 0;
        for (let time = 1; time <= 3; time++) {
          const { status, context, attributes = 0 } = await server.accept(await client.initiate({ flags }), delegating);
          assert.equal(statusName(status), 'SEC_E_OK');
          assert.equal(accountOf(context!).userName, 'alice');
          assert.equal(attributes & ASC_RET_DELEGATE, 0);
          assert.equal(statusName(queryDelegatedCredentials(context!).status), 'SEC_E_NO_CREDENTIALS');
          deleteSecurityContext(context!);
        }
        assert.equal(warnings.length, 1, warnings.join('\n'));
        assert.match(warnings[0] ?? '', /cannot be stored in .* without delegatedCredentials/);
      });
    }
  });
