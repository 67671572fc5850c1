/** The account source that docs/accounts.md shows, run as it stands there. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import type { AccountSource, DigestLogon } from '../../src/index.ts';
import { fences } from '../lab/markdown.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { answerChallenge, computeResponse } from '../packages/digest/digest-client.ts';
import type { ResponseInput } from '../packages/digest/digest-client.ts';
import { DENIED, OK } from '../packages/digest/digest-results.ts';
import { DigestServer, REALM } from '../packages/digest/digest-server.ts';
import * as Sspi from '../../src/sspi/index.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const right = sha256(`alice:${REALM}:Circle of Life`);

describe('the account source of docs/accounts.md', () => {
  const directory = { find: async (): Promise<unknown> => Promise.resolve(undefined) };
  let accounts: AccountSource;
  let folder: Awaited<ReturnType<typeof scratchFolder>>;

  before(async () => {
    const markdown = await readFile(new URL('../../docs/accounts.md', import.meta.url), 'utf8');
    const code = fences(markdown).find((fence) => fence.code.includes('declare const directory'))?.code ?? '';
    assert.ok(code.includes('verifyDigest'));
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    folder = await scratchFolder('documented-source');
    const file = join(folder.path, 'source.mjs');
    await writeFile(file, outputText);
    Object.assign(globalThis, { directory });
    ({ accounts } = (await import(pathToFileURL(file).href)) as { accounts: AccountSource });
  });
  after(async () => {
    Reflect.deleteProperty(globalThis, 'directory');
    await folder[Symbol.asyncDispose]();
  });

  /** The status for who knows this value of H(user:realm:password), where the directory has that entry. */
  async function statusFor(entry: unknown, a1: string): Promise<string> {
    directory.find = async () => Promise.resolve(entry);
    const server = new DigestServer({ accounts });
    const secret = `alice:${REALM}:`;
    // The client of the tests hashes user, realm and password; here it is given what comes of that.
    const hash: ResponseInput['hash'] = (text) => (text.startsWith(secret) ? a1 : sha256(text));
    const { status, context } = await server.accept(answerChallenge(server.challenge(), { compute: { hash } }));
    if (context !== undefined) Sspi.deleteSecurityContext(context);
    return Sspi.statusName(status);
  }

  it('lets in who has the password, under the name of the directory', async () => {
    const entry = { userName: 'alice', hash: right, displayName: 'Alice' };
    assert.equal(await statusFor(entry, right), OK);
    assert.equal(await statusFor(entry, sha256('another')), DENIED);
    const logon = { ...{ userName: 'ALICE', realm: REALM, algorithm: 'SHA-256', method: 'GET', uri: '/' } };
    const proof = { nonce: 'n', nonceCount: '00000001', clientNonce: 'c', qualityOfProtection: 'auth' };
    const input = { hash: sha256, nc: proof.nonceCount, cnonce: 'c', password: 'Circle of Life', ...logon } as const;
    const response = computeResponse({ ...input, userName: 'alice', nonce: 'n', qop: 'auth' });
    const result = await accounts.verifyDigest?.({ ...logon, ...proof, response } as unknown as DigestLogon);
    assert.deepEqual(result, { result: 'accepted', account: { userName: 'alice', displayName: 'Alice' } });
  });

  it('G01: lets nobody in without a hash, whatever anybody computes with', async () => {
    for (const hash of [undefined, null, '', 'x', right.slice(1), right.toUpperCase(), `${right}\n`, {}, [right], 0]) {
      for (const entry of [undefined, null, {}, { userName: 'alice', hash, displayName: 'Alice' }]) {
        const guesses = ['', 'undefined', 'null', '0', '[object Object]', sha256(''), sha256('nobody'), right];
        for (const guess of [...guesses, sha256('no such account'), `${right}\n`]) {
          assert.equal(await statusFor(entry, guess), DENIED, `${JSON.stringify(entry)}, ${guess}`);
        }
      }
    }
  });

  it('has another stand-in in each process', async () => {
    const markdown = await readFile(new URL('../../docs/accounts.md', import.meta.url), 'utf8');
    assert.match(markdown, /const standIn = randomBytes\(32\)/);
  });
});
