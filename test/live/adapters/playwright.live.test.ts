/** The example of docs/testing.md for Playwright: the server is another process, and both know one secret. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chromium } from 'playwright-core';
import { testAuth } from '../../../adapters/testing.ts';
import { quietArguments } from '../../lab/chromium.ts';
import { root } from '../../lab/documents.ts';
import { startProcess } from '../../lab/process.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('browsers');

const application = `
import express from 'express';
import { testAuth } from '${join(root, 'adapters/testing.ts')}';
const auth = testAuth({ secret: process.env.TEST_SECRET }).express();
const app = express().use(auth);
app.get('/', (request, response) => { response.send('Hello ' + request.user.name); });
app.get('/admins', auth.requireGroup('CORP\\\\Admins'), (request, response) => { response.send('Welcome'); });
app.listen(0, '127.0.0.1', function () { console.log('port: ' + this.address().port); });
`;

describe('sspi-auth/testing with Playwright', ready, () => {
  it('signs a browser context in; another context, secret and machine are nobody', async () => {
    const secret = randomBytes(16).toString('hex');
    const env = { TEST_SECRET: secret, NODE_ENV: 'test' };
    const words = ['--import', 'tsx', '--input-type=module', '-e', application];
    await using app = await startProcess(process.execPath, words, { cwd: root, env });
    const [, port = ''] = await app.waitForLine(/^port: (\d+)$/);
    const url = `http://127.0.0.1:${port}/`;
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: [...quietArguments] });
    try {
      const visit = async (
        headers: Readonly<Record<string, string>>,
        path = '',
      ): Promise<{ readonly status: number | undefined; readonly text: string }> => {
        const context = await browser.newContext({ extraHTTPHeaders: headers });
        const page = await context.newPage();
        const response = await page.goto(`${url}${path}`);
        const text = await page.innerText('body');
        await context.close();
        return { status: response?.status(), text };
      };
      const test = testAuth({ secret, allowOutsideTests: true });
      const admin = test.as({ userName: 'alice', domain: 'CORP', groups: ['CORP\\Admins'] });
      assert.deepEqual(await visit(admin), { status: 200, text: 'Hello CORP\\alice' });
      assert.deepEqual(await visit(admin, 'admins'), { status: 200, text: 'Welcome' });
      assert.equal((await visit(test.as({ userName: 'bob' }), 'admins')).status, 403);
      const foreign = testAuth({ allowOutsideTests: true }).as({ userName: 'alice' });
      // Chromium has nothing to answer the challenges with.
      await assert.rejects(visit(foreign), /ERR_INVALID_AUTH_CREDENTIALS/);
    } finally {
      await browser.close();
    }
  });
});
