/**
 * One row of the table of reasons: what a person who has to mend something is told. The cure comes first, so that a line
 * that is cut never loses it. The texts are for the server's log and never go to a client.
 */
import type { Anchor } from './anchors.ts';

/**
 * What a field holds, and so how it is shown and bounded (show.ts).
 *
 * - `name`: a name that a client or the network may have chosen, such as a service or an account.
 * - `path`: a path or another setting of the operator, such as a file or a library.
 * - `names`: a list, of which five are shown.
 * - `number`: a count, a version, seconds.
 * - `detail`: the words of a library or of an exception. `detail?` may be left out.
 */
export type FieldKind = 'name' | 'path' | 'names' | 'number' | 'detail' | 'detail?';

/** The fields of a row. */
export type FieldKinds = Readonly<Record<string, FieldKind>>;

type ValueOf<Kind extends FieldKind> = Kind extends 'names'
  ? readonly string[]
  : Kind extends 'number'
    ? number
    : Kind extends 'detail?'
      ? string | undefined
      : string;

/** The values that a row takes. There are no bytes among them: a token or a key cannot be handed in. */
export type FieldValues<Kinds extends FieldKinds> = { readonly [Name in keyof Kinds]: ValueOf<Kinds[Name]> };

/** Fields as text: bounded and without control characters. */
export type Shown<Kinds extends FieldKinds> = { readonly [Name in keyof Kinds]: string };

/** Where a printed command runs: on this server, or on Windows, with the page of Microsoft that documents it. */
export type CommandHost = { readonly runs: 'here' } | { readonly runs: 'windows'; readonly page: string };

/** A command that the cure prints, between backticks. */
export type Command = CommandHost & { readonly command: string };

/** The level of the line in the log. */
export type ReasonLevel = 'debug' | 'info' | 'warn' | 'error';

/** `each time`: with every event. `once`: the first time, until it is over. `rate-limited`: at most once in a while. */
export type WhenSaid = 'each time' | 'once' | 'rate-limited';

export interface Row<Kinds extends FieldKinds = FieldKinds> {
  readonly fields: Kinds;
  readonly level: ReasonLevel;
  readonly said: WhenSaid;
  /** The heading of docs/troubleshooting.md that says more, as the anchor of a link. */
  readonly anchor: Anchor;
  /** What to do. Undefined where there is nothing to do here, as with a forged token. */
  readonly cure: ((shown: Shown<Kinds>, argument: Shown<Kinds>) => string) | undefined;
  /** What happened. */
  readonly text: (shown: Shown<Kinds>) => string;
  /**
   * The commands of the cure.
   *
   * @param argument the fields as words of a command line: a text that is no plain word is quoted, or is a placeholder
   */
  readonly commands: (argument: Shown<Kinds>) => readonly Command[];
}

/** A row as it is written: what nearly all rows have in common is left out. */
export type WrittenRow<Kinds extends FieldKinds> = Pick<Row<Kinds>, 'fields' | 'anchor' | 'text'> &
  Partial<Pick<Row<Kinds>, 'level' | 'said' | 'cure' | 'commands'>>;

const noCommands = (): readonly Command[] => [];

/** Makes a row. By default it is a diagnosis: part of each line, of level `warn`, that says that a client was refused. */
export function row<const Kinds extends FieldKinds>(written: WrittenRow<Kinds>): Row<Kinds> {
  return Object.freeze({ level: 'warn', said: 'each time', cure: undefined, commands: noCommands, ...written });
}

/** A command for this server. */
export const here = (command: string): Command => ({ runs: 'here', command });

/** A command for Windows. @param page the page of Microsoft's documentation */
export const onWindows = (command: string, page: string): Command => ({ runs: 'windows', page, command });

/** Microsoft's pages about the commands of Windows that cures print. */
export const windowsPages = Object.freeze({
  setspn: 'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/setspn',
  klist: 'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/klist',
  ktpass: 'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/ktpass',
  nltest:
    'https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2012-r2-and-2012/cc731935(v=ws.11)',
  w32tm:
    'https://learn.microsoft.com/en-us/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings',
});
