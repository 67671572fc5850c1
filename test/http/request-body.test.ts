import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { announcedLength } from '../../src/http/request-body.ts';

describe('the length that a request announces for its body', () => {
  it('is that of Content-Length, or not known where it is chunked, in whatever case and place', () => {
    assert.equal(announcedLength(['Content-Length', '5']), 5);
    assert.equal(announcedLength(['Host', 'localhost', 'content-length', '0']), 0);
    assert.equal(announcedLength(['Host', 'localhost', 'transfer-encoding', 'chunked']), undefined);
  });

  it('is zero where the fields have other names, whatever their values', () => {
    assert.equal(announcedLength([]), 0);
    assert.equal(announcedLength(['Host', 'content-length', 'X-Content-Length', '5', 'TE', 'transfer-encoding']), 0);
  });
});
