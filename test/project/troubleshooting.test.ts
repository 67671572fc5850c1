/** docs/troubleshooting.md: a part for each symptom, and few commands to tell its causes apart. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandsOf } from '../lab/document-blocks.ts';
import { readDocument } from '../lab/documents.ts';
import { fences } from '../lab/markdown.ts';

/** The symptoms that the page must have, each with commands. Links lead here, so headings stay. */
const symptoms = [
  'A prompt instead of sign-on',
  '401 for ever',
  'By address and not by name',
  'By name and not by address',
  'On one machine only',
  'NTLM instead of Kerberos',
  'One user as another',
  '400',
  '431',
  'After a password change',
  'After a restart',
  'Behind a proxy',
  'In a container',
  'Only in Firefox',
  'Only in Chrome',
  'A slow first request',
  'Sign-ins do not last',
  'A preflight gets 401',
];

/** The parts of a page by their headings. */
function parts(markdown: string): ReadonlyMap<string, string> {
  const [, ...texts] = markdown.split(/^## /m);
  return new Map(texts.map((text) => [text.slice(0, text.indexOf('\n')), text]));
}

/** Commands of all blocks of a part, those of Windows too. */
const commandsIn = (part: string): string[] => fences(part).flatMap(({ code }) => commandsOf(code));

describe('docs/troubleshooting.md', () => {
  const page = parts(readDocument('docs/troubleshooting.md'));

  it('has each symptom, with commands that tell its causes apart', () => {
    for (const symptom of symptoms) assert.ok(commandsIn(page.get(symptom) ?? '').length >= 1, symptom);
  });

  it('has at most three commands in each part', () => {
    for (const [heading, part] of page) {
      const commands = commandsIn(part);
      assert.ok(commands.length <= 3, `${heading}: ${commands.join('; ')}`);
    }
  });

  it('has no other programs than curl, klist, kvno, setspn, npx sspi-auth decode, and what every system has', () => {
    const programs = new Set([...page.values()].flatMap(commandsIn).map((command) => command.split(' ')[0]));
    assert.deepEqual([...programs].sort(), ['curl', 'date', 'klist', 'kvno', 'setspn', 'touch']);
  });

  it('would be found with a fourth command', () => {
    const [part = ''] = [...parts('# A\n\n## B\n\n```sh\na\nb # c\n```\n\n```bat\nd\n\ne\n```\n').values()];
    assert.equal(commandsIn(part).length, 4);
  });
});
