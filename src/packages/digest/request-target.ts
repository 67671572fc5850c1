/** The comparison of `uri` with the request target, RFC 7616 section 3.4.6. */

/**
 * Whether both denote the same resource of this server (attack E07).
 *
 * Octets are compared after an absolute-form (RFC 9112 section 3.2.2) on either side is reduced to its origin-form.
 * Nothing else is normalised: `/a%2fb`, `/a/../b` and `//b` stay as they are, because the handler may tell them apart.
 * The authority of an absolute-form is not compared: the request has reached this server.
 */
export function denotesRequestTarget(uri: string, requestTarget: string): boolean {
  return uri === requestTarget || originForm(uri) === originForm(requestTarget);
}

/** The origin-form of a well-formed absolute http or https URI; anything else unchanged. */
function originForm(target: string): string {
  const parts = /^https?:\/\/[0-9a-z\-._~%!$&'()*+,;=:[\]]+(?=[/?]|$)/i.exec(target);
  if (parts === null) return target;
  const rest = target.slice(parts[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
