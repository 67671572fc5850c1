/** Names of principals as text, as krb5_unparse_name of MIT krb5 writes them. */
/** A principal as krb5_unparse_name writes it: components, realm. */
export interface Principal {
  /** Components joined by `/`, with `\` before those characters that would be ambiguous (attack D18). */
  readonly name: string;
  readonly realm: string;
}

/** Splits `name@REALM` at the `@` that is not escaped; undefined where there is none. */
export function parsePrincipal(text: string): Principal | undefined {
  const match = /^((?:[^\\@]|\\.)+)@((?:[^\\@]|\\.)+)$/s.exec(text);
  const [, name, realm] = match ?? [];
  return name === undefined || realm === undefined ? undefined : { name, realm };
}
