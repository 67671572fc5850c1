/** Beside pino-http, with one pino for both: their lines about a request have the same id. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { Writable } from 'node:stream';
import { describe, it } from 'node:test';
import express from 'express';
import { pino } from 'pino';
import { pinoHttp } from 'pino-http';
import { sspiAuth as expressSspiAuth } from '../../adapters/express.ts';
import { sspiAuth as nodeSspiAuth } from '../../adapters/node.ts';
import { listen } from '../lab/ports.ts';
import { accounts } from './scenarios.ts';

interface Line {
  readonly req?: { readonly id?: unknown };
  readonly requestId?: unknown;
  readonly method?: unknown;
  readonly path?: unknown;
}

describe('pino-http', () => {
  const lines: Line[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Line);
      done();
    },
  });
  const logger = pino(stream);
  let count = 0;
  const logged = pinoHttp({ logger, genReqId: () => `request-${++count}` });
  const options = { accounts, logger };
  const servers = {
    Express: () => createServer(express().use(logged, expressSspiAuth(options))),
    'node:http': () => {
      const listener = nodeSspiAuth(options)((_request, response) => void response.end());
      return createServer((request, response) => {
        logged(request, response);
        listener(request, response);
      });
    },
  };

  for (const [name, create] of Object.entries(servers)) {
    it(`${name}: the refusal and the request have one id`, async () => {
      lines.length = 0;
      const listening = await listen(create());
      try {
        const url = `http://127.0.0.1:${listening.port}/page?secret=1`;
        const response = await fetch(url, { headers: { authorization: 'NTLM AAAA', connection: 'close' } });
        await response.text();
        assert.equal(response.status, 401);
      } finally {
        await listening.close();
      }
      const refused = lines.filter(({ path }) => path !== undefined);
      const requests = lines.filter(({ req }) => req !== undefined);
      assert.deepEqual(
        refused.map(({ requestId, method, path }) => [requestId, method, path]),
        [[`request-${count}`, 'GET', '/page']],
      );
      assert.deepEqual(
        requests.map(({ req }) => req?.id),
        [`request-${count}`],
      );
    });
  }
});
