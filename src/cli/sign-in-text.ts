/** A sign-in as text, for clients in a terminal. */
import { escapeUnsafe } from '../foundation/text.ts';
import { descriptionLines } from './description.ts';
import { legMeaning } from './leg-meaning.ts';
import type { Leg } from './recorded-handshake.ts';
import type { SignIn } from './sign-in.ts';

/** The text. It ends with a line end. */
export function signInText(signIn: SignIn): string {
  const { user, handshake } = signIn;
  const facts: [name: string, text: string][] = [
    ['scheme', signIn.scheme],
    ['package', signIn.package],
    ['provider', signIn.provider],
    ['channel bound', signIn.channelBound ? 'yes' : 'no'],
    ['attributes', signIn.attributes.join(' ') || 'none'],
  ];
  if (user.displayName !== undefined) facts.unshift(['display name', user.displayName]);
  if (user.groups.length > 0) facts.push(['groups', user.groups.map(({ name, sid }) => name ?? sid ?? '').join(', ')]);
  if (signIn.expiry !== undefined) facts.push(['valid until', signIn.expiry]);
  const lines = [
    `You are ${user.name}`,
    ...facts.map(([name, text]) => `  ${name.padEnd(14)} ${text}`),
    '',
    ...handshake.legs.flatMap((leg, index) => legLines(leg, index, handshake.legs[index - 1])),
  ];
  if (handshake.silentRequests > 0) lines.push(silentRequestsText(handshake.silentRequests));
  return `${lines
    .map((line) => escapeUnsafe(line))
    .join('\n')
    .trimEnd()}\n`;
}

/** How many requests came since the handshake, as a sentence. */
export function silentRequestsText(count: number): string {
  return count === 1
    ? 'Since then 1 request on this connection needed no handshake.'
    : `Since then ${count} requests on this connection needed no handshake.`;
}

function legLines(leg: Leg, index: number, before: Leg | undefined): readonly string[] {
  const direction = leg.from === 'client' ? 'client -> server' : 'server -> client';
  return [
    `${index + 1}. ${direction}  ${leg.line}  +${leg.milliseconds.toFixed(1)} ms`,
    `   ${legMeaning(leg, before)}`,
    ...leg.headers.flatMap(({ description, bytes }) => {
      const [title = '', ...rest] = descriptionLines(description);
      return [bytes === 0 ? title : `${title}  ${bytes} bytes`, ...rest].map((line) => `   ${line}`);
    }),
    '',
  ];
}
