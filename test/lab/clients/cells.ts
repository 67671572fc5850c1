/** One client, one offer, one situation: run, and held against what the servers saw. */
import { runProcess } from '../process.ts';
import { scratchFolder } from '../scratch.ts';
import type { Apache } from './apache.ts';
import type { Call, RealClient } from './client.ts';
import type { Admitted, ClientGround, Framework } from './ground.ts';
import { faultOf, notYetOf } from './expectations.ts';
import { account, offers, offersFor } from './offers.ts';
import type { Offer } from './offers.ts';
import { situationNames, situations } from './situations.ts';
import type { Situation, Step } from './situations.ts';

/** What is run. */
export interface Cell {
  readonly client: RealClient;
  readonly offer: Offer;
  readonly situation: Situation;
}

/** What came of it. */
export interface CellResult {
  /** Nothing where all is as it should be, else what is not. */
  readonly wrong: string | undefined;
  /** Somebody was let in who may not be, or as somebody else. */
  readonly intruder: string | undefined;
  /** What the client printed, for who has to find out why. */
  readonly printed: string;
  /** Requests that the server saw, those of the handshake included. */
  readonly requests: number;
}

/** Milliseconds that a client may take. Their own limits are 15 seconds for a request. */
const cellTimeout = 40_000;
/** Requests that a client may send with a wrong password before it gives up. Java tries 20 handshakes. */
const mostRequestsInVain = 50;

/** The cells of a client. */
export function cellsOf(client: RealClient): Cell[] {
  const own = client.situations ?? situationNames;
  return offersFor(client.schemes).flatMap((offer) =>
    own
      .filter((situation) => offers[offer].every || situation === 'get')
      .map((situation) => ({ client, offer, situation })),
  );
}

/** What the client is told to do, as far as it can. */
function stepsOf({ client, situation }: Cell): readonly Step[] {
  const steps: readonly Step[] = situations[situation].steps;
  if (client.noQuery) return steps.map((step) => ({ ...step, target: step.target.replace(/\?.*/, '') }));
  return client.onlyGets && situation === 'several' ? steps.filter(({ body }) => body === undefined) : steps;
}

/** Tickets or an account of gss-ntlmssp, for those that take such. */
function environmentOf({ offer, situation }: Cell, { environments }: ClientGround): Readonly<Record<string, string>> {
  const { admitted } = situations[situation];
  if (offer === 'negotiate-ntlm') return admitted ? environments.ntlm : environments.wrongNtlm;
  return offers[offer].tickets && admitted ? environments.ticket : environments.noTicket;
}

/** Who the server may say it is, and by which package. */
function identities(offer: Offer, ground: ClientGround): readonly string[] {
  const byTicket = `Kerberos ${account.userName}@${ground.kdc.realm}`;
  const byNtlm = `NTLM ${account.domain}\\${account.userName}`;
  const byDigest = `Digest ${account.domain}\\${account.userName}`;
  switch (offer) {
    case 'kerberos':
    case 'scheme-kerberos':
      return [byTicket];
    case 'ntlm':
    case 'negotiate-ntlm':
      return [byNtlm];
    case 'everything':
    case 'everything-digest-first':
      return [byTicket, byNtlm, byDigest];
    default:
      return [byDigest];
  }
}

/** Who was let in, if that is not the user, or not with this password. */
function intruderAmong(cell: Cell, ground: ClientGround, admitted: readonly Admitted[]): string | undefined {
  const allowed = situations[cell.situation].admitted ? identities(cell.offer, ground) : [];
  return admitted
    .map(({ package: ran, user }) => `${ran ?? 'nothing'} ${user ?? 'nobody'}`)
    .find((who) => !allowed.includes(who));
}

/** What the user misses. */
function missing(cell: Cell, ground: ClientGround, admitted: readonly Admitted[], stdout: string): string | undefined {
  if (!situations[cell.situation].admitted) return undefined;
  const { silent } = cell.client;
  const left = [...admitted];
  for (const { target, body } of stepsOf(cell)) {
    const place = target === '/redirect' ? '/' : target;
    const asTold = (seen: Admitted): boolean => seen.target === place && seen.hash === ground.hashes[body ?? 0];
    // Such a client has a body of its own where it was told of none, and its own target.
    const inItsWay = (seen: Admitted): boolean => body === undefined || seen.hash === ground.hashes[body];
    const index = left.findIndex(silent === 'always' ? inItsWay : asTold);
    const [found] = index < 0 ? [] : left.splice(index, 1);
    if (found === undefined) return `no request for ${place} with ${body ?? 0} bytes was let in`;
    const prints = silent === undefined || (silent === 'uploads' && body === undefined);
    if (prints && !stdout.includes(found.answer)) return `${place} was answered, and the client lost it`;
  }
  if (silent === undefined && left.length > 0) return `${left.length} requests more than it was told to send`;
  return undefined;
}

/** What a client did, by its own account. */
export interface ClientRun {
  readonly stdout: string;
  /** All it printed, shortened. */
  readonly printed: string;
  /** Whether it came to an end in time. */
  readonly ended: boolean;
}

/**
 * Runs the client of a cell.
 *
 * @param port of a server on 127.0.0.1
 * @param folder first part of the targets, by which the server tells cells apart
 * @param built what the client's `build` gave
 */
export async function runClient(
  cell: Cell,
  ground: ClientGround,
  port: number,
  folder: string,
  built: string,
): Promise<ClientRun> {
  const { client, offer, situation } = cell;
  await using home = await scratchFolder('client');
  const call: Call = {
    offer,
    base: `http://localhost:${port}/${folder}`,
    steps: stepsOf(cell),
    domain: account.domain,
    userName: account.userName,
    password: situations[situation].admitted ? account.password : 'wrong',
    bodies: ground.bodies,
    krb5Config: ground.kdc.env['KRB5_CONFIG'] ?? '',
    home,
    built,
  };
  const { words, env, input } = await client.command(call);
  const neutral = { HOME: home.path, XDG_CONFIG_HOME: home.path, LC_ALL: 'C.UTF-8' };
  try {
    const { stdout, stderr } = await runProcess(words[0] ?? '', words.slice(1), {
      cwd: home.path,
      env: { ...neutral, ...environmentOf(cell, ground), ...env },
      timeout: cellTimeout,
      ...(input === undefined ? {} : { input }),
    });
    return { stdout, printed: `${stdout}${stderr}`.trim().slice(-1000), ended: true };
  } catch (error) {
    return { stdout: '', printed: error instanceof Error ? error.message : String(error), ended: false };
  }
}

let runs = 0;

/**
 * Runs a cell against this library.
 *
 * @param built what the client's `build` gave
 */
export async function runCell(
  cell: Cell,
  ground: ClientGround,
  framework: Framework,
  built: string,
): Promise<CellResult> {
  const { offer, situation } = cell;
  const folder = `cell-${++runs}`;
  const { stdout, printed, ended } = await runClient(cell, ground, await ground.port(offer, framework), folder, built);
  const { requests, admitted } = ground.seen(folder);
  const intruder = intruderAmong(cell, ground, admitted);
  let wrong = intruder === undefined ? missing(cell, ground, admitted, stdout) : `let in: ${intruder}`;
  if (wrong === undefined && !ended) wrong = 'the client did not come to an end';
  if (wrong === undefined && !situations[situation].admitted) {
    // Without a ticket some do not even ask.
    if (requests === 0 && offer !== 'kerberos') wrong = 'no request came';
    if (requests > mostRequestsInVain) wrong = `${requests} requests in vain`;
  }
  return { wrong, intruder, printed, requests };
}

/**
 * Runs a cell against Apache httpd.
 *
 * @returns as of runCell; the number of requests is of those that Apache had logged by then
 */
export async function runAtApache(
  cell: Cell,
  ground: ClientGround,
  apache: Apache,
  built: string,
): Promise<CellResult> {
  const port = apache.port(cell.offer);
  if (port === undefined) throw new Error(`Apache has nothing like ${cell.offer}`);
  const folder = `cell-${++runs}`;
  const { stdout, printed, ended } = await runClient(cell, ground, port, folder, built);
  const steps = stepsOf(cell);
  const uploads = steps.filter(({ body }) => body !== undefined);
  const logged = await apache.log(folder, uploads.length);
  let wrong: string | undefined;
  if (!ended) wrong = 'the client did not come to an end';
  if (stdout.split(apache.page).length - 1 < steps.length) wrong = 'the client got no page';
  for (const { target, body = 0 } of uploads) {
    const whole = logged.some((seen) => seen.target === target && seen.received > body && seen.status === 200);
    if (!whole) wrong ??= `no request for ${target} with ${body} bytes was let in`;
  }
  return { wrong, intruder: undefined, printed, requests: logged.length };
}

/** Names a cell, in tests and messages. */
export function cellName({ client, offer, situation }: Cell): string {
  return `${client.name}, ${offers[offer].title}, ${situations[situation].title}`;
}

/**
 * What is alike in cells of which one will do for `npm test`: every client signs in by every scheme that it knows, and is
 * kept out once; the other situations are tried once for each scheme, and once for each kind of fault.
 */
export function kindOf(cell: Cell): string {
  const { client, offer, situation } = cell;
  const family = /^(?:digest|everything)/.exec(offer)?.[0] ?? offer;
  const outcome = faultOf(cell) ? 'fault' : notYetOf(cell) ? 'not yet' : 'right';
  if (situation === 'get') return [client.name, family, situation, outcome].join();
  if (situation === 'wrong') return [client.name, situation].join();
  return [family, situation, outcome].join();
}
