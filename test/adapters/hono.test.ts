/** What is Hono's own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { requestId } from 'hono/request-id';
import { sspiAuth } from '../../adapters/hono.ts';
import type { AuditRecord } from '../../src/index.ts';
import { accounts } from './scenarios.ts';

describe('hono', () => {
  for (const [what, id] of [
    ['the id of requestId()', 'the-id'],
    ['no id where there is none', undefined],
  ] as const) {
    it(`logs ${what}, the method and the path`, async () => {
      const records: AuditRecord[] = [];
      const logger = {
        info: () => undefined,
        error: () => undefined,
        warn: (record: object) => void records.push(record as AuditRecord),
      };
      const app = new Hono();
      if (id !== undefined) app.use(requestId({ generator: () => id }));
      app.use(sspiAuth({ accounts, logger }));
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
      if (!server.listening) await once(server, 'listening');
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/page?secret=1`;
        const headers = { authorization: 'NTLM AAAA', connection: 'close' };
        assert.equal((await fetch(url, { headers })).status, 401);
      } finally {
        server.close();
      }
      const { requestId: logged, method, path, reason } = records.find((record) => record.method !== undefined) ?? {};
      assert.deepEqual([logged, method, path, reason], [id, 'GET', '/page', 'SEC_E_INVALID_TOKEN']);
    });
  }
});
