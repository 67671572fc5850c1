import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { passedThroughProxy, proxyFieldNames, reliesOnConnection } from '../../src/http/proxy-fields.ts';
import { readDocument } from '../lab/documents.ts';

/** `x-real-ip` as a proxy spells it, near enough: `X-Real-Ip`. */
const spelled = (name: string): string => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());

describe('fields of proxies', () => {
  for (const name of proxyFieldNames) {
    it(`A11: a proxy is noticed by ${name}`, () => {
      for (const written of [name, spelled(name), name.toUpperCase()]) {
        for (const rawHeaders of [
          [written, 'x'],
          ['Host', 'x', written, 'x', 'Accept', '*/*'],
        ]) {
          assert.equal(passedThroughProxy(rawHeaders), true, written);
          assert.equal(reliesOnConnection(rawHeaders), false, written);
        }
      }
      for (const other of [`${name}x`, name.slice(0, -1), name.replace(/.$/, '_'), name.replace(/^./, '_')]) {
        if ((proxyFieldNames as readonly string[]).includes(other)) continue;
        assert.equal(passedThroughProxy([other, 'x']), false, other);
      }
    });
  }

  it('A11: are those of docs/proxies.md', () => {
    const rows = readDocument('docs/proxies.md').match(/^\| (?:any|Envoy|Cloudflare|Azure|AWS|others).*$/gm) ?? [];
    assert.equal(rows.length, 6, 'the table was found');
    const named = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.toLowerCase()));
    assert.deepEqual([...named].sort(), [...proxyFieldNames].sort());
  });

  it('are not those of browsers, and of other clients', () => {
    for (const name of [
      ...['Vib', 'X-Forwarded-Foo', 'Referrer-x', 'Host', 'Connection', 'Cache-Control', 'Cookie', 'User-Agent'],
      ...[
        'Accept',
        'Accept-Encoding',
        'Accept-Language',
        'Upgrade-Insecure-Requests',
        'Sec-Fetch-Site',
        'Sec-Fetch-Mode',
      ],
      ...[
        'Sec-Fetch-User',
        'Sec-Fetch-Dest',
        'sec-ch-ua',
        'sec-ch-ua-mobile',
        'sec-ch-ua-platform',
        'Referer',
        'Origin',
      ],
      ...[
        'Content-Type',
        'Content-Length',
        'Priority',
        'DNT',
        'Sec-GPC',
        'If-None-Match',
        'If-Modified-Since',
        'Range',
      ],
      ...['Pragma', 'Purpose', 'TE', 'X-Requested-With', 'X-CSRF-Token', 'X-Request-Id', 'traceparent', 'tracestate'],
      ...['Transfer-Encoding', 'Upgrade', 'From', 'Date', 'Trailer', 'Max-Forwards', 'Access-Control-Request-Method'],
    ]) {
      assert.equal(passedThroughProxy([name, 'x']), false, name);
      assert.equal(reliesOnConnection([name, 'x']), true, name);
    }
  });

  it('A11: a request relies on its connection where it has no Authorization field, and no proxy passed it on', () => {
    const browser = [
      'Host',
      'x',
      'Accept',
      '*/*',
      'Accept-Encoding',
      'gzip',
      'Accept-Language',
      'en',
      'Sec-Fetch-Site',
      'none',
    ];
    assert.equal(reliesOnConnection([]), true);
    assert.equal(reliesOnConnection(browser), true);
    assert.equal(reliesOnConnection([...browser, 'X-Authorization', 'NTLM', 'Authorizatioh', 'y', '', 'z']), true);
    for (let length = 0; length <= 80; length++) {
      assert.equal(reliesOnConnection([...browser, 'v'.repeat(length), '']), true, `a name of ${length} characters`);
    }
    for (const name of [
      'Authorization',
      'authorization',
      'AUTHORIZATION',
      'aUTHORIZATION',
      'Via',
      'X-Forwarded-For',
      'forwarded',
      'Expect',
    ]) {
      assert.equal(reliesOnConnection([...browser, name, '']), false, name);
      assert.equal(reliesOnConnection([name, 'x', ...browser]), false, name);
    }
  });

  it('does not where its body is encrypted: that has to be opened first', () => {
    const encrypted = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="b"';
    for (const name of ['Content-Type', 'content-type', 'CONTENT-TYPE']) {
      assert.equal(reliesOnConnection(['Host', 'a', name, encrypted]), false);
      assert.equal(reliesOnConnection([name, ` Multipart/X-Multi-Encrypted;x`, 'Host', 'a']), false);
      for (const value of ['', 'text/plain', 'multipart/form-data; boundary=encrypted']) {
        assert.equal(reliesOnConnection([name, value, 'Host', 'a']), true);
        assert.equal(reliesOnConnection([name, value, 'Authorization', 'x']), false);
        assert.equal(reliesOnConnection([name, value, name, encrypted]), false);
      }
    }
  });
});
