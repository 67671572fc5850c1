/** Programs of the command line. */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { accountName } from './client.ts';
import type { Call, RealClient } from './client.ts';

/** URL of the first step. */
const firstUrl = ({ base, steps }: Call): string => `${base}${steps[0]?.target ?? '/'}`;
/** File of the first step's body. */
function firstBody({ steps, bodies }: Call): string | undefined {
  const body = steps[0]?.body;
  return body && bodies[body];
}

/** What curl is told of a scheme. */
function curlWords(call: Call): string[] {
  const account = ['-u', `${accountName(call)}:${call.password}`];
  switch (call.offer) {
    case 'ntlm':
      return ['--ntlm', ...account];
    case 'kerberos':
    case 'scheme-kerberos':
    case 'negotiate-ntlm':
      return ['--negotiate', '-u', ':'];
    case 'everything':
    case 'everything-digest-first':
      return ['--anyauth', ...account];
    default:
      return ['--digest', ...account];
  }
}

/** curl sends every step of one process over one connection, if the server lets it. */
function curlCommand(call: Call, upload: (file: string) => readonly string[]): string[] {
  return call.steps.flatMap(({ target, body }, index) => [
    ...(index === 0 ? ['curl', '-q'] : ['--next']),
    ...['-sSL', '--max-time', '15', '-w', '%{http_code}\n', ...curlWords(call)],
    ...(body ? upload(call.bodies[body]) : []),
    `${call.base}${target}`,
  ]);
}

const post = (file: string): string[] => ['--data-binary', `@${file}`, '-H', 'Content-Type: application/octet-stream'];

const wgetWords = (call: Call): string[] => [
  ...['--no-proxy', '-qO-', '--tries=1', '--timeout=15'],
  ...[`--user=${accountName(call)}`, `--password=${call.password}`],
];

/** Those that take one kind of request at a time. */
function wgetCommand(program: string, call: Call): string[] {
  const body = firstBody(call);
  const upload = body ? [`--post-file=${body}`, '--header=Content-Type: application/octet-stream'] : [];
  return [program, ...wgetWords(call), ...upload, ...call.steps.map(({ target }) => `${call.base}${target}`)];
}

/** The programs. */
export const commandLineClients: readonly RealClient[] = [
  {
    name: 'curl',
    version: '7.88',
    source: { debian: 'curl', with: ['gss-ntlmssp'] },
    core: true,
    schemes: ['ntlm', 'kerberos', 'negotiate-ntlm', 'digest'],
    needs:
      '`--ntlm`, `--digest`, or `--negotiate -u :` for the ticket of the user; NTLM inside Negotiate needs the package gss-ntlmssp and `NTLM_USER_FILE`.',
    command: (call) => ({ words: curlCommand(call, post) }),
  },
  {
    name: 'curl without Expect',
    version: '7.88',
    source: { debian: 'curl' },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    situations: ['post-200-kb', 'post-5-mib'],
    command: (call) => ({ words: curlCommand(call, (file) => [...post(file), '-H', 'Expect:']) }),
  },
  {
    name: 'curl -T with chunked coding',
    version: '7.88',
    source: { debian: 'curl' },
    core: false,
    schemes: ['ntlm', 'kerberos', 'digest'],
    situations: ['post-200-kb', 'post-5-mib'],
    command: (call) => ({
      words: curlCommand(call, (file) => ['-H', 'Transfer-Encoding: chunked', '-T', file]),
    }),
  },
  {
    name: 'wget',
    version: '1.21',
    source: { debian: 'wget' },
    core: true,
    schemes: ['ntlm', 'digest'],
    onlyGets: true,
    command: (call) => ({ words: wgetCommand('wget', call) }),
  },
  {
    name: 'wget2',
    version: '1.99',
    source: { debian: 'wget2' },
    core: false,
    schemes: ['digest'],
    onlyGets: true,
    command: (call) => ({ words: wgetCommand('wget2', call) }),
  },
  {
    name: 'HTTPie',
    version: '3.2',
    source: { debian: 'httpie' },
    core: false,
    schemes: ['digest'],
    situations: ['get', 'post-200-kb', 'post-5-mib', 'redirect', 'wrong'],
    command(call) {
      const body = firstBody(call);
      const words = ['http', '--ignore-stdin', '--follow', '--timeout=15', '-A', 'digest'];
      const account = ['-a', `${accountName(call)}:${call.password}`];
      const upload = body ? [`@${body}`] : [];
      return { words: [...words, ...account, body ? 'POST' : 'GET', firstUrl(call), ...upload] };
    },
  },
  {
    name: 'w3m',
    version: '0.5',
    source: { debian: 'w3m' },
    core: true,
    schemes: ['digest'],
    onlyGets: true,
    needs: 'The account stands in `~/.w3m/passwd`, with the realm: that of the option `realm`.',
    async command(call) {
      await mkdir(call.home.file('.w3m'));
      const { hostname, port } = new URL(call.base);
      const lines = [`host ${hostname}`, `port ${port}`, `realm ${call.domain}`];
      const account = [...lines, `login ${accountName(call)}`, `password ${call.password}`, ''].join('\n');
      // w3m believes the file only where nobody else may read it.
      await writeFile(call.home.file('.w3m/passwd'), account, { mode: 0o600 });
      const body = firstBody(call);
      const upload = body ? ['-header', 'Content-Type: application/octet-stream', '-post', body] : [];
      const urls = call.steps.map(({ target }) => `${call.base}${target}`);
      return { words: ['w3m', '-no-proxy', '-dump', ...upload, ...urls] };
    },
  },
  {
    name: 'lftp',
    version: '4.9',
    source: { debian: 'lftp' },
    core: true,
    schemes: ['digest'],
    silent: 'uploads',
    noQuery: true,
    command(call) {
      const { origin, pathname } = new URL(call.base);
      const commands = call.steps.map(({ target, body }) =>
        body ? `put ${call.bodies[body]} -o ${pathname}${target}` : `cat "${pathname}${target}"`,
      );
      const settings = ['set net:max-retries 1', 'set net:timeout 15', 'set xfer:log no'];
      const open = `open -u ${accountName(call)},${call.password} ${origin}`;
      return { words: ['lftp', '-c', [...settings, open, ...commands].join('; ')] };
    },
  },
  {
    name: 'cadaver (neon)',
    version: '0.24',
    source: { debian: 'cadaver' },
    core: true,
    schemes: ['digest'],
    situations: ['get', 'post-200-kb', 'post-5-mib', 'several', 'wrong'],
    silent: 'always',
    needs: 'The account stands in `~/.netrc`. Over plain http it passes over NTLM and Negotiate.',
    async command(call) {
      const { hostname } = new URL(call.base);
      const netrc = `machine ${hostname}\nlogin ${accountName(call)}\npassword ${call.password}\n`;
      await writeFile(call.home.file('.netrc'), netrc);
      await chmod(call.home.file('.netrc'), 0o600);
      const commands = call.steps.map(({ body }) => (body ? `put ${call.bodies[body]} file` : 'ls'));
      return { words: ['cadaver', `${call.base}/`], input: `${[...commands, 'quit'].join('\n')}\n` };
    },
  },
  {
    name: 'Subversion (serf)',
    version: '1.14',
    source: { debian: 'subversion' },
    core: true,
    schemes: ['kerberos', 'digest'],
    situations: ['get', 'wrong'],
    silent: 'always',
    command(call) {
      const words = ['svn', 'ls', '--non-interactive', '--no-auth-cache', '--config-dir', call.home.file('svn')];
      const account = ['--username', accountName(call), '--password', call.password];
      return { words: [...words, ...account, `${call.base}/`] };
    },
  },
];
