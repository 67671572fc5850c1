/** What real clients are put through: requests of one session, and whether its user may come in. */

/** One request. */
export interface Step {
  readonly method: string;
  /** With a query, from the cell's own root. */
  readonly target: string;
  /** Bytes of the body: a key of the ground's bodies. */
  readonly body?: BodySize;
}

/** Bytes of a body. 200 KB are more than a socket's buffers hold at once, 5 MiB more than the server discards unread. */
export type BodySize = 204_800 | 5_242_880;
/** Every size. */
export const bodySizes: readonly BodySize[] = [204_800, 5_242_880];

/** A situation. */
export interface SituationDescription {
  /** As docs/clients.md says it. */
  readonly title: string;
  readonly steps: readonly Step[];
  /** Whether the credentials are good. */
  readonly admitted: boolean;
}

/** Every situation. Each begins with a new client, so that its first request has to sign in. */
export const situations = {
  get: { title: 'GET', admitted: true, steps: [{ method: 'GET', target: '/' }] },
  'post-200-kb': {
    title: 'POST of 200 KB',
    admitted: true,
    steps: [{ method: 'POST', target: '/upload', body: 204_800 }],
  },
  'post-5-mib': {
    title: 'POST of 5 MiB',
    admitted: true,
    steps: [{ method: 'POST', target: '/upload', body: 5_242_880 }],
  },
  several: {
    title: 'several requests',
    admitted: true,
    steps: [
      { method: 'GET', target: '/' },
      { method: 'GET', target: '/?a=%20b&c' },
      { method: 'POST', target: '/upload', body: 204_800 },
    ],
  },
  redirect: { title: 'redirect', admitted: true, steps: [{ method: 'GET', target: '/redirect' }] },
  /** Of Kerberos: no ticket. */
  wrong: { title: 'wrong password', admitted: false, steps: [{ method: 'GET', target: '/' }] },
} as const satisfies Readonly<Record<string, SituationDescription>>;

/** Name of a situation. */
export type Situation = keyof typeof situations;
/** Every name. */
export const situationNames = Object.keys(situations) as readonly Situation[];
