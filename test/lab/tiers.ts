/**
 * The tiers of the test ground: what live tests run against, and the Debian packages each needs.
 *
 * A tier is declared by the test files that use it (test/lab/tier.ts); the runner installs its packages before the tests
 * start and reports it by name afterwards.
 */

/** A kind of counterpart that tests run against. */
export interface TierDescription {
  /** 1 small tools, 2 domain controllers and browsers, 3 the Windows build under Wine. Tests without a tier are tier 0. */
  readonly level: 1 | 2 | 3;
  /** What it proves, in a few words. */
  readonly proves: string;
  /** Names of Debian packages. */
  readonly packages: readonly string[];
  /** Large: it is for `npm run test:full` alone. Its test files say so as well (`full` of test/lab/matrix.ts). */
  readonly fullOnly?: true;
}

/** Every tier by name. */
export const tiers = {
  curl: { level: 1, proves: 'NTLM, Digest and Basic from curl', packages: ['curl'] },
  kdc: {
    level: 1,
    proves: 'Kerberos with an MIT KDC, libgssapi and curl',
    packages: ['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libgssapi-krb5-2', 'curl'],
  },
  heimdal: {
    level: 1,
    proves: 'Kerberos with Heimdal as the GSSAPI, verified by an MIT KDC and its clients',
    packages: ['libgssapi3-heimdal', 'krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libgssapi-krb5-2', 'curl'],
  },
  winpr: {
    level: 1,
    proves: 'the ABI of SSPI through koffi, on libwinpr2',
    packages: ['libwinpr2-2', 'winpr-utils'],
  },
  smbpasswd: {
    level: 1,
    proves: 'account files written by Samba',
    packages: ['samba-common-bin'],
  },
  tls: {
    level: 1,
    proves: 'Schannel with the TLS of openssl, curl and GnuTLS',
    packages: ['openssl', 'curl', 'gnutls-bin'],
  },
  winrm: {
    level: 1,
    proves: 'encrypted messages of pywinrm, with NTLM and Kerberos',
    packages: [
      ...['python3-winrm', 'python3-requests-ntlm', 'python3-gssapi'],
      ...['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libgssapi-krb5-2'],
    ],
  },
  freerdp: { level: 1, proves: 'CredSSP with xfreerdp', packages: ['freerdp2-x11', 'xvfb'] },
  redis: {
    level: 1,
    proves: 'stores in Redis, of one server and of a cluster',
    packages: ['redis-server', 'redis-tools', 'curl'],
  },
  fleets: {
    level: 1,
    proves: 'several processes behind nginx and HAProxy',
    packages: ['redis-server', 'redis-tools', 'nginx-light', 'haproxy', 'curl'],
  },
  openssl: { level: 1, proves: 'TLS peers and certificates', packages: ['openssl'] },
  'samba-ad': {
    level: 2,
    proves: 'Active Directory: PAC with groups, NTLM verified by a domain controller',
    packages: [
      'samba',
      'samba-ad-dc',
      'samba-ad-provision',
      'samba-dsdb-modules',
      'samba-vfs-modules',
      'python3-samba',
      'winbind',
      'krb5-user',
      'smbclient',
      'curl',
      'openssl',
      'iproute2',
      'util-linux',
    ],
  },
  clients: {
    level: 1,
    proves: 'HTTP clients of the command line, of Python, Perl and npm, by scheme and situation',
    packages: [
      ...['curl', 'wget', 'w3m', 'lftp', 'cadaver', 'subversion', 'python3', 'python3-requests'],
      ...['python3-requests-ntlm', 'python3-requests-kerberos', 'python3-httpx', 'libwww-perl', 'libauthen-ntlm-perl'],
      ...['gss-ntlmssp', 'krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libgssapi-krb5-2'],
    ],
  },
  documents: {
    level: 1,
    proves: 'the configuration and commands of the documents: nginx, HAProxy, systemd, Samba, an MIT KDC',
    packages: [
      ...['nginx-light', 'libnginx-mod-stream', 'haproxy', 'systemd', 'samba', 'openssl', 'curl'],
      ...['krb5-kdc', 'krb5-admin-server', 'krb5-user', 'libgssapi-krb5-2'],
    ],
  },
  'more-clients': {
    level: 2,
    fullOnly: true,
    proves: 'HTTP clients of Java, Go, Qt, GNOME, PHP and Ruby, and Apache httpd beside this library',
    packages: [
      ...['wget2', 'httpie', 'python3-winrm', 'python3-pyqt5', 'python3-gi', 'libsoup-3.0-0', 'gir1.2-soup-3.0'],
      ...['ruby', 'ruby-httpclient', 'ruby-net-http-digest-auth', 'php-cli', 'php-curl', 'php8.2-curl'],
      ...['openjdk-17-jdk-headless', 'libhttpclient-java', 'libhttpclient5-java'],
      ...['golang-go', 'golang-github-azure-go-ntlmssp-dev', 'golang-github-jcmturner-gokrb5.v8-dev'],
      ...['apache2-bin', 'libapache2-mod-auth-gssapi'],
    ],
  },
  browsers: { level: 2, proves: 'sign-in of a real browser', packages: ['chromium'] },
  wine: {
    level: 3,
    proves: 'the Windows build: node.exe, koffi and secur32.dll under Wine',
    packages: ['wine', 'wine64', 'winbind', 'gcc-mingw-w64-x86-64-win32'],
  },
} as const satisfies Readonly<Record<string, TierDescription>>;

/** Name of a tier. */
export type TierName = keyof typeof tiers;

/** What is known of a tier. */
export function tierDescription(name: TierName): TierDescription {
  return tiers[name];
}

/** Whether a text is the name of a tier. */
export function isTierName(name: string): name is TierName {
  return Object.hasOwn(tiers, name);
}
