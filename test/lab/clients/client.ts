/** A real client: a program or library that nobody here wrote, and how to have it send some requests. */
import type { ScratchFolder } from '../scratch.ts';
import type { ClientScheme, Offer } from './offers.ts';
import type { BodySize, Situation, Step } from './situations.ts';

/** One run of a client. */
export interface Call {
  readonly offer: Offer;
  /** `http://localhost:<port>/<cell>`: targets of steps follow it. */
  readonly base: string;
  readonly steps: readonly Step[];
  readonly domain: string;
  readonly userName: string;
  readonly password: string;
  /** Files with the bodies. */
  readonly bodies: Readonly<Record<BodySize, string>>;
  /** Path of a krb5.conf. */
  readonly krb5Config: string;
  /** The run's own folder, which is its HOME. */
  readonly home: ScratchFolder;
  /** What `build` gave. */
  readonly built: string;
}

/** A program to run. */
export interface Command {
  readonly words: readonly string[];
  /** Added to the environment with tickets or account that every client gets. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Where a client comes from. */
export type ClientSource = { readonly debian: string; readonly with?: readonly string[] } | { readonly npm: string };

/** A client. */
export interface RealClient {
  /** As docs/clients.md calls it. */
  readonly name: string;
  /** Its version, as far as Debian or npm's lock file pins it: updates within it change nothing here. */
  readonly version: string;
  readonly source: ClientSource;
  /** Whether it belongs to the core: what it needs is small. */
  readonly core: boolean;
  /** What it knows. */
  readonly schemes: readonly ClientScheme[];
  /** Those it can be put into; left out: all. */
  readonly situations?: readonly Situation[];
  /** A run of it sends one kind of request: where there are several, they are GETs. */
  readonly onlyGets?: true;
  /** It knows files, and no queries. */
  readonly noQuery?: true;
  /**
   * Whose answers it prints none of, so that what the server saw has to do: of uploads, or of anything, where it sends
   * other requests than it was told as well.
   */
  readonly silent?: 'uploads' | 'always';
  /** What its user has to do or to know. Markdown, whole sentences. */
  readonly needs?: string;
  /**
   * Makes a program of it, once for all runs.
   *
   * @param folder to write to
   * @returns what `command` wants to know, such as a path
   */
  readonly build?: (folder: string) => Promise<string>;
  readonly command: (call: Call) => Command | Promise<Command>;
}

/** `DOMAIN\user` for NTLM, else the name, which goes for Digest and for NTLM. */
export function accountName({ offer, domain, userName }: Call): string {
  return offer.endsWith('ntlm') ? `${domain}\\${userName}` : userName;
}

/** A step as the programs of programs/ have it: `METHOD TARGET` or `METHOD TARGET FILE`. */
export function stepWords({ steps, bodies }: Call): string[] {
  return steps.map(({ method, target, body }) => [method, target, ...(body ? [bodies[body]] : [])].join(' '));
}

/** The words of those programs, after their own name. */
export function programWords(client: string, call: Call): string[] {
  return [client, call.offer, call.base, accountName(call), call.password, ...stepWords(call)];
}

/** Path of a file of programs/. */
export function programFile(name: string): string {
  return new URL(`programs/${name}`, import.meta.url).pathname;
}
