/**
 * What the system's own library does with channel bindings, targets, package lists and expiry: it is called directly, past
 * sspi-auth. With --user its NTLM has a password to verify; without, Windows shortens NTLM on one machine.
 * `--target HTTP/name` of a service whose keys this process has lets Kerberos take part.
 */
import { join } from 'node:path';
import { channelBindings, NativeLibrary, SECBUFFER_CHANNEL_BINDINGS } from './native-handshake.ts';
import type { Handshake, HandshakeResult } from './native-handshake.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';

const ASC_REQ_ALLOW_MISSING_BINDINGS = 0x10000000;
const SECBUFFER_READONLY = 0x80000000;
const SEC_E_BAD_BINDINGS = 0x80090346;
const VALID_MATCHED = 0x10;

const settings = readSettings('library', 'target');
const path = settings.own('library') ?? join(process.env['SystemRoot'] ?? 'C:\\Windows', 'System32', 'secur32.dll');
const target = settings.own('target') ?? 'HTTP/localhost';
const report = await Report.begin(`values of ${path}`);
const library = new NativeLibrary(path);
const [right, wrong] = [channelBindings('this certificate'), channelBindings('another certificate')];

const text = (result: HandshakeResult): string => {
  const { status, from, bindingsFlags, target: meant, tokenBytes } = result;
  const code = `0x${status.toString(16).padStart(8, '0')}`;
  const flags = bindingsFlags === undefined ? 'untouched' : `0x${bindingsFlags.toString(16)}`;
  return `${code} from ${from}; bindings result ${flags}; target ${meant}; ${tokenBytes} bytes`;
};

for (const name of ['NTLM', 'Negotiate', 'Kerberos']) {
  const base: Handshake = { package: name, credentials: settings.credentials, target };
  const plain = library.run(base);
  report.value(`${name}, no bindings anywhere`, text(plain));
  if (plain.status !== 0) {
    // Without a domain there is no Kerberos.
    if (name !== 'Kerberos') report.fail(`${name}: a handshake`, text(plain));
    continue;
  }
  const now = BigInt(Date.now()) * 10_000n + 116_444_736_000_000_000n;
  report.value(`${name}: expiry, hours from now in UTC`, Number((plain.expiry - now) / 36_000_000_000n));
  report.value(`${name}: this machine is behind UTC by minutes`, new Date().getTimezoneOffset());

  for (const [policy, requirements] of [
    ['required', 0],
    ['allowed to be missing', ASC_REQ_ALLOW_MISSING_BINDINGS],
  ] as const) {
    for (const [client, clientBindings] of [
      ['right', right],
      ['wrong', wrong],
      ['none', undefined],
    ] as const) {
      const bound = clientBindings === undefined ? {} : { clientBindings };
      const result = library.run({ ...base, ...bound, serverBindings: right, requirements });
      const what = `${name}, bindings ${policy}, client has ${client}`;
      report.value(what, text(result));
      const { status, bindingsFlags } = result;
      if (client === 'right') report.check(`${what}: accepted`, status === 0, text(result));
      else if (client === 'wrong' || policy === 'required') {
        report.check(`${what}: SEC_E_BAD_BINDINGS`, status === SEC_E_BAD_BINDINGS, text(result));
      }
      if (status === 0 && bindingsFlags !== undefined) {
        const matched = (bindingsFlags & VALID_MATCHED) !== 0;
        report.check(`${what}: VALID_MATCHED if they fit`, matched === (client === 'right'), text(result));
      }
    }
  }
  const bindingsType = SECBUFFER_CHANNEL_BINDINGS + SECBUFFER_READONLY;
  const readOnly = library.run({ ...base, clientBindings: wrong, serverBindings: right, bindingsType });
  report.value(`${name}, client has wrong ones, and the server's buffer is SECBUFFER_READONLY`, text(readOnly));
}

for (const packageList of ['!ntlm', '!kerberos']) {
  const result = library.run({ package: 'Negotiate', credentials: settings.credentials, target, packageList });
  report.value(`Negotiate with the package list ${packageList}`, text(result));
}
report.end();
