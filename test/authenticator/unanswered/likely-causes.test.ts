import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { likelyCauses } from '../../../src/authenticator/unanswered/likely-causes.ts';
import type { UnansweredFacts } from '../../../src/authenticator/unanswered/likely-causes.ts';
import { LONGEST_REASON } from '../../../src/identity/reasons/reason.ts';

const facts: UnansweredFacts = {
  client: 'other',
  host: { name: 'web.test.local', isAddress: false },
  offered: ['Negotiate', 'NTLM'],
  kerberos: true,
  serviceHosts: ['web.test.local'],
  http2: false,
  throughProxy: false,
  fetchedWithoutCredentials: false,
  preflightOrigin: undefined,
};
const address = { name: '192.0.2.1', isAddress: true };
const alias = { name: 'alias.test.local', isAddress: false };

describe('why no credentials may have come', () => {
  for (const [what, more, causes] of [
    ['a program', {}, ['no-ticket']],
    ['by address', { host: address }, ['host-is-address', 'no-ticket']],
    ['by a name that the keytab lacks', { host: alias }, ['host-not-in-keytab', 'no-ticket']],
    ['Windows has no list of names', { host: alias, serviceHosts: undefined }, ['no-ticket']],
    ['no Host', { host: undefined }, ['no-ticket']],
    ['Chrome', { client: 'chromium' }, ['chromium-not-told', 'no-ticket']],
    ['Firefox', { client: 'firefox' }, ['firefox-not-told', 'no-ticket']],
    ['Chrome by address', { client: 'chromium', host: address }, ['host-is-address', 'chromium-not-told', 'no-ticket']],
    ['a proxy', { throughProxy: true }, ['through-proxy', 'no-ticket']],
    ['a health check', { client: 'health-check' }, ['health-check']],
    [
      'a manifest',
      { client: 'chromium', fetchedWithoutCredentials: true },
      ['fetched-without-credentials', 'chromium-not-told', 'no-ticket'],
    ],
    ['HTTP/2', { http2: true, offered: ['Digest'] }, ['http-2']],
    ['no Kerberos', { kerberos: false, offered: ['NTLM'] }, ['no-credentials-given']],
    ['no Kerberos, by address', { kerberos: false, host: address }, ['no-credentials-given']],
    ['curl', { client: 'curl', kerberos: false, offered: ['NTLM', 'Digest'] }, ['curl-without-option']],
    ['a preflight', { preflightOrigin: 'https://app.example', client: 'curl' }, ['preflight']],
  ] as const) {
    it(`${what}: ${causes.join(', ')}`, () => {
      assert.deepEqual(
        likelyCauses({ ...facts, ...more }).map(({ cause }) => cause),
        causes,
      );
    });
  }

  it('shows five names of a keytab, and how many there are more', () => {
    const serviceHosts = Array.from({ length: 40 }, (_, index) => `host-number-${index}.department.test.local`);
    const [{ text } = { text: '' }] = likelyCauses({ ...facts, serviceHosts });
    assert.match(text, /host-number-4\.department\.test\.local and 35 more\)/);
    assert.ok(text.length < LONGEST_REASON / 2);
  });

  it('gives curl the options of what is offered', () => {
    const causes = likelyCauses({ ...facts, client: 'curl', offered: ['Negotiate', 'Kerberos', 'Digest'] });
    assert.match(causes.at(-1)?.text ?? '', /^call curl with `--negotiate -u :` or `--digest -u USER`: /);
    const none = likelyCauses({ ...facts, client: 'curl', kerberos: false, offered: [] });
    assert.match(none.at(-1)?.text ?? '', /^call curl with credentials: /);
  });
});
