/** Libraries of Python, Perl, Ruby and PHP, each run by a program of programs/. */
import { fileURLToPath } from 'node:url';
import { debianPython } from '../gss-client.ts';
import { programFile, programWords } from './client.ts';
import type { Call, Command, RealClient } from './client.ts';

/** Python's hashlib knows MD4, which NTLM needs, only with OpenSSL's legacy provider. */
const legacyOpenssl = fileURLToPath(new URL('programs/openssl-legacy.cnf', import.meta.url));

function python(client: string, env: Readonly<Record<string, string>> = {}): (call: Call) => Command {
  return (call) => ({ words: [debianPython, programFile('clients.py'), ...programWords(client, call)], env });
}
const withMd4 = (client: string): ((call: Call) => Command) => python(client, { OPENSSL_CONF: legacyOpenssl });
const interpreted =
  (interpreter: string, file: string, client: string) =>
  (call: Call): Command => ({ words: [interpreter, programFile(file), ...programWords(client, call)] });

const md4 = "Python needs MD4: OpenSSL's legacy provider, switched on in the file that `OPENSSL_CONF` names.";

/** The libraries. */
export const interpretedClients: readonly RealClient[] = [
  {
    name: 'requests, HTTPDigestAuth',
    version: '2.28',
    source: { debian: 'python3-requests' },
    core: true,
    schemes: ['digest'],
    command: python('requests'),
  },
  {
    name: 'requests-ntlm',
    version: '1.1',
    source: { debian: 'python3-requests-ntlm' },
    core: true,
    schemes: ['ntlm', 'negotiate-ntlm'],
    needs: `\`HttpNtlmAuth('DOMAIN\\\\user', password)\`. ${md4}`,
    command: withMd4('requests-ntlm'),
  },
  {
    name: 'requests-ntlm with a file as body',
    version: '1.1',
    source: { debian: 'python3-requests-ntlm' },
    core: false,
    schemes: ['ntlm'],
    situations: ['post-200-kb'],
    command: withMd4('requests-ntlm-file'),
  },
  {
    name: 'requests-kerberos',
    version: '0.12',
    source: { debian: 'python3-requests-kerberos' },
    core: true,
    schemes: ['kerberos'],
    command: python('requests-kerberos'),
  },
  {
    name: 'httpx, DigestAuth',
    version: '0.23',
    source: { debian: 'python3-httpx' },
    core: true,
    schemes: ['digest'],
    command: python('httpx'),
  },
  {
    name: 'urllib, HTTPDigestAuthHandler',
    version: '3.11',
    source: { debian: 'python3' },
    core: true,
    schemes: ['digest'],
    command: python('urllib'),
  },
  {
    name: 'pywinrm',
    version: '0.3',
    source: { debian: 'python3-winrm', with: ['python3-requests-ntlm', 'python3-requests-kerberos'] },
    core: false,
    schemes: ['ntlm', 'kerberos', 'negotiate-ntlm'],
    situations: ['post-200-kb', 'post-5-mib'],
    needs: `\`transport='kerberos'\` wants the scheme Negotiate, not the scheme Kerberos. ${md4}`,
    command: withMd4('pywinrm'),
  },
  {
    name: 'Qt 5, QNetworkAccessManager',
    version: '5.15',
    source: { debian: 'python3-pyqt5' },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    command: (call) => ({ words: [debianPython, programFile('qt.py'), ...programWords('qt', call)] }),
  },
  {
    name: 'libsoup 3',
    version: '3.2',
    source: { debian: 'libsoup-3.0-0', with: ['gir1.2-soup-3.0', 'python3-gi'] },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    needs:
      'NTLM and Negotiate are features that the program adds (`AuthNTLM`, `AuthNegotiate`); plain http hosts that may be asked for a ticket stand in the environment variable `SOUP_GSSAPI_TRUSTED_URIS`.',
    command(call) {
      const env = { SOUP_GSSAPI_TRUSTED_URIS: new URL(call.base).origin };
      return { words: [debianPython, programFile('soup.py'), ...programWords('soup', call)], env };
    },
  },
  {
    name: 'LWP',
    version: '6.68',
    source: { debian: 'libwww-perl', with: ['libauthen-ntlm-perl'] },
    core: true,
    schemes: ['ntlm', 'digest'],
    command: interpreted('perl', 'lwp.pl', 'lwp'),
  },
  {
    name: 'LWP, Authen::NTLM::ntlmv2(1)',
    version: '6.68',
    source: { debian: 'libwww-perl', with: ['libauthen-ntlm-perl'] },
    core: true,
    schemes: ['ntlm'],
    situations: ['post-200-kb'],
    command: interpreted('perl', 'lwp.pl', 'lwp-ntlmv2'),
  },
  {
    name: 'httpclient (Ruby)',
    version: '2.8',
    source: { debian: 'ruby-httpclient', with: ['ruby'] },
    core: false,
    schemes: ['digest'],
    command: interpreted('ruby', 'clients.rb', 'httpclient'),
  },
  {
    name: 'net-http-digest_auth (Ruby)',
    version: '1.4',
    source: { debian: 'ruby-net-http-digest-auth', with: ['ruby'] },
    core: false,
    schemes: ['digest'],
    situations: ['get', 'post-200-kb', 'post-5-mib', 'several', 'wrong'],
    command: interpreted('ruby', 'clients.rb', 'digest-auth'),
  },
  {
    name: 'PHP, curl extension',
    version: '8.2',
    source: { debian: 'php8.2-curl', with: ['php-cli', 'php-curl', 'gss-ntlmssp'] },
    core: false,
    schemes: ['ntlm', 'kerberos', 'negotiate-ntlm', 'digest'],
    needs: '`CURLOPT_HTTPAUTH`; else as curl.',
    command: interpreted('php', 'curl.php', 'curl'),
  },
];
