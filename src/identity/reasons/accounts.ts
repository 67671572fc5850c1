/** Why a file of accounts cannot be used. */
import { anchors } from './anchors.ts';
import { here, row } from './row.ts';
import type { Command } from './row.ts';

/** pdbedit appends to a file that exists, so a cure never names one: `exported` is a path that is free. */
const exportTo = (exported: string): Command => here(`pdbedit -e smbpasswd:${exported}`);
const exportOf = (path: string, exported: string): Command =>
  here(`pdbedit -i tdbsam:${path} -e smbpasswd:${exported}`);
const giveTo = (user: string, path: string): Command => here(`chown ${user} ${path}`);

export const accountReasons = Object.freeze({
  'account-file-is-database': row({
    fields: { path: 'path', exported: 'path' },
    level: 'error',
    said: 'once',
    anchor: anchors.notStarting,
    cure: ({ exported }, argument) =>
      `export it to another file, \`${exportOf(argument.path, argument.exported).command}\`, and give ${exported}`,
    text: ({ path }) => `${path} is a database of Samba (TDB), not a file of smbpasswd`,
    commands: ({ path, exported }) => [exportOf(path, exported)],
  }),
  'account-file-unusable': row({
    fields: { path: 'path', exported: 'path', detail: 'detail' },
    level: 'error',
    said: 'once',
    anchor: anchors.notStarting,
    cure: ({ exported }, argument) =>
      `export Samba's accounts, \`${exportTo(argument.exported).command}\`, and give ${exported}`,
    text: ({ path, detail }) => `${path} ${detail}`,
    commands: ({ exported }) => [exportTo(exported)],
  }),
  'account-file-denied': row({
    fields: { path: 'path', user: 'number', detail: 'detail', access: 'detail?' },
    level: 'error',
    said: 'once',
    anchor: anchors.notStarting,
    cure: (_, argument) =>
      `let this process read it, \`${giveTo(argument.user, argument.path).command}\` gives it the file`,
    text: ({ path, detail, access }) => `${path} cannot be read (${detail}${access === '' ? '' : `: ${access}`})`,
    commands: ({ user, path }) => [giveTo(user, path)],
  }),
  'account-file-folder': row({
    fields: { path: 'path', detail: 'detail' },
    level: 'error',
    said: 'once',
    anchor: anchors.notStarting,
    cure: () => 'give the path of a file, not of a folder',
    text: ({ path, detail }) => `${path} cannot be read (${detail})`,
  }),
});
