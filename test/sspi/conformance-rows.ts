/**
 * The promises of AcceptSecurityContext (General), one row each, and the proof of each as a function. To add the proof of
 * a row that waits, give it `holds` in place of `waits`; docs/sspi.md then has to say the same.
 */
import { packageRows } from './conformance-packages.ts';
import { requirementRows } from './conformance-requirements.ts';
import type { ConformanceRow } from './conformance-row.ts';
import { statusRows } from './conformance-statuses.ts';

export const conformanceRows: readonly ConformanceRow[] = [...packageRows, ...statusRows, ...requirementRows];
