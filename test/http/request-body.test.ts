import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { announcesBody } from '../../src/http/request-body.ts';

describe('the body of a request', () => {
  it('is announced by Content-Length or Transfer-Encoding, in whatever case and place', () => {
    assert.equal(announcesBody(['Content-Length', '5']), true);
    assert.equal(announcesBody(['Host', 'localhost', 'transfer-encoding', 'chunked']), true);
  });

  it('is not where the fields have other names, whatever their values', () => {
    assert.equal(announcesBody([]), false);
    assert.equal(announcesBody(['Host', 'content-length', 'X-Content-Length', '5', 'TE', 'transfer-encoding']), false);
  });
});
