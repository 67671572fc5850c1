/** The field that says who a request of a test is from: signed, so that nobody else can write it (attack H12). */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { OptionError } from '../../src/index.ts';
import { testUser } from './test-user.ts';
import type { TestUser } from './test-user.ts';

/** The scheme of the field. No client and no other server knows it. */
export const TEST_SCHEME = 'SspiAuthTest';

/** The shortest secret, in UTF-16 units. */
const SHORTEST_SECRET = 16;

export class SignedUsers {
  readonly #key: Uint8Array;

  /**
   * @param secret shared with another process; left out: a random key of this instance
   * @throws OptionError if it is too short
   */
  constructor(secret: string | undefined) {
    if (secret !== undefined && (typeof secret !== 'string' || secret.length < SHORTEST_SECRET)) {
      const cure = `Give at least ${SHORTEST_SECRET} characters that are made anew for each run, or leave it out.`;
      throw new OptionError('secret', 'is too short', cure);
    }
    this.#key =
      secret === undefined ? randomBytes(32) : createHmac('sha256', 'sspi-auth/testing').update(secret).digest();
  }

  /** The value of the Authorization field of a user. */
  sign(user: TestUser): string {
    const text = Buffer.from(JSON.stringify(testUser(user))).toString('base64url');
    return `${TEST_SCHEME} ${text}.${this.#signature(text).toString('base64url')}`;
  }

  /** The user of a field; undefined if it was not signed by this key. */
  verify(field: string | undefined): TestUser | undefined {
    const [, text, signature] = /^\S+ ([\w-]+)\.([\w-]{43})$/.exec(field ?? '') ?? [];
    if (text === undefined || signature === undefined) return undefined;
    if (!timingSafeEqual(Buffer.from(signature, 'base64url'), this.#signature(text))) return undefined;
    return testUser(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  }

  #signature(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}
