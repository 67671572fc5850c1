/** Names of principals as text, in the form of krb5_unparse_name of MIT krb5. */
/** A principal: name and realm. */
export interface Principal {
  /** Components joined by `/`. Characters that would be ambiguous are escaped with `\` (attack D18). */
  readonly name: string;
  readonly realm: string;
}

/** Splits `name@REALM` at the `@` that is not escaped; undefined if there is none. */
export function parsePrincipal(text: string): Principal | undefined {
  const match = /^((?:[^\\@]|\\.)+)@((?:[^\\@]|\\.)+)$/s.exec(text);
  const [, name, realm] = match ?? [];
  return name === undefined || realm === undefined ? undefined : { name, realm };
}
