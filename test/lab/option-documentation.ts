/**
 * docs/options.md, made from the option tables: names, types, defaults and what they concern from the entries, the sentences
 * from the comments above them.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { credsspHttpOptions, limitOptions } from '../../src/authenticator/limit-options.ts';
import { options } from '../../src/authenticator/options.ts';
import { accountFileOptions } from '../../src/accounts/account-file.ts';
import type { OptionEntry, OptionTable } from '../../src/foundation/option-table.ts';
import { kerberosOptions } from '../../src/native/gssapi/kerberos-auth-data.ts';
import { secur32Options } from '../../src/native/secur32/secur32-auth-data.ts';
import { secur32CredSspOptions, secur32SchannelOptions } from '../../src/native/secur32/stream-auth-data.ts';
import { digestOptions, digestProtocolOptions } from '../../src/packages/digest/digest-auth-data.ts';
import { ntlmOptions } from '../../src/packages/ntlm/ntlm-auth-data.ts';
import { credsspOptions } from '../../src/packages/credssp/credssp-auth-data.ts';
import { kerberosKeysOptions } from '../../src/packages/kerberos/keys/kerberos-keys.ts';
import { sessionCookieOptions, sessionOptions } from '../../src/sessions/session-options.ts';
import { memoryStoreOptions } from '../../src/stores/memory-store.ts';
import { winrmOptions } from '../../src/winrm/winrm-encryption.ts';
import { schannelOptions } from '../../src/packages/schannel/schannel-auth-data.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A table of options, and where the compiler finds it. */
interface Section {
  readonly heading: string;
  readonly introduction: string;
  readonly table: OptionTable;
  readonly file: string;
  /** Name of the constant, or of the type of what may be written. */
  readonly name: string;
}

const sections: readonly Section[] = [
  {
    heading: 'Options of every adapter and of createAuthenticator',
    introduction:
      'An option that cannot be used throws at start and says which one, what it was and what to write instead; so does a name that is none.',
    table: options,
    file: 'src/authenticator/options.ts',
    name: 'options',
  },
  {
    heading: '`limits`',
    introduction: 'What a client can make the server hold.',
    table: limitOptions,
    file: 'src/authenticator/limit-options.ts',
    name: 'limitOptions',
  },
  {
    heading: '`digest`',
    introduction: 'Options of Digest alone.',
    table: digestProtocolOptions,
    file: 'src/packages/digest/digest-auth-data.ts',
    name: 'digestProtocolOptions',
  },
  {
    heading: '`credssp`',
    introduction: 'Options of [CredSSP](credssp.md) alone.',
    table: credsspHttpOptions,
    file: 'src/authenticator/limit-options.ts',
    name: 'credsspHttpOptions',
  },
  {
    heading: '`session`',
    introduction: 'Options of [sessions](sessions.md). There are none unless `session` is given.',
    table: sessionOptions,
    file: 'src/sessions/session-options.ts',
    name: 'sessionOptions',
  },
  {
    heading: '`session.cookie`',
    introduction: 'The cookie of a session.',
    table: sessionCookieOptions,
    file: 'src/sessions/session-options.ts',
    name: 'sessionCookieOptions',
  },
  {
    heading: '`winrmEncryption(options)`',
    introduction: 'Of `sspi-auth/winrm`: [encrypted messages](credssp.md#encrypted-messages).',
    table: winrmOptions,
    file: 'src/winrm/winrm-encryption.ts',
    name: 'winrmOptions',
  },
  {
    heading: '`smbpasswdFile(path, options)`',
    introduction: 'Besides `domain`, the NetBIOS domain of the accounts, every source over a file has:',
    table: accountFileOptions,
    file: 'src/accounts/account-file.ts',
    name: 'accountFileOptions',
  },
  {
    heading: '`kerberosKeys(options)`',
    introduction: 'Makes a value for `keytab` from the password of a service account: [keytabs](keytabs.md).',
    table: kerberosKeysOptions,
    file: 'src/packages/kerberos/keys/kerberos-keys.ts',
    name: 'kerberosKeysOptions',
  },
  {
    heading: '`memoryStore(options)`',
    introduction: 'A value for `store`, for a single process.',
    table: memoryStoreOptions,
    file: 'src/stores/memory-store.ts',
    name: 'memoryStoreOptions',
  },
  {
    heading: '`authData` of the contract: NTLM',
    introduction:
      "For `acquireCredentialsHandle({ package: 'NTLM', authData })` of `sspi-auth/sspi`. On Windows all packages but Digest are the system's own and take other authData.",
    table: ntlmOptions,
    file: 'src/packages/ntlm/ntlm-auth-data.ts',
    name: 'ntlmOptions',
  },
  {
    heading: '`authData` of the contract: Digest',
    introduction: '',
    table: digestOptions,
    file: 'src/packages/digest/digest-auth-data.ts',
    name: 'digestOptions',
  },
  {
    heading: '`authData` of the contract: Kerberos',
    introduction:
      'Over the GSSAPI of the system. Negotiate takes `{ packages: [{ package, authData }, …] }` with Kerberos, NTLM or both.',
    table: kerberosOptions,
    file: 'src/native/gssapi/kerberos-auth-data.ts',
    name: 'kerberosOptions',
  },
  {
    heading: '`authData` of the contract: Schannel',
    introduction: 'Certificates and keys are PEM, as text or bytes.',
    table: schannelOptions,
    file: 'src/packages/schannel/schannel-auth-data.ts',
    name: 'schannelOptions',
  },
  {
    heading: '`authData` of the contract: CredSSP',
    introduction: 'Schannel and Negotiate are handed in, each with its own `authData`.',
    table: credsspOptions,
    file: 'src/packages/credssp/credssp-auth-data.ts',
    name: 'credsspOptions',
  },
  {
    heading: "`authData` of the contract: Windows' own packages",
    introduction: 'Of Negotiate, Kerberos and NTLM on Windows. Accounts and keys are those of the system.',
    table: secur32Options,
    file: 'src/native/secur32/secur32-auth-data.ts',
    name: 'secur32Options',
  },
  {
    heading: "`authData` of the contract: Windows' own Schannel",
    introduction:
      "On Windows the name Schannel stands for the system's own package. That of this library is `schannelPackage`, which sspi-auth/sspi exports.",
    table: secur32SchannelOptions,
    file: 'src/native/secur32/stream-auth-data.ts',
    name: 'secur32SchannelOptions',
  },
  {
    heading: "`authData` of the contract: Windows' own CREDSSP",
    introduction:
      "On Windows the name CREDSSP stands for the system's own package. That of this library is `credsspPackage`, which sspi-auth/sspi exports.",
    table: secur32CredSspOptions,
    file: 'src/native/secur32/stream-auth-data.ts',
    name: 'secur32CredSspOptions',
  },
];

/** Text and type of each entry of a table. */
type Entries = ReadonlyMap<string, { readonly text: string; readonly type: string }>;

function compilerEntries(program: ts.Program, { file, name }: Section): Entries {
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(root, file));
  if (source === undefined) throw new Error(`${file} is not in the program`);
  const module = checker.getSymbolAtLocation(source);
  const symbol = module && checker.getExportsOfModule(module).find((exported) => exported.name === name);
  if (symbol === undefined) throw new Error(`${file} exports no ${name}`);
  const properties = checker.getTypeOfSymbol(symbol).getProperties();
  return new Map(
    properties.map((property) => {
      const written = checker.getTypeOfSymbol(property).getProperty('read');
      const reader = written && checker.getTypeOfSymbol(written).getProperty('written');
      const type = reader && checker.getNonNullableType(checker.getTypeOfSymbol(reader));
      const shown = type && checker.typeToString(type, undefined, ts.TypeFormatFlags.NoTruncation);
      const text = ts.displayPartsToString(property.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim();
      return [property.name, { text, type: shown ?? 'unknown' }];
    }),
  );
}

/** Types for readers: those of nested tables are links to their own sections. */
function typeText(name: string, type: string): string {
  if (['limits', 'digest', 'credssp', 'session'].includes(name)) return `[see below](#${name})`;
  if (name === 'cookie') return '[see below](#sessioncookie)';
  return `\`${type.replaceAll('"', "'").replaceAll('|', '\\|').replaceAll('readonly ', '').replaceAll('<ArrayBufferLike>', '')}\``;
}

function defaultText(entry: OptionEntry<unknown, unknown> & { readonly required?: string }): string {
  if (entry.required !== undefined) return 'required';
  if (entry.otherwise !== undefined) return entry.otherwise;
  const { default: value } = entry;
  if (value === undefined) return '';
  if (typeof value === 'number') return value.toLocaleString('en-GB').replaceAll(',', ' ');
  if (typeof value === 'string') return `\`'${value}'\``;
  if (Array.isArray(value)) return `\`[${value.map((item) => `'${String(item)}'`).join(', ')}]\``;
  return typeof value === 'object' || typeof value === 'function' ? 'see below' : `\`${JSON.stringify(value)}\``;
}

function concernText({ schemes, providers }: OptionEntry<unknown, unknown>): string {
  const parts = [schemes?.join(', '), providers === undefined ? undefined : `(${providers.join(', ')})`];
  return parts.filter((part) => part !== undefined).join(' ') || 'all';
}

function sectionText(section: Section, entries: Entries): string {
  const columns: Readonly<Record<string, (name: string, entry: OptionEntry<unknown, unknown>) => string>> = {
    option: (name) => `\`${name}\``,
    type: (name) => typeText(name, entries.get(name)?.type ?? 'unknown'),
    default: (_, entry) => defaultText(entry),
    ...(Object.values(section.table).some((entry) => concernText(entry) !== 'all')
      ? { concerns: (_: string, entry: OptionEntry<unknown, unknown>) => concernText(entry) }
      : undefined),
    meaning: (name) => {
      const text = entries.get(name)?.text ?? '';
      if (text === '') throw new Error(`${section.file}: option ${name} of ${section.name} has no sentence above it`);
      return text.replaceAll('|', '\\|');
    },
  };
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rows = Object.entries(section.table).map(([name, entry]) =>
    row(Object.values(columns).map((cell) => cell(name, entry))),
  );
  return [
    `## ${section.heading}`,
    ...(section.introduction === '' ? [] : ['', section.introduction]),
    '',
    row(Object.keys(columns)),
    row(Object.keys(columns).map(() => '---')),
    ...rows,
  ].join('\n');
}

/** The document, before it is formatted. */
export function optionDocumentation(): string {
  const config = ts.getParsedCommandLineOfConfigFile(
    join(root, 'tsconfig.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
      },
    },
  );
  const program = ts.createProgram([...new Set(sections.map(({ file }) => join(root, file)))], config?.options ?? {});
  const introduction = [
    '# Options',
    '',
    'Made from the option tables in the source by `npm run docs:options`; a test holds it against them. `concerns` names the schemes, and in brackets the providers, to which an option means something. Where a contradiction shows, such as an option of Kerberos where nothing verifies Kerberos, start ends with an error.',
  ].join('\n');
  return [introduction, ...sections.map((section) => sectionText(section, compilerEntries(program, section)))].join(
    '\n\n',
  );
}
