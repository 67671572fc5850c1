/** Libraries of Java and Go, and those of npm: what has to be compiled or installed first. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { npm } from '../npm.ts';
import { runChecked } from '../process.ts';
import { programFile, programWords } from './client.ts';
import type { Call, Command, RealClient } from './client.ts';

/** Where Debian has libraries of Java. */
const jars = ['httpclient', 'httpcore', 'httpclient5', 'httpcore5', 'httpcore5-h2', 'commons-logging', 'commons-codec']
  .concat(['slf4j-api', 'slf4j-nop'])
  .map((name) => `/usr/share/java/${name}.jar`);
const classPath = (folder: string): string => [folder, ...jars].join(':');

/** @returns the folder with the classes */
async function buildJava(folder: string): Promise<string> {
  const sources = ['Jdk', 'HttpClient4', 'HttpClient5'].map((name) => programFile(`${name}.java`));
  const words = ['-nowarn', '-Xlint:none', '-proc:none', '-d', folder, '-cp', classPath(folder), ...sources];
  await runChecked('javac', words, { timeout: 120_000 });
  return folder;
}

/** Java's own Kerberos takes the ticket from the user's cache where JAAS is told so. */
function java(className: string, client: string): (call: Call) => Command {
  return (call) => {
    const kerberos = [
      `-Djava.security.krb5.conf=${call.krb5Config}`,
      '-Djavax.security.auth.useSubjectCredsOnly=false',
      `-Djava.security.auth.login.config=${programFile('jaas.conf')}`,
    ];
    const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto'];
    const settings = [...quick, ...(call.offer.endsWith('kerberos') ? kerberos : [])];
    return { words: ['java', ...settings, '-cp', classPath(call.built), className, ...programWords(client, call)] };
  };
}

/** @returns the executable */
async function buildGo(folder: string): Promise<string> {
  const program = join(folder, 'clients');
  const env = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(folder, 'cache'), GOFLAGS: '-p=2' };
  await runChecked('go', ['build', '-o', program, programFile('clients.go')], { env, timeout: 240_000 });
  return program;
}
const go =
  (client: string) =>
  (call: Call): Command => ({ words: [call.built, ...programWords(client, call)] });

/** @returns the folder with node_modules */
async function buildNpm(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await cp(new URL('npm/', import.meta.url), folder, { recursive: true });
  await npm(['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline'], {
    cwd: folder,
    timeout: 300_000,
  });
  return folder;
}
const ofNpm =
  (client: string) =>
  (call: Call): Command => ({
    words: [process.execPath, programFile('npm.mjs'), call.built, ...programWords(client, call)],
  });

const jaas =
  "A ticket of the user's cache is taken with `-Djavax.security.auth.useSubjectCredsOnly=false` and a JAAS file that has `com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true doNotPrompt=true;` under `com.sun.security.jgss.initiate` and `com.sun.security.jgss.krb5.initiate`. No `Authenticator` may be set then: Java would want its password.";
/** Of libraries on it. */
const ticketOfJava =
  'Kerberos as HttpURLConnection, with credentials for `negotiate` that have no password; NTLM with `NTCredentials`.';
const javaPackages = ['libhttpclient-java', 'libhttpclient5-java'];

/** The libraries. */
export const compiledClients: readonly RealClient[] = [
  {
    name: 'axios-ntlm',
    version: '1.4',
    source: { npm: 'axios-ntlm' },
    core: true,
    schemes: ['ntlm'],
    build: buildNpm,
    command: ofNpm('axios-ntlm'),
  },
  {
    name: 'httpntlm',
    version: '1.8',
    source: { npm: 'httpntlm' },
    core: true,
    schemes: ['ntlm'],
    situations: ['get', 'post-200-kb', 'post-5-mib', 'redirect', 'wrong'],
    build: buildNpm,
    command: ofNpm('httpntlm'),
  },
  {
    name: '@mhoc/axios-digest-auth',
    version: '0.8',
    source: { npm: '@mhoc/axios-digest-auth' },
    core: true,
    schemes: ['digest'],
    build: buildNpm,
    command: ofNpm('@mhoc/axios-digest-auth'),
  },
  {
    name: 'digest-fetch',
    version: '3.1',
    source: { npm: 'digest-fetch' },
    core: true,
    schemes: ['digest'],
    build: buildNpm,
    command: ofNpm('digest-fetch'),
  },
  {
    name: 'urllib (npm)',
    version: '4.9',
    source: { npm: 'urllib' },
    core: true,
    schemes: ['digest'],
    build: buildNpm,
    command: ofNpm('urllib'),
  },
  {
    name: 'Java, HttpURLConnection',
    version: '17',
    source: { debian: 'openjdk-17-jdk-headless', with: javaPackages },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    needs: jaas,
    build: buildJava,
    command: java('Jdk', 'HttpURLConnection'),
  },
  {
    name: 'Java, java.net.http.HttpClient',
    version: '17',
    source: { debian: 'openjdk-17-jdk-headless', with: javaPackages },
    core: false,
    schemes: ['digest'],
    situations: ['get'],
    build: buildJava,
    command: java('Jdk', 'HttpClient'),
  },
  {
    name: 'Apache HttpClient 4',
    version: '4.5',
    source: { debian: 'libhttpclient-java', with: ['openjdk-17-jdk-headless', ...javaPackages] },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    needs: ticketOfJava,
    build: buildJava,
    command: java('HttpClient4', 'HttpClient4'),
  },
  {
    name: 'Apache HttpClient 4, setExpectContinueEnabled(true)',
    version: '4.5',
    source: { debian: 'libhttpclient-java', with: ['openjdk-17-jdk-headless', ...javaPackages] },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    situations: ['post-200-kb', 'post-5-mib'],
    build: buildJava,
    command: java('HttpClient4', 'HttpClient4-expect'),
  },
  {
    name: 'Apache HttpClient 5',
    version: '5.2',
    source: { debian: 'libhttpclient5-java', with: ['openjdk-17-jdk-headless', ...javaPackages] },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    needs: ticketOfJava,
    build: buildJava,
    command: java('HttpClient5', 'HttpClient5'),
  },
  {
    name: 'go-ntlmssp',
    version: '0.0',
    source: {
      debian: 'golang-github-azure-go-ntlmssp-dev',
      with: ['golang-go', 'golang-github-jcmturner-gokrb5.v8-dev'],
    },
    core: false,
    schemes: ['ntlm', 'negotiate-ntlm'],
    build: buildGo,
    command: go('go-ntlmssp'),
  },
  {
    name: 'gokrb5',
    version: '8.4',
    source: {
      debian: 'golang-github-jcmturner-gokrb5.v8-dev',
      with: ['golang-go', 'golang-github-azure-go-ntlmssp-dev'],
    },
    core: false,
    schemes: ['kerberos'],
    build: buildGo,
    command: go('gokrb5'),
  },
];
