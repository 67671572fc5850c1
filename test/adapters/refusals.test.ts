/** Functions for refusals that do what they may not, without a real client; test/live/adapters/ has those. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import express from 'express';
import supertest from 'supertest';
import { sspiAuth } from '../../adapters/express.ts';
import type { ExpressSspiAuthOptions } from '../../adapters/express.ts';
import { accounts } from './raw-clients.ts';

type Refuse = NonNullable<ExpressSspiAuthOptions['refuse']>;

const rows: Readonly<Record<string, Refuse>> = {
  'changes the status and the challenges': (_request, response) => {
    response.status(200).removeHeader('WWW-Authenticate');
    response.setHeader('WWW-Authenticate', 'Basic realm="phish"');
    response.send('page');
  },
  'writes the head itself': (_request, response) => {
    response.writeHead(200, { 'WWW-Authenticate': 'Basic' });
    response.end('page');
  },
  throws: () => {
    throw new Error('the page is broken: secret');
  },
  'rejects, later': () => Promise.reject(new Error('the page is broken: secret')),
  hangs: () => new Promise(() => undefined),
};

describe('a function for refusals', () => {
  for (const [name, refuse] of Object.entries(rows)) {
    it(`H16: that ${name}: 401 with the challenges, and no reason`, async () => {
      const auth = sspiAuth({ accounts, logger: false, refuse, limits: { handshakeMilliseconds: 200 } });
      const app = express().set('env', 'test').use(auth);
      app.use((_request, response) => void response.send('inside'));
      const answer = await supertest(app).get('/').set('Authorization', 'NTLM broken').buffer();
      assert.equal(answer.status, 401);
      const challenges = answer.headers['www-authenticate'] ?? '';
      assert.match(challenges, /NTLM/);
      assert.doesNotMatch(challenges, /Basic/);
      assert.doesNotMatch(answer.text, /inside|secret|token/);
      auth.close();
    });
  }
});
