/** docs/clients.md says what test/live/clients/ holds against real clients. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { format } from 'prettier';
import { cellName, cellsOf, kindOf } from '../lab/clients/cells.ts';
import { realClients } from '../lab/clients/clients.ts';
import { covers, faults, notYet } from '../lab/clients/expectations.ts';
import { clientsPage, pagePath } from '../lab/clients/page.ts';
import { wrongVersions } from '../lab/clients/versions.ts';
import { situationNames } from '../lab/clients/situations.ts';
import { tiers } from '../lab/tiers.ts';

const cells = realClients.flatMap(cellsOf);

describe('docs/clients.md', () => {
  it('is what the tests of clients make of it: npm run docs:clients', async () => {
    assert.equal(await readFile(pagePath, 'utf8'), await format(clientsPage(), { parser: 'markdown' }));
  });

  it('tells for each order of algorithms whom it shuts out', () => {
    const page = clientsPage();
    assert.match(page, /^- SHA-256 first, the default, shuts out: (?=.*w3m)(?=.*lftp)(?=.*urllib).*\.$/m);
    assert.match(page, /^- MD5 first shuts out: .*Subversion.*\.$/m);
  });

  it('tells what each client needs that is not plain', () => {
    const needs = clientsPage().split('## What clients need')[1] ?? '';
    for (const word of ['SOUP_GSSAPI_TRUSTED_URIS', 'JAAS', 'gss-ntlmssp', 'OPENSSL_CONF', 'pywinrm']) {
      assert.ok(needs.includes(word), word);
    }
  });
});

describe('the table of real clients', () => {
  it('has more than 500 cells, and each once', () => {
    assert.ok(cells.length > 500, `${cells.length}`);
    assert.equal(new Set(cells.map(cellName)).size, cells.length);
  });

  it('has no exception that is about no cell, or about a client that is none', () => {
    const names = new Set(realClients.map(({ name }) => name));
    for (const exception of [...faults, ...notYet]) {
      assert.ok(
        cells.some((cell) => covers(exception, cell)),
        exception.why,
      );
      for (const name of exception.clients) assert.ok(names.has(name), name);
    }
  });

  it('says of no cell with a wrong password that it may go wrong', () => {
    for (const cell of cells.filter(({ situation }) => situation === 'wrong')) {
      assert.ok(![...faults, ...notYet].some((exception) => covers(exception, cell)), cellName(cell));
    }
  });

  it('finds the packages of every client in its tier', () => {
    for (const { core, name, source } of realClients) {
      if ('npm' in source) continue;
      const known: readonly string[] = core
        ? tiers.clients.packages
        : [...tiers.clients.packages, ...tiers['more-clients'].packages];
      // A tool that comes with what another one needs is installed with it.
      for (const needed of [source.debian, ...(source.with ?? [])])
        assert.ok(known.includes(needed), `${name}: ${needed}`);
    }
  });

  it('has the versions of npm that the lock file has', async () => {
    assert.deepEqual(await wrongVersions(realClients.filter(({ source }) => 'npm' in source)), []);
  });

  it('has a core in which every small client is let in and kept out, and every situation is', () => {
    const core = cells.filter(({ client }) => client.core);
    const kinds = [...new Set(core.map(kindOf))];
    for (const { client, situation } of core) {
      if (situation !== 'get' && situation !== 'wrong') continue;
      assert.ok(kinds.some((kind) => kind.startsWith(`${client.name},`) && kind.includes(`,${situation}`)));
    }
    for (const situation of situationNames) assert.ok(kinds.some((kind) => kind.includes(`,${situation}`)));
    assert.ok(kinds.length < core.length);
  });
});
