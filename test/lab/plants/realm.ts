/** A realm of an MIT KDC that plants share: its services, users with tickets, and keytabs made as administrators make them. */
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { SspiAuthOptions } from '../../../src/index.ts';
import { curl } from '../curl.ts';
import { startKdc } from '../kdc.ts';
import type { Kdc } from '../kdc.ts';
import { runChecked } from '../process.ts';
import { named, serve } from './site.ts';
import type { Site } from './site.ts';

/** Environment of a client. */
export type ClientEnv = Readonly<Record<string, string>>;

/** The ground. */
export interface Realm extends AsyncDisposable {
  readonly kdc: Kdc;
  /** A client that has a ticket-granting ticket. */
  readonly alice: ClientEnv;
}

/** Starts a KDC with services of the web and of the machine; this process sees it, too. */
export async function startRealm(): Promise<Realm> {
  const kdc = await startKdc({ services: ['HTTP/localhost', 'HTTP/web.test.local'] });
  Object.assign(process.env, kdc.env);
  const alice = await kdc.signIn('alice');
  return { kdc, alice, [Symbol.asyncDispose]: () => kdc.stop() };
}

let files = 0;

/** A path in the realm's folder that no other plant has. */
export function newFile({ kdc }: Pick<Realm, 'kdc'>, name: string): string {
  return kdc.file(`${++files}-${name}`);
}

/** A keytab with the keys of services as the KDC has them; it makes the services that it does not have. */
export async function exported(realm: Realm, services: readonly string[]): Promise<string> {
  const keytab = newFile(realm, 'exported.keytab');
  await realm.kdc.administer(
    services.flatMap((service) => [`addprinc -randkey ${service}`, `ktadd -norandkey -k ${keytab} ${service}`]),
  );
  return keytab;
}

/** A service that no other plant has, and the keytab that has its key and no other, at kvno 1. */
export interface Service {
  readonly host: string;
  readonly principal: string;
  readonly keytab: string;
}

/** Makes a service. */
export async function newService(realm: Realm): Promise<Service> {
  const host = `site${++files}.test.local`;
  const principal = `HTTP/${host}`;
  return { host, principal, keytab: await exported(realm, [principal]) };
}

/** Serves with the keytab of a service, under its name. */
export async function serveService(
  { host, keytab }: Service,
  options: SspiAuthOptions<IncomingMessage> = {},
): Promise<Site> {
  return named(await serve({ ...options, keytab }), host);
}

/** One entry as `ktutil` adds it. */
export interface TypedEntry {
  readonly principal: string;
  readonly kvno: number;
  readonly password: string;
  /** Default aes256-cts-hmac-sha1-96. */
  readonly type?: string;
}

/** A keytab that somebody has typed into ktutil. */
export async function typed(realm: Realm, entries: readonly TypedEntry[]): Promise<string> {
  const keytab = newFile(realm, 'typed.keytab');
  const lines = entries.flatMap(({ principal, kvno, password, type = 'aes256-cts-hmac-sha1-96' }) => [
    `addent -password -p ${principal} -k ${kvno} -e ${type}`,
    password,
  ]);
  await runChecked('ktutil', [], { env: realm.kdc.env, input: `${lines.join('\n')}\nwkt ${keytab}\nq\n` });
  return keytab;
}

/** The realm's krb5.conf, changed. */
export async function changedConfiguration(realm: Realm, change: (text: string) => string): Promise<string> {
  const path = newFile(realm, 'krb5.conf');
  const text = await runChecked('cat', [realm.kdc.file('krb5.conf')]);
  await writeFile(path, change(text));
  return path;
}

/** The last status that curl gets with the user's ticket, for a URL whose host is this machine. */
export async function negotiateStatus(url: string, env: ClientEnv, ...more: readonly string[]): Promise<number> {
  const { hostname, port } = new URL(url);
  const resolve = ['--resolve', `${hostname}:${port}:127.0.0.1`];
  return (await curl(['--negotiate', '-u', ':', ...resolve, ...more, url], { env })).status;
}
