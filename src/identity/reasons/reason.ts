/** The table of reasons as a whole, and the text of one of them. */
import { accountReasons } from './accounts.ts';
import { kerberosKeyReasons } from './kerberos-keys.ts';
import { kerberosReasons } from './kerberos.ts';
import { kerberosTokenReasons } from './kerberos-tokens.ts';
import { messageReasons } from './messages.ts';
import { requestReasons } from './requests.ts';
import type { FieldKinds, FieldValues, Row } from './row.ts';
import { argumentFields, shownFields } from './show.ts';
import { serverReasons } from './server.ts';
import { tlsReasons } from './tls.ts';
import { unansweredReasons } from './unanswered.ts';
import { windowsReasons } from './windows.ts';

/** The longest text, in UTF-16 units: the log cuts what is longer. */
export const LONGEST_REASON = 1024;

/** All rows by id. docs/logging.md lists them (`npm run docs:reasons`). */
export const reasons = Object.freeze({
  ...accountReasons,
  ...kerberosKeyReasons,
  ...kerberosReasons,
  ...kerberosTokenReasons,
  ...messageReasons,
  ...requestReasons,
  ...serverReasons,
  ...tlsReasons,
  ...unansweredReasons,
  ...windowsReasons,
});

export type ReasonId = keyof typeof reasons;

type FieldsOf<Id extends ReasonId> = (typeof reasons)[Id] extends Row<infer Kinds> ? FieldValues<Kinds> : never;
type FieldArguments<Fields> = keyof Fields extends never ? [] : [fields: Fields];

/**
 * The text of a reason: the cure, a colon, and what happened.
 *
 * @param id name of the row
 * @param given its fields, as they are: they are bounded and made safe here
 * @returns at most LONGEST_REASON units; the cure is never cut
 */
export function reason<Id extends ReasonId>(id: Id, ...given: FieldArguments<FieldsOf<Id>>): string {
  // Typescript has held the fields against this row where reason() is called.
  const row = reasons[id] as unknown as Row;
  return rowText(row, (given[0] ?? {}) as FieldValues<FieldKinds>);
}

/** The text of a row. */
export function rowText<Kinds extends FieldKinds>(row: Row<Kinds>, values: FieldValues<Kinds>): string {
  const shown = shownFields(row.fields, values);
  const cure = row.cure?.(shown, argumentFields(row.fields, values));
  const text = row.text(shown);
  return (cure === undefined ? text : `${cure}: ${text}`).slice(0, LONGEST_REASON);
}
