/**
 * Says why a scheme that needs accounts cannot be verified.
 *
 * @param description of the account source, if there is one
 */
export function accountsMissing(description: string | undefined, scheme: 'NTLM' | 'Digest'): string {
  if (description !== undefined) {
    const needs = scheme === 'Digest' ? ': Digest needs the passwords, and NT hashes alone do not do' : '';
    return `option "accounts" is ${description}, which cannot verify ${scheme}. Give an account source that can${needs}.`;
  }
  const file = scheme === 'NTLM' ? ' or smbpasswdFile(path)' : '';
  return `option "accounts" is not given. Give accounts: memoryAccounts([{ userName, password }])${file}.`;
}
