/**
 * Whether the log names the cause of a refusal. `--situation NAME`: prints what has to be arranged, lets a client come, and
 * compares what was logged. Without it: the situations that need no arrangement.
 */
import { signIn } from './clients.ts';
import { GuardedServer, readWhoAmI } from './guarded-server.ts';
import { Report } from './report.ts';
import { readSettings } from './settings.ts';
import type { ClientScheme } from './settings.ts';

interface Situation {
  /** Undefined: nothing. */
  readonly arrange?: string;
  readonly scheme: ClientScheme;
  readonly packages?: readonly ['Kerberos'];
  readonly wrongPassword?: true;
  /** Undefined: the client is admitted. */
  readonly reason?: RegExp;
  /** Of the diagnosis; or of the user, where the client is admitted. Undefined: anything. */
  readonly text?: RegExp;
}

const situations: Readonly<Record<string, Situation>> = {
  'wrong-password': {
    scheme: 'NTLM',
    wrongPassword: true,
    reason: /^SEC_E_LOGON_DENIED$/,
    text: /event 4625/,
  },
  'kerberos-alone': {
    scheme: 'Negotiate',
    packages: ['Kerberos'],
    reason: /^(?:package-not-allowed|SEC_E_LOGON_DENIED|SEC_E_UNSUPPORTED_FUNCTION)$/,
  },
  'wrong-spn': {
    arrange: 'setspn -S HTTP/<the name of --host> on an account that this process does not run as',
    scheme: 'Negotiate',
    reason: /^SEC_E_(?:INVALID_TOKEN|LOGON_DENIED|WRONG_PRINCIPAL)$/,
    text: /ticket is for HTTP\/.* runs as .*setspn -Q/,
  },
  clock: {
    arrange: 'the clock of this machine ten minutes ahead, and time synchronisation stopped',
    scheme: 'Negotiate',
    reason: /^SEC_E_(?:TIME_SKEW|CONTEXT_EXPIRED)$/,
    text: /clocks/,
  },
  'restrict-ntlm': {
    arrange: 'policy "Network security: Restrict NTLM: Incoming NTLM traffic" on "Deny all accounts"',
    scheme: 'NTLM',
    reason: /./,
    text: /Restrict NTLM/,
  },
  'no-controller': {
    arrange: 'this machine cut off from its domain controllers; the client is given a password of the domain',
    scheme: 'NTLM',
    reason: /^SEC_E_NO_AUTHENTICATING_AUTHORITY$/,
    text: /nltest/,
  },
  'computer-account': {
    arrange: 'a client that runs as LocalSystem on another computer of the domain',
    scheme: 'Negotiate',
    text: /\$$/,
  },
};

const settings = readSettings('situation', 'host');
const chosen = settings.own('situation');
const report = await Report.begin('causes in the log');
for (const [name, situation] of Object.entries(situations)) {
  if (chosen === undefined ? situation.arrange !== undefined : chosen !== name) continue;
  if (chosen === undefined && !settings.schemes.includes(situation.scheme)) continue;
  const { arrange, scheme, packages, wrongPassword, reason, text = /^/ } = situation;
  const { credentials } = settings;
  if (wrongPassword === true && credentials === undefined) {
    report.value(name, 'left out: it needs --user');
    continue;
  }
  if (arrange !== undefined) console.log(`arrange ${arrange}`);
  const as = credentials && wrongPassword ? { ...credentials, password: `not ${credentials.password}` } : credentials;
  const options = { schemes: [scheme], ...(packages === undefined ? {} : { packages }) };
  await GuardedServer.serve(settings, options, { host: '0.0.0.0' }, async (server) => {
    const url = server.url(settings.own('host') ?? '127.0.0.1');
    const answer = await signIn(settings, server, scheme, { url, ...(as === undefined ? {} : { credentials: as }) });
    const refusal = server.refusals.at(-1);
    report.value(name, refusal ?? readWhoAmI(answer));
    if (reason === undefined) {
      const user = readWhoAmI(answer)?.name ?? 'refused';
      report.check(`${name}: admitted by name`, text.test(user), user);
      return;
    }
    report.check(`${name}: 401`, answer.status === 401, answer);
    report.check(`${name}: the reason`, reason.test(refusal?.reason ?? ''), refusal);
    report.check(`${name}: the cause`, text.test(refusal?.diagnosis ?? ''), refusal);
  });
}
if (chosen !== undefined && !(chosen in situations))
  report.fail(chosen, `is none of ${Object.keys(situations).join(', ')}`);
report.end();
