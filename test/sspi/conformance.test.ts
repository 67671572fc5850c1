/** docs/sspi.md against the code: which promises of AcceptSecurityContext hold, proven in this very run. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { gssClientPackages } from '../lab/gss-client.ts';
import { tier } from '../lab/tier.ts';
import type { TierReadiness } from '../lab/tier.ts';
import { conformanceRows } from './conformance-rows.ts';
import type { ConformanceRow, ConformanceTier } from './conformance-row.ts';
import { Witness } from './witness.ts';

// WinPR says on standard error what it refuses.
process.env['WLOG_LEVEL'] = 'OFF';

const ready: Readonly<Record<ConformanceTier, TierReadiness>> = {
  winpr: await tier('winpr'),
  kdc: await tier('kdc', gssClientPackages),
  compiler: await tier('winpr', ['gcc', 'libc6-dev']),
};

/** Whether a call of the run is what the row is about; the proof's own assertions say whether it was right. */
function reached(row: ConformanceRow, { calls }: Witness): boolean {
  const value = (Sspi as unknown as Readonly<Record<string, number>>)[row.name];
  switch (row.kind) {
    case 'package':
      // The name of a package has no case: that of CredSSP is CREDSSP.
      return calls.some(
        ({ package: name, status }) => name?.toLowerCase() === row.name.toLowerCase() && status === Sspi.SEC_E_OK,
      );
    case 'status':
      return calls.some(({ status }) => status === value);
    case 'requirement':
      return value !== undefined && calls.some(({ requirements }) => (requirements & value) !== 0);
  }
}

const line = (row: ConformanceRow): string =>
  `| ${row.kind} | ${row.name} | ${row.holds === undefined ? 'waits' : 'holds'} | ${row.says} |`;

describe('conformance to AcceptSecurityContext (General)', () => {
  const held: ConformanceRow[] = [];
  const notHere: ConformanceRow[] = [];
  const before = Sspi.liveHandles();

  for (const row of conformanceRows) {
    const { holds, needs } = row;
    if (holds === undefined) continue;
    const skip = (needs ?? []).map((name) => ready[name].skip).find((reason) => reason !== false) ?? false;
    if (skip !== false) notHere.push(row);
    it(`${row.kind} ${row.name}: ${row.says}`, { skip }, async () => {
      const witness = new Witness();
      try {
        await holds(witness);
      } finally {
        witness.release();
      }
      assert.ok(reached(row, witness), `no call of acceptSecurityContext reached ${row.name}`);
      held.push(row);
    });
  }

  it('has one row for each package, status and requirement', () => {
    const names = (kind: ConformanceRow['kind']): string[] =>
      conformanceRows.filter((row) => row.kind === kind).map(({ name }) => name);
    assert.deepEqual(names('package'), ['Negotiate', 'Kerberos', 'NTLM', 'Digest', 'Schannel', 'CredSSP']);
    assert.deepEqual(
      names('status'),
      Sspi.acceptSecurityContextStatuses.map(({ name }) => name),
    );
    assert.deepEqual(
      names('requirement'),
      [
        ...['ALLOCATE_MEMORY', 'ALLOW_MISSING_BINDINGS', 'CONFIDENTIALITY', 'CONNECTION', 'DELEGATE', 'EXTENDED_ERROR'],
        ...['HTTP', 'INTEGRITY', 'MUTUAL_AUTH', 'PROXY_BINDINGS', 'REPLAY_DETECT', 'SEQUENCE_DETECT', 'STREAM'],
      ].map((name) => `ASC_REQ_${name}`),
    );
    assert.equal(conformanceRows.length, 35);
  });

  it('docs/sspi.md says what this run shows', async () => {
    const text = await readFile(new URL('../../docs/sspi.md', import.meta.url), 'utf8');
    const documented = text
      .split('\n')
      .filter((candidate) => /^\| (?:package|status|requirement) /.test(candidate))
      .map((candidate) => candidate.replaceAll(/ +\|/g, ' |'));
    assert.deepEqual(documented, conformanceRows.map(line));
    const proven = conformanceRows.filter((row) => row.holds !== undefined).length;
    assert.equal(held.length + notHere.length, proven);
    assert.match(text, new RegExp(`\\b${proven} of ${conformanceRows.length} rows hold\\b`));
  });

  it('leaves nothing behind', () => assert.deepEqual(Sspi.liveHandles(), before));

  after(() => {
    const waiting = conformanceRows.filter((row) => row.holds === undefined).map(({ name }) => name);
    console.log(`conformance: ${held.length} of ${conformanceRows.length} rows hold`);
    console.log(`conformance: waiting for a later package: ${waiting.join(', ')}`);
    if (notHere.length > 0) {
      console.log(`conformance: could not run here: ${notHere.map(({ name }) => name).join(', ')}`);
    }
  });
});
