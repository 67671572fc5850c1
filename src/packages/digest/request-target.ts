import { reason } from '../../identity/reasons/reason.ts';
/** The comparison of `uri` with the request target, RFC 7616 section 3.4.6. */

/**
 * Whether both denote the same resource of this server (attack E07): they are equal by RFC 3986 section 6.2.2, after an
 * absolute-form (RFC 9112 section 3.2.2) on either side is reduced to its origin-form. A proxy that writes a path anew
 * (nginx with a URI in proxy_pass) changes it within these rules.
 *
 * So `%c3` equals `%C3`, and `%7E` equals `~`. Dot segments may be gone from the request target, as that proxy leaves
 * it, but not the other way round: a handler may tell `/a/../b` from `/b`, and the client did not ask for it. `/a%2fb`
 * and `//b` are not `/a/b` and `/b`. The authority of an absolute-form is not compared: the request has reached this
 * server.
 */
export function denotesRequestTarget(uri: string, requestTarget: string): boolean {
  if (uri === requestTarget) return true;
  const [sent, seen] = [originForm(uri), originForm(requestTarget)].map(normalEscapes) as [string, string];
  return sent === seen || withoutDotSegments(sent) === seen;
}

/** Why a `uri` does not denote the request target, for the log of the server. Queries may hold secrets: none is shown. */
export function foreignTarget(uri: string, requestTarget: string): string {
  const [sent, seen] = [originForm(uri), originForm(requestTarget)];
  const [sentPath = '', seenPath = ''] = [sent, seen].map((target) => target.split('?', 1)[0]);
  return denotesRequestTarget(sentPath, seenPath)
    ? reason('digest-other-query', { path: seenPath })
    : reason('digest-other-path', { sent: sentPath, seen: seenPath });
}

/** RFC 3986 section 2.3. */
const unreserved = /[0-9A-Za-z\-._~]/;

/** Percent-encodings as RFC 3986 sections 6.2.2.1 and 6.2.2.2 have them: unreserved characters decoded, digits in upper case. */
function normalEscapes(target: string): string {
  return target.replace(/%([0-9a-f]{2})/gi, (escape, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16));
    return unreserved.test(character) ? character : escape.toUpperCase();
  });
}

/** remove_dot_segments, RFC 3986 section 5.2.4, on the path of an origin-form. */
function withoutDotSegments(target: string): string {
  if (!target.startsWith('/')) return target;
  const [path = '', ...query] = target.split('?');
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
    // A dot segment at the end leaves the slash before it.
    if (index === segments.length - 1 && (segment === '.' || segment === '..')) kept.push('');
  }
  return [`/${kept.join('/')}`, ...query].join('?');
}

/** The origin-form of a well-formed absolute http or https URI; anything else unchanged. */
function originForm(target: string): string {
  const parts = /^https?:\/\/[0-9a-z\-._~%!$&'()*+,;=:[\]]+(?=[/?]|$)/i.exec(target);
  if (parts === null) return target;
  const rest = target.slice(parts[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
