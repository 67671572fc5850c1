import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { sspiAuth } from '../../adapters/node.ts';
import { isPreflight, memoryAccounts } from '../../src/index.ts';
import { preflightOrigin } from '../../src/http/preflight.ts';
import { listen } from '../lab/ports.ts';

const headers = { origin: 'https://app.example', 'access-control-request-method': 'PUT' };

describe('isPreflight', () => {
  it('is OPTIONS with Origin and Access-Control-Request-Method', () => {
    assert.equal(isPreflight({ method: 'OPTIONS', headers }), true);
    for (const request of [
      { method: 'GET', headers },
      { method: 'options', headers },
      { headers },
      { method: 'OPTIONS', headers: {} },
      { method: 'OPTIONS', headers: { ...headers, origin: undefined } },
      { method: 'OPTIONS', headers: { ...headers, origin: '' } },
      { method: 'OPTIONS', headers: { origin: 'https://app.example' } },
    ]) {
      assert.equal(isPreflight(request), false, JSON.stringify(request));
    }
  });

  it('lets a preflight through as option skip, and no other request of the same page', async () => {
    const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);
    const protect = sspiAuth({ accounts, skip: isPreflight, crossSite: 'allow', logger: false });
    await using server = await listen(createServer(protect((_request, response) => response.writeHead(204).end())));
    const ask = async (method: string): Promise<number> => (await fetch(server.origin, { method, headers })).status;
    assert.deepEqual([await ask('OPTIONS'), await ask('PUT')], [204, 401]);
    protect.close();
  });

  it('tells the origin of one, read from the fields as they came', () => {
    const rawHeaders = ['ORIGIN', 'https://app.example', 'access-control-request-method', 'PUT'];
    assert.equal(preflightOrigin({ method: 'OPTIONS', rawHeaders }), 'https://app.example');
    assert.equal(preflightOrigin({ method: 'GET', rawHeaders }), undefined);
    assert.equal(preflightOrigin({ method: 'OPTIONS', rawHeaders: rawHeaders.slice(0, 2) }), undefined);
  });
});
