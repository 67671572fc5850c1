/** Why a ticket does not open: keys, versions, names and types of a keytab. */
import { anchors } from './anchors.ts';
import { here, onWindows, row, windowsPages } from './row.ts';
import type { Command, Shown } from './row.ts';

type KeyFields = Pick<Shown<{ keytab: 'path'; spn: 'name' }>, 'keytab' | 'spn'>;

/** None of them changes a key: what is exported is the key that the account has. */
const exportCommands = ({ keytab, spn }: KeyFields): readonly [Command, Command] => [
  here(`kadmin.local ktadd -norandkey -k ${keytab} ${spn}`),
  here(`samba-tool domain exportkeytab ${keytab} --principal=${spn}`),
];
const exporting = (argument: KeyFields): string => {
  const [mit, samba] = exportCommands(argument);
  return `(MIT: \`${mit.command}\`, Samba: \`${samba.command}\`, Windows: ktpass)`;
};

const whose = (spn: string): Command => onWindows(`setspn -Q ${spn}`, windowsPages.setspn);
const purge = onWindows('klist purge', windowsPages.klist);
const newTicket = here('kdestroy');
const listing = (keytab: string): Command => here(`klist -ke ${keytab}`);
const issued = (spn: string): Command => here(`kvno ${spn}`);

const serviceFields = { service: 'name', spn: 'name', keytab: 'path' } as const;

export const kerberosKeyReasons = Object.freeze({
  /** The name in the ticket is not in the keytab at all. */
  'keytab-lacks-service': row({
    fields: { ...serviceFields, names: 'names' },
    anchor: anchors.byName,
    cure: ({ service, keytab }, argument) =>
      `export a key for ${service} to the keytab ${keytab} ${exporting(argument)}, or correct the host name that clients use for ` +
      'this server',
    text: ({ service, keytab, names }) =>
      `the keytab ${keytab} has no key for ${service}, the service of the client's ticket (it has ${names})`,
    commands: exportCommands,
  }),

  /** In Active Directory HOST/computer stands for HTTP/computer too, so that there is a ticket nobody registered. */
  'keytab-lacks-computer-name': row({
    fields: { ...serviceFields, names: 'names' },
    anchor: anchors.byName,
    cure: ({ keytab }, argument) =>
      `have clients use a name of the keytab ${keytab}, or register this one for the service's account, ` +
      `\`setspn -S ${argument.spn} ACCOUNT\`, and export its key ${exporting(argument)}`,
    text: ({ service, keytab, names }) =>
      `the keytab ${keytab} has no key for ${service}, the service of the client's ticket (it has ${names}); it is the ` +
      "name of this computer, which HOST/ of the computer's own account covers in Active Directory",
    commands: (argument) => [
      ...exportCommands(argument),
      onWindows(`setspn -S ${argument.spn} ACCOUNT`, windowsPages.setspn),
    ],
  }),

  'keytab-differs-by-case': row({
    fields: { ...serviceFields, similar: 'names' },
    anchor: anchors.refusedAlways,
    cure: ({ service }, argument) =>
      `export the key as ${service}, in exactly this case ${exporting(argument)}: names and realms of a keytab are ` +
      'compared with their case, and keys that are made of a password depend on it',
    text: ({ service, keytab, similar }) => `the client's ticket is for ${service}, and ${keytab} has ${similar}`,
    commands: exportCommands,
  }),

  'keytab-lacks-type': row({
    fields: { ...serviceFields, type: 'name', types: 'names' },
    anchor: anchors.refusedAlways,
    cure: ({ type, keytab }, argument) =>
      `export the key to the keytab ${keytab} again, with the encryption type ${type} ${exporting(argument)}`,
    text: ({ service, keytab, type, types }) =>
      `the keytab ${keytab} has no ${type} key for ${service}, as the client's ticket needs (it has ${types})`,
    commands: exportCommands,
  }),

  /** The account has a newer key than the keytab, or the name is on an account with more changes behind it. */
  'keytab-key-is-older': row({
    fields: { ...serviceFields, type: 'name', ticketVersion: 'number', versions: 'names' },
    anchor: anchors.passwordChange,
    cure: ({ keytab }, argument) =>
      `where the account's password was changed, export its key to the keytab ${keytab} again ${exporting(argument)}; where that ` +
      `does not help, the name is on another account now: \`${whose(argument.spn).command}\` (Active Directory) says on ` +
      `which, and \`${issued(argument.spn).command}\` the version that the KDC issues, to be held against ` +
      `\`${listing(argument.keytab).command}\``,
    text: ({ service, keytab, type, ticketVersion, versions }) =>
      `the client's ticket for ${service} is under key version (kvno) ${ticketVersion}, but the keytab ${keytab} has ` +
      `kvno ${versions} (${type})`,
    commands: (argument) => [
      ...exportCommands(argument),
      whose(argument.spn),
      issued(argument.spn),
      listing(argument.keytab),
    ],
  }),

  /** The keytab is the newer one: an old ticket, or a name that has moved. */
  'ticket-key-is-older': row({
    fields: { ...serviceFields, type: 'name', ticketVersion: 'number', versions: 'names' },
    anchor: anchors.passwordChange,
    cure: (_, argument) =>
      `have the client get a new ticket (\`${purge.command}\` on Windows, \`${newTicket.command}\` and kinit ` +
      `elsewhere); where a new one is no better, the name is on another account than the keytab's: ` +
      `\`${whose(argument.spn).command}\` (Active Directory) says on which, and \`${issued(argument.spn).command}\` the ` +
      `version that the KDC issues, to be held against \`${listing(argument.keytab).command}\``,
    text: ({ service, keytab, type, ticketVersion, versions }) =>
      `the client's ticket for ${service} is under key version (kvno) ${ticketVersion}, but the keytab ${keytab} has ` +
      `kvno ${versions} (${type}): the ticket is from before a change of the key, or under the key of another account`,
    commands: (argument) => [purge, newTicket, whose(argument.spn), issued(argument.spn), listing(argument.keytab)],
  }),

  /** Name, type and version fit, and the key does not. */
  'key-does-not-fit': row({
    fields: { ...serviceFields, detail: 'detail' },
    anchor: anchors.passwordChange,
    cure: ({ keytab }, argument) =>
      `export the key to the keytab ${keytab} again ${exporting(argument)}; where that does not help, the name is on another ` +
      `account: \`${whose(argument.spn).command}\` (Active Directory) says on which`,
    text: ({ service, keytab, detail }) =>
      `the ticket for ${service} cannot be decrypted with the key in ${keytab}: the key is of another password, the ` +
      `service name is on another account, or the token was altered (${detail})`,
    commands: (argument) => [...exportCommands(argument), whose(argument.spn)],
  }),

  /** permitted_enctypes of krb5.conf, or the crypto policy of the system, which is a file of krb5.conf too. */
  'type-not-permitted': row({
    fields: { service: 'name', type: 'name', permitted: 'names' },
    anchor: anchors.refusedAlways,
    cure: ({ type }) =>
      `add ${type} to permitted_enctypes in krb5.conf of this server, or where the crypto policy of the system leaves ` +
      'the type out, give the service account keys of a type that it has and export the keytab again',
    text: ({ service, type, permitted }) =>
      `the ticket for ${service} is of encryption type ${type}, which krb5.conf does not permit (permitted_enctypes ` +
      `leaves ${permitted})`,
  }),

  /** RC4, DES: this library refuses them, whatever krb5.conf says. */
  'type-refused': row({
    fields: { what: 'detail', service: 'name', type: 'name' },
    anchor: anchors.refusedAlways,
    cure: () =>
      'give the service account AES keys (msDS-SupportedEncryptionTypes 24 in Active Directory; an account whose ' +
      'password is older than 2008 needs it set once more) and export the keytab again',
    text: ({ what, service, type }) => `the ${what} for ${service} has encryption type ${type}, which is refused`,
  }),

  'client-key-refused': row({
    fields: { service: 'name', type: 'name' },
    anchor: anchors.refusedAlways,
    text: ({ service, type }) => `the client of ${service} chose a key of encryption type ${type}, which is refused`,
  }),
});
