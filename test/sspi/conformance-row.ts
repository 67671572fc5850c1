/** A promise of AcceptSecurityContext (General), and its proof. */
import type { Witness } from './witness.ts';

/** What a row is about. */
export type RowKind = 'package' | 'status' | 'requirement';

/** A tier that a proof may need. */
export type ConformanceTier = 'winpr' | 'kdc' | 'compiler';

/** One row of the table. */
export interface ConformanceRow {
  readonly kind: RowKind;
  readonly name: string;
  /** How it is proven, or what it waits for; docs/sspi.md says it in the same words. */
  readonly says: string;
  /** The proof. Left out: the row waits. */
  readonly holds?: (witness: Witness) => Promise<void>;
  /** The tiers the proof needs beyond Node. */
  readonly needs?: readonly ConformanceTier[];
}
