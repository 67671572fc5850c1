/** Attacks A20 and H01: which requests a page of another site had sent. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crossSiteEvidence, mayComeFromAnywhere } from '../../src/http/cross-site.ts';
import type { Exchange } from '../../src/http/exchange.ts';

interface Row {
  readonly name: string;
  readonly fields: readonly string[];
  readonly origins?: readonly string[];
  readonly foreign: boolean;
}

const host = ['Host', 'intranet'];
const table: readonly Row[] = [
  { name: 'neither field', fields: host, foreign: false },
  { name: 'cross-site', fields: [...host, 'Sec-Fetch-Site', 'cross-site'], foreign: true },
  { name: 'same-site', fields: [...host, 'sec-fetch-site', 'same-site'], foreign: true },
  { name: 'same-origin', fields: [...host, 'Sec-Fetch-Site', 'same-origin'], foreign: false },
  { name: 'none', fields: [...host, 'Sec-Fetch-Site', 'none'], foreign: false },
  {
    name: 'same-origin, where a proxy has changed Host',
    fields: [...host, 'Sec-Fetch-Site', 'same-origin', 'Origin', 'https://www'],
    foreign: false,
  },
  {
    name: 'two of them, the worse first',
    fields: [...host, 'Sec-Fetch-Site', 'cross-site', 'Sec-Fetch-Site', 'none'],
    foreign: true,
  },
  { name: 'Origin of the host', fields: [...host, 'Origin', 'http://intranet'], foreign: false },
  { name: 'in other letters', fields: ['Host', 'Intranet', 'Origin', 'http://INTRANET'], foreign: false },
  { name: 'with the port written', fields: ['Host', 'intranet:80', 'Origin', 'http://intranet'], foreign: false },
  { name: 'https at a proxy', fields: [...host, 'Origin', 'https://intranet'], foreign: false },
  { name: 'another port', fields: [...host, 'Origin', 'http://intranet:8080'], foreign: true },
  { name: 'another port of Host', fields: ['Host', 'intranet:8080', 'Origin', 'http://intranet'], foreign: true },
  { name: 'another host', fields: [...host, 'Origin', 'http://evil.example'], foreign: true },
  { name: 'null', fields: [...host, 'Origin', 'null'], foreign: true },
  { name: 'two Origins', fields: [...host, 'Origin', 'http://intranet', 'Origin', 'http://intranet'], foreign: true },
  { name: 'not an origin', fields: [...host, 'Origin', 'intranet'], foreign: true },
  { name: 'no Host', fields: ['Origin', 'http://intranet'], foreign: true },
  { name: 'IPv6', fields: ['Host', '[::1]:8080', 'Origin', 'http://[::1]:8080'], foreign: false },
  { name: 'HTTP/2', fields: [':authority', 'intranet', 'origin', 'https://intranet'], foreign: false },
  {
    name: 'an origin that may',
    fields: [...host, 'Sec-Fetch-Site', 'cross-site', 'Origin', 'https://portal.example'],
    origins: ['https://portal.example'],
    foreign: false,
  },
  {
    name: 'another one than that',
    fields: [...host, 'Sec-Fetch-Site', 'cross-site', 'Origin', 'https://portal.example.evil.example'],
    origins: ['https://portal.example'],
    foreign: true,
  },
];

describe('A20, H01: requests of other sites', () => {
  for (const { name, fields, origins = [], foreign } of table) {
    it(`A20, H01: ${name}: ${foreign ? 'foreign' : 'not'}`, () => {
      assert.equal(crossSiteEvidence(fields, origins) !== undefined, foreign);
    });
  }

  it('A20, H01: the log has both values', () => {
    const evidence = crossSiteEvidence([...host, 'Origin', 'http://evil.example'], []);
    assert.equal(evidence, 'Origin is "http://evil.example", Host is "intranet"');
  });

  it('H02: methods that change something, on the wire or afterwards, and upgrades', () => {
    const of = (exchange: object): boolean => mayComeFromAnywhere(exchange as Exchange);
    for (const method of ['GET', 'HEAD', 'OPTIONS']) assert.equal(of({ method }), true, method);
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'get', undefined])
      assert.equal(of({ method }), false);
    assert.equal(of({ method: 'GET', originalMethod: 'POST' }), false);
    assert.equal(of({ method: 'DELETE', originalMethod: 'GET' }), false);
    assert.equal(of({ method: 'GET', upgrade: true }), false);
  });
});
