/** docs/windows.md says what an operator on Windows has to know, and what it says of options is so. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createAuthenticator, OptionError } from '../../src/index.ts';
import type { SspiAuthOptions } from '../../src/index.ts';
import type { Exchange } from '../../src/http/exchange.ts';
import { readDocument, root } from '../lab/documents.ts';
import { codeSpans, fences } from '../lab/markdown.ts';

const page = readDocument('docs/windows.md');

/** Text under a heading, up to the next one of any level. */
function section(heading: string): string {
  const [, text] = page.split(new RegExp(`^#+ ${heading}$`, 'm'));
  assert.ok(text !== undefined, heading);
  return text.split(/^#+ /m)[0] ?? '';
}

describe('docs/windows.md', () => {
  for (const [what, heading, ...words] of [
    [
      'names other than the own ones of the computer',
      'The account the server runs as',
      /alias needs a name of its own/,
    ],
    ['a changed password', 'The account the server runs as', /password .* was changed.*restart the service/],
    ['rights', 'The account the server runs as', /"Log on as a service"/, /"Access this computer from the network"/],
    ['the firewall', 'The account the server runs as', /New-NetFirewallRule/],
    [
      "one's own user",
      "On a developer's machine",
      /runs as yourself/,
      /`http:\/\/alice-pc:8080` does not/,
      /By the address/,
    ],
    ['the loopback check', "On a developer's machine", /KB896861/, /BackConnectionHostNames/, /event 4625/],
    [
      'programs that send no bindings',
      'Channel bindings',
      /curl\.exe --negotiate/,
      /curl\.exe --ntlm/,
      /whenSupported/,
    ],
    ['what binds', 'Channel bindings', /`channelBound`/],
    ['targets', 'Kerberos or NTLM', /without channel|with channel bindings/, /A client that sends none is refused/],
    ['NTLM left out', 'Kerberos or NTLM', /refused before Windows sees it/],
    ['the right to impersonate', 'Impersonation', /SeImpersonatePrivilege/, /1346/, /`impersonation: false`/],
    ['delegation', 'Impersonation', /ASC_RET_DELEGATE/, /resource-based constrained delegation/],
    ['threads', 'When a domain controller is slow', /before node starts/, /libuv 4887/, /nativeCalls: 16/],
    ['names of groups', 'When a domain controller is slow', /half a second/, /five seconds/, /ten minutes/],
    ['names and expiry', 'What Windows does not take', /name@REALM/, /local time/, /system directory/],
    ['causes', 'When it does not work', /setspn -Q/, /SEC_E_BAD_BINDINGS/, /Restrict NTLM/],
    [
      'what nobody has tried',
      'What was tested',
      /\.\.\/test\/windows\/README\.md/,
      /SECBUFFER_CHANNEL_BINDINGS_RESULT/,
    ],
  ] as const) {
    it(`tells of ${what}`, () => {
      const text = section(heading);
      for (const word of words) assert.match(text, word);
    });
  }

  it('shows no path of another machine inside impersonation, which would need delegation', () => {
    const code = fences(page).filter(({ code: text }) => text.includes('impersonate('));
    assert.ok(code.length > 0);
    for (const { code: text } of code) assert.doesNotMatch(text, /'\\\\\\\\/);
  });

  it('lists the options that Windows has no use for, and they end the start', () => {
    const listed = /with an error that names them: ([^.]*)\./.exec(section('What Windows does not take'))?.[1] ?? '';
    const values: Partial<Record<keyof SspiAuthOptions<Exchange>, unknown>> = {
      keytab: '/etc/http.keytab',
      replayCache: '/var/tmp/replay',
      requirePac: true,
      delegate: true,
      allowRc4: true,
      asynchronous: true,
    };
    assert.deepEqual(codeSpans(listed).sort(), Object.keys(values).sort());
    for (const [name, value] of Object.entries(values)) {
      const isRefused = (error: unknown): boolean =>
        error instanceof OptionError && error.message.includes(`"${name}"`) && /Leave it out/.test(error.message);
      assert.throws(() => createAuthenticator({ provider: 'secur32', [name]: value }), isRefused, name);
    }
  });
});

describe('the verification kit', () => {
  const readme = readDocument('test/windows/README.md');
  const files = readdirSync(join(root, 'test/windows')).filter((name) => name.endsWith('.ts'));
  const scripts = files.filter((name) => /Report\.begin\(/.test(readDocument(`test/windows/${name}`)));

  it('has a row for every script, and no script that is not there', () => {
    const rows = [...readme.matchAll(/^\| `([\w-]+\.ts)`/gm)].map(([, name = '']) => name);
    assert.deepEqual([...new Set(rows)].sort(), scripts.sort());
  });

  it('has a README of at most a page', () => {
    assert.ok(readme.split('\n').length <= 50);
  });

  it('names every situation of refusals.ts that has to be arranged', () => {
    const text = readDocument('test/windows/refusals.ts');
    assert.ok((text.match(/^ {4}arrange: /gm) ?? []).length >= 5);
    for (const word of ['wrong SPN', 'clock', 'Restrict NTLM', 'no controller', 'computer account']) {
      assert.ok(readme.includes(word), word);
    }
  });

  it('imports this package by its name, and nothing of its sources', () => {
    for (const name of files) assert.doesNotMatch(readDocument(`test/windows/${name}`), /from '\.\.\//, name);
  });

  it('runs without a compiler: nothing of newer Nodes alone', () => {
    for (const name of files) assert.doesNotMatch(readDocument(`test/windows/${name}`), /\b(?:await )?using /, name);
  });
});
