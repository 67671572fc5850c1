/**
 * The same altered tokens to MIT krb5 and to Kerberos without a library: ours accepts nothing that MIT krb5 refuses.
 * Where ours is stricter, the reason is on the list below. SSPI_AUTH_FUZZ_RUNS says how many tokens, SSPI_AUTH_FUZZ_SEED
 * where to begin.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { encodeChannelBindings } from '../../../src/formats/channel-bindings.ts';
import { ASC_REQ_ALLOW_MISSING_BINDINGS, ASC_REQ_CONNECTION, ASC_REQ_DELEGATE } from '../../../src/sspi/index.ts';
import { mutual, gssClientPackages } from '../../lab/gss-client.ts';
import { dice, mutate } from '../../lab/kerberos/ap-request-mutations.ts';
import { tier } from '../../lab/tier.ts';
import { acceptor, mit, portable } from './acceptor.ts';
import type { Acceptor, Verified, VerifyOptions } from './acceptor.ts';
import { startForgeRealm } from './forge-realm.ts';
import type { ForgeRealm } from './forge-realm.ts';

const runs = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 4000);
const seed = Number(process.env['SSPI_AUTH_FUZZ_SEED'] ?? 1);

/** Why ours refuses what MIT krb5 accepts: the diagnosis, and what is right about it. */
const stricter: readonly (readonly [why: RegExp, because: string])[] = [
  [/is not understood and not optional/, 'RFC 4120 section 5.2.6: unknown data that is not optional must be refused'],
  [/subkey .* has not the length of its type/, 'such a key can protect no message'],
  [/AuthorizationData/, 'data that cannot be read may hold a PAC'],
  [/authorization-data: has \d+ PACs/, 'two PACs: another reader could take the other one'],
  [/came through other realms/, 'without krb5.conf nothing is known of realms in between'],
  [/anonymous ticket/, 'an anonymous client is nobody'],
  [/is malformed: [^:]*(?: at offset \d+)?: /, 'DER has one form for each value; MIT krb5 takes some others'],
  [/not a Kerberos AP-REQ/, 'the same in the clear'],
];

describe('altered tokens, verified by MIT krb5 and without a library', await tier('kdc', gssClientPackages), () => {
  let realm: ForgeRealm;
  let theirs: Acceptor;
  let ours: Acceptor;
  before(async () => {
    realm = await startForgeRealm(mit.library);
    // The tokens of a few sign-ins are altered again and again.
    const options = { keytab: realm.kdc.keytab, replayCache: false, delegate: false };
    theirs = await acceptor(options);
    ours = await acceptor({ ...options, library: portable.library });
  });
  after(async () => {
    theirs[Symbol.dispose]();
    ours[Symbol.dispose]();
    await realm.stop();
  });

  it(`D03 to D27: ${runs} of them from seed ${seed}`, async () => {
    const bindings = Buffer.from('tls-server-end-point:x');
    const tokens = [
      await realm.client.initiate(),
      await realm.client.initiate({ flags: ['integrity'] }),
      await realm.client.initiate({ bindings }),
      await realm.client.initiate({ flags: [...mutual, 'delegate_to_peer'] }),
    ];
    const roll = dice(seed);
    const counts = { both: 0, neither: 0, stricter: 0 };
    const reasons = new Map<string, number>();
    const unexplained: string[] = [];
    for (let run = 0; run < runs; run++) {
      const { kind, token } = mutate(tokens[roll(tokens.length)] ?? Buffer.alloc(0), realm.key, roll);
      const options: VerifyOptions = {
        requirements: ASC_REQ_CONNECTION | ASC_REQ_DELEGATE | (roll(2) === 0 ? ASC_REQ_ALLOW_MISSING_BINDINGS : 0),
        ...(roll(3) === 0 ? { bindings: encodeChannelBindings(bindings) } : {}),
      };
      const [yes, own] = [await theirs.verify(token, options), await ours.verify(token, options)];
      const message = `run ${run} of seed ${seed}, ${kind}: theirs ${yes.status} (${yes.why}), ours ${own.status} (${own.why}): ${token.toString('hex')}`;
      if (own.status === 'SEC_E_OK') {
        const same = (verified: Verified): unknown => [verified.token, verified.attributes, verified.output.length];
        if (!isDeepStrictEqual(same(own), same(yes))) unexplained.push(message);
        counts.both++;
      } else if (yes.status === 'SEC_E_OK') {
        const known = stricter.find(([why]) => why.test(own.why));
        if (known === undefined) unexplained.push(message);
        else reasons.set(known[1], (reasons.get(known[1]) ?? 0) + 1);
        counts.stricter++;
      } else {
        counts.neither++;
      }
    }
    if (process.env['SHOWDIFF']) { const m = new Map<string, [number, string]>(); for (const u of unexplained) { const k = u.replace(/: [0-9a-f]{100,}$/, '').replace(/run \d+ of/, ''); m.set(k, [(m.get(k)?.[0] ?? 0) + 1, u]); } for (const [k, [n]] of m) console.log('DIFF', n, k); }
    assert.deepEqual(unexplained.slice(0, 5), [], `${unexplained.length} differences`);
    // Alterations must reach what lies behind the encryption, or this says nothing.
    assert.ok(counts.both > runs / 100 && counts.neither > runs / 4, JSON.stringify(counts));
    if (process.env['SSPI_AUTH_FUZZ_RUNS'] !== undefined)
      console.log(JSON.stringify({ ...counts, reasons: [...reasons] }));
  });
});
