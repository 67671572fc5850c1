/**
 * The same altered tokens to MIT krb5 and Heimdal, to our provider over MIT krb5, and to Kerberos without a library: all
 * say the same of each, or the difference is on the list of `differences.ts`.
 *
 * The two libraries run in processes of their own, called as a C program calls them. Our provider over MIT krb5 tells
 * what they cannot: the account to its last field, the attributes, the refusals that are policy.
 *
 * SSPI_AUTH_DIFFERENTIAL_RUNS says how many tokens, SSPI_AUTH_DIFFERENTIAL_SEED where to begin.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gssClientPackages } from '../../lab/gss-client.ts';
import { tier } from '../../lab/tier.ts';
import { compareTokens } from './differential.ts';
import { mitTokens } from './differential-tokens.ts';

const runs = Number(process.env['SSPI_AUTH_DIFFERENTIAL_RUNS'] ?? 20_000);
const seed = Number(process.env['SSPI_AUTH_DIFFERENTIAL_SEED'] ?? 1);

const kdcTier = await tier('kdc', gssClientPackages);
const heimdalTier = await tier('heimdal', gssClientPackages);

describe('altered tokens, verified by MIT krb5, by Heimdal, and without a library', kdcTier, () => {
  it(`D03 to D27: ${runs} of MIT krb5 from seed ${seed}`, async () => {
    await using source = await mitTokens();
    const summary = await compareTokens(source, { runs, seed, heimdal: heimdalTier.skip === false });
    assert.deepEqual(summary.unexplained.slice(0, 5), [], `${summary.unexplained.length} differences`);
    // Alterations must reach what lies behind the encryption, or this says nothing.
    assert.ok(summary.accepted > runs / 100 && summary.refused > runs / 4, JSON.stringify(summary));
    if (process.env['SSPI_AUTH_DIFFERENTIAL_RUNS'] !== undefined) console.log(JSON.stringify(summary, undefined, 1));
  });
});
