/**
 * The same altered tokens to MIT krb5 and Heimdal, to our provider over MIT krb5, and to Kerberos without a library: all
 * say the same of each, or the difference is on the list of `differences.ts`.
 *
 * The two libraries run in processes of their own, called as a C program calls them. Our provider over MIT krb5 tells
 * what they cannot: the account to its last field, the attributes, the refusals that are policy.
 *
 * SSPI_AUTH_DIFFERENTIAL_RUNS says how many tokens, SSPI_AUTH_DIFFERENTIAL_SEED where to begin. With the former, a line a
 * minute tells how far it is, and the end what came out.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gssClientPackages } from '../../lab/gss-client.ts';
import { full } from '../../lab/matrix.ts';
import { canMakeNamespaces } from '../../lab/samba-ad.ts';
import { tier } from '../../lab/tier.ts';
import { compareTokens } from './differential.ts';
import { activeDirectoryTokens, heimdalTokens, javaTokens, mitTokens } from './differential-tokens.ts';

const inCi = process.env['CI'] === 'true';
const isLong = process.env['SSPI_AUTH_DIFFERENTIAL_RUNS'] !== undefined;
const runs = Number(process.env['SSPI_AUTH_DIFFERENTIAL_RUNS'] ?? (inCi ? 20_000 : 4000));
const seed = Number(process.env['SSPI_AUTH_DIFFERENTIAL_SEED'] ?? 1);

const kdcTier = await tier('kdc', gssClientPackages);
const heimdalTier = await tier('heimdal', gssClientPackages);
const samba = await tier('samba-ad', gssClientPackages, canMakeNamespaces);
const java = full() ? await tier('kdc', ['openjdk-17-jdk-headless']) : { skip: false as const };

/** Clients and KDCs, their part of the tokens, and the encryption types of their tickets and of their sessions. */
const sources = [
  { name: 'MIT krb5', share: 0.5, open: mitTokens, ready: kdcTier, types: [17, 18, 19, 20, 23] },
  { name: 'an Active Directory', share: 0.25, open: activeDirectoryTokens, ready: samba, types: [17, 18, 23] },
  { name: "Heimdal's client", share: 0.15, open: heimdalTokens, ready: heimdalTier, types: [17, 18, 19, 20, 23] },
  ...(full()
    ? [{ name: "Java's client", share: 0.1, open: javaTokens, ready: java, types: [17, 18, 19, 20, 23] }]
    : []),
];

for (const { name, share, open, ready, types } of sources) {
  describe(`altered tokens of ${name}, verified by MIT krb5, by Heimdal, and without a library`, ready, () => {
    const count = Math.ceil(runs * share);
    it(`D03 to D24, D27: ${count} from seed ${seed}`, async () => {
      await using source = await open();
      let reported = 0;
      const summary = await compareTokens(source, {
        runs: count,
        seed,
        heimdal: heimdalTier.skip === false,
        onProgress(done, { unexplained }) {
          if (!isLong) return;
          console.log(`${name}: ${done} of ${count}, ${unexplained.length} differences`);
          while (reported < unexplained.length) console.log(unexplained[reported++]);
        },
      });
      assert.deepEqual(summary.unexplained.slice(0, 5), [], `${summary.unexplained.length} differences`);
      // Alterations must reach what lies behind the encryption, or this says nothing.
      assert.ok(summary.accepted > count / 100 && summary.refused > count / 4, JSON.stringify(summary));
      for (const type of types) {
        const seen = Object.keys(summary.types);
        assert.ok(
          seen.some((pair) => pair.startsWith(`${type}, `)),
          `no ticket of type ${type}`,
        );
        assert.ok(
          seen.some((pair) => pair.endsWith(`, ${type}`)),
          `no session of type ${type}`,
        );
      }
      if (isLong) console.log(JSON.stringify(summary, undefined, 1));
    });
  });
}
