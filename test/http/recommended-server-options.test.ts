import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { recommendedServerOptions } from '../../src/http/recommended-server-options.ts';

describe('recommendedServerOptions', () => {
  it('are 80 KiB of fields and two minutes between requests, and a server takes them', () => {
    assert.deepEqual(recommendedServerOptions, { maxHeaderSize: 81_920, keepAliveTimeout: 120_000 });
    assert.equal(createServer(recommendedServerOptions).keepAliveTimeout, 120_000);
  });
});
