import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientKindOf, fetchesWithoutCredentials, fieldValue, hostOf } from '../../src/http/request-fields.ts';

describe('the fields of a request', () => {
  it('a field is found in any case, and the first counts', () => {
    assert.equal(fieldValue(['A', '1', 'HOST', '2', 'Host', '3'], 'host'), '2');
    assert.equal(fieldValue(['Value', 'host'], 'host'), undefined);
  });

  for (const [value, name, isAddress] of [
    ['Web.Example.COM:8080', 'web.example.com', false],
    ['web.example.com.', 'web.example.com', false],
    ['127.0.0.1', '127.0.0.1', true],
    ['[::1]:80', '::1', true],
    ['[fe80::1%25eth0]', 'fe80::1%25eth0', true],
    ['a:b:c', 'a:b:c', false],
  ] as const) {
    it(`Host ${value} is ${name}${isAddress ? ', an address' : ''}`, () => {
      assert.deepEqual(hostOf(['Host', value]), { name, isAddress });
    });
  }

  it('HTTP/2 has the host in :authority, and some requests have none', () => {
    assert.equal(hostOf([':authority', 'a', 'host', 'b'])?.name, 'a');
    assert.equal(hostOf([]), undefined);
    assert.equal(hostOf(['Host', '']), undefined);
  });

  for (const [kind, agents] of Object.entries({
    chromium: [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36',
    ],
    firefox: ['Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'],
    safari: [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15',
    ],
    curl: ['curl/7.88.1'],
    'health-check': ['kube-probe/1.30', 'ELB-HealthChecker/2.0', 'GoogleHC/1.0', 'Uptime-Kuma/1.23'],
    other: ['python-requests/2.28.1', '', undefined, 'x'.repeat(300) + ' Firefox/1'],
  })) {
    it(`tells ${kind} by its User-Agent`, () => {
      for (const agent of agents) assert.equal(clientKindOf(agent), kind, agent);
    });
  }

  it('a page that fetches without credentials: its manifest, and from another origin', () => {
    assert.ok(
      fetchesWithoutCredentials([
        'Sec-Fetch-Dest',
        'manifest',
        'Sec-Fetch-Mode',
        'cors',
        'Sec-Fetch-Site',
        'same-origin',
      ]),
    );
    assert.ok(
      fetchesWithoutCredentials(['Sec-Fetch-Dest', 'empty', 'Sec-Fetch-Mode', 'cors', 'Sec-Fetch-Site', 'cross-site']),
    );
    assert.ok(
      !fetchesWithoutCredentials([
        'Sec-Fetch-Dest',
        'empty',
        'Sec-Fetch-Mode',
        'cors',
        'Sec-Fetch-Site',
        'same-origin',
      ]),
    );
    assert.ok(
      !fetchesWithoutCredentials([
        'Sec-Fetch-Dest',
        'document',
        'Sec-Fetch-Mode',
        'navigate',
        'Sec-Fetch-Site',
        'none',
      ]),
    );
    assert.ok(!fetchesWithoutCredentials([]));
  });
});
