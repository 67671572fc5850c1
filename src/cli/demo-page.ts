/** The demo's pages. They work without JavaScript and load nothing. */
import { createHash } from 'node:crypto';
import { demoStyle } from './demo-style.ts';
import type { DescribedField, Description } from './description.ts';
import { html, styleSheet } from './html.ts';
import type { Html, HtmlPart } from './html.ts';
import { legMeaning } from './leg-meaning.ts';
import type { DescribedHeader } from './header-description.ts';
import type { Leg } from './recorded-handshake.ts';
import type { SignIn } from './sign-in.ts';
import { silentRequestsText } from './sign-in-text.ts';

/** A protected path, and what it offers. */
export interface DemoPath {
  readonly path: string;
  /** For the navigation: `All schemes`, `NTLM`. */
  readonly label: string;
  readonly schemes: readonly string[];
}

/** Content-Security-Policy of every page: its own style sheet, its own icon, nothing else. */
export const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(demoStyle).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const icon =
  'data:image/svg+xml,' +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#0f56a8"/>' +
      '<path d="M4 6h8l-2-2M12 10H4l2 2" fill="none" stroke="#fff" stroke-width="1.6"/></svg>',
  );

/** The path that needs no sign-in. */
export const SIGNED_OUT_PATH = '/signed-out';

/** The page of a signed-in user. */
export function signInPage(signIn: SignIn, current: DemoPath, paths: readonly DemoPath[]): string {
  const { user, handshake } = signIn;
  const json = current.path === '/' ? '/json' : `${current.path}/json`;
  const facts: (readonly [name: string, value: HtmlPart, wide?: 'wide'])[] = [
    ['Package', signIn.package],
    ['Scheme', signIn.scheme],
    ['Provider', signIn.provider],
    ['Channel bound', signIn.channelBound ? 'yes' : 'no'],
    ['Your connection', html`<span class="value">${signIn.peer}</span>`],
  ];
  if (user.displayName !== undefined) facts.push(['Display name', user.displayName]);
  if (user.userPrincipalName !== undefined) facts.push(['User principal name', user.userPrincipalName]);
  if (user.sid !== undefined) facts.push(['SID', html`<span class="value">${user.sid}</span>`]);
  if (signIn.expiry !== undefined) facts.push(['Valid until', signIn.expiry]);
  if (user.groups.length > 0) facts.push(['Groups', user.groups.map(({ name, sid }) => name ?? sid ?? '').join(', ')]);
  facts.push(['Attributes of the security context', names(signIn.attributes), 'wide']);
  const body = html`<p class="kicker">You are</p>
    <h1>
      ${user.domain === undefined ? undefined : html`<span class="domain">${user.domain}\\</span>`}${user.domain === undefined ? user.name : user.userName}
    </h1>
    <dl class="facts">
      ${facts.map(
        ([name, value, wide]) =>
          html`<div class="${wide ?? ''}">
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
    <section aria-labelledby="handshake">
      <h2 id="handshake">How you signed in</h2>
      <ol class="legs">
        ${handshake.legs.map((leg, index) => legItem(leg, handshake.legs[index - 1]))}
      </ol>
      ${handshake.silentRequests > 0 ? html`<p>${silentRequestsText(handshake.silentRequests)}</p>` : undefined}
      <p>Responses, keys and checksums are shown by their size only. The same <a href="${json}">as JSON</a>.</p>
    </section>`;
  return page(`${user.name} · sspi-auth demo`, body, current.path, paths);
}

/** One path, and the challenges of its 401. */
export interface OfferedChallenges {
  readonly path: DemoPath;
  readonly challenges: readonly DescribedHeader[];
}

/** The page that needs no sign-in: what a 401 of each path asks for. */
export function signedOutPage(offers: readonly OfferedChallenges[], paths: readonly DemoPath[]): string {
  const body = html`<p class="kicker">Nobody has asked you who you are.</p>
    <h1>Signed out</h1>
    <p>
      This page is open to everybody. Each of the others answers a request without credentials with
      <code>401 Unauthorized</code> and the challenges below. The browser then asks for a name and a password: take one
      of the accounts that the terminal shows.
    </p>
    <p>
      A browser keeps what you typed until you close all its windows. To sign in as somebody else, open a private
      window.
    </p>
    ${offers.map(
      ({ path, challenges }, index) =>
        html`<section aria-labelledby="path-${index}">
          <h2 id="path-${index}"><a href="${path.path}">${path.label}</a></h2>
          <div class="leg server">
            <header>
              <span class="line"><code>401 Unauthorized</code></span>
            </header>
            ${challenges.map(message)}
          </div>
        </section>`,
    )}`;
  return page('Signed out · sspi-auth demo', body, SIGNED_OUT_PATH, paths);
}

/** The page for a path that does not exist. */
export function notFoundPage(paths: readonly DemoPath[]): string {
  const body = html`<h1>There is no such page</h1>
    <p>
      The demo has
      ${paths.map(
        ({ path }) =>
          html`<a href="${path}"><code>${path}</code></a
            >, `,
      )}and <a href="${SIGNED_OUT_PATH}"><code>${SIGNED_OUT_PATH}</code></a
      >.
    </p>`;
  return page('Not found · sspi-auth demo', body, undefined, paths);
}

function page(title: string, body: Html, current: string | undefined, paths: readonly DemoPath[]): string {
  const links = [...paths.map(({ path, label }) => [path, label] as const), [SIGNED_OUT_PATH, 'Signed out'] as const];
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="${icon}" />
        ${styleSheet(demoStyle)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to content</a>
        <header class="top">
          <div class="wrap">
            <span class="brand">sspi-auth demo</span>
            <nav aria-label="Ways to sign in">
              <ul>
                ${links.map(([path, label]) => html`<li>${link(path, label, path === current)}</li>`)}
              </ul>
            </nav>
          </div>
        </header>
        <main id="content"><div class="wrap">${body}</div></main>
        <footer><div class="wrap">A server on your own machine. Its accounts live as long as its process.</div></footer>
      </body>
    </html> `;
  return document.markup;
}

function link(path: string, label: string, isCurrent: boolean): Html {
  return isCurrent ? html`<a href="${path}" aria-current="page">${label}</a>` : html`<a href="${path}">${label}</a>`;
}

function legItem(leg: Leg, before: Leg | undefined): Html {
  const meaning = legMeaning(leg, before);
  const side = meaning.startsWith('Refused') ? 'server refused' : leg.from;
  const direction = leg.from === 'client' ? 'Client → server' : 'Server → client';
  return html`<li class="leg ${side}">
    <header>
      <span class="direction">${direction}</span> <code class="line">${leg.line}</code>
      <span class="time">+${leg.milliseconds.toFixed(1)} ms</span>
    </header>
    <p class="meaning">${meaning}</p>
    ${leg.headers.map(message)}
  </li>`;
}

function message({ description, bytes }: DescribedHeader): Html {
  const { title, highlights, fields } = description;
  return html`<div class="message">
    <header>
      <h3>${title}</h3>
      ${highlights.map((text) => html`<span class="mark">${text}</span> `)}
      ${bytes === 0 ? undefined : html`<span class="size">${bytes} bytes</span>`}
    </header>
    ${fieldList(fields)}
  </div>`;
}

function fieldList(fields: readonly DescribedField[]): Html | undefined {
  if (fields.length === 0) return undefined;
  return html`<dl class="fields">${fields.map(fieldItem)}</dl>`;
}

/** On narrow screens a list takes the whole width. */
function fieldItem(field: DescribedField): Html {
  const place = 'text' in field ? '' : 'block';
  return html`<dt class="${place}">${field.name}</dt>
    <dd class="${place}">${fieldValue(field)}</dd>`;
}

function fieldValue(field: DescribedField): Html {
  if ('text' in field) return html`<span class="value">${field.text}</span>`;
  if ('names' in field) return names(field.names);
  return inner(field.inner);
}

function inner({ title, highlights, fields }: Description): Html {
  return html`<div class="inner">
    <div class="title">${[title, ...highlights].join(' · ')}</div>
    ${fieldList(fields)}
  </div>`;
}

function names(list: readonly string[]): Html {
  if (list.length === 0) return html`<span class="value">none</span>`;
  return html`<ul class="names">
    ${list.map((name) => html`<li>${name}</li>`)}
  </ul>`;
}
