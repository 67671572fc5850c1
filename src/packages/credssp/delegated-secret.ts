/** The password that a client gave away, for as long as its context lives. */
import { utf16leToUtf8 } from '../../formats/utf16.ts';
import type { TsPasswordCreds } from '../../formats/credssp/ts-credentials.ts';
import type { DelegatedPassword } from '../../sspi/security-package.ts';

const wiped = Buffer.alloc(0);

/** The password is a private field: nothing that prints or copies the object shows it (attack G04). */
export class DelegatedSecret implements DelegatedPassword {
  readonly kind = 'password';
  readonly domain: string;
  readonly userName: string;
  #password: Buffer;

  /**
   * @param credentials not kept: the caller wipes its bytes
   * @throws MalformedTokenError if the password is not UTF-16LE
   */
  constructor({ domain, userName, password }: TsPasswordCreds) {
    this.domain = domain;
    this.userName = userName;
    this.#password = utf16leToUtf8(password, 'password');
    Object.freeze(this);
  }

  get password(): Buffer {
    return this.#password;
  }

  wipe(): void {
    this.#password.fill(0);
    this.#password = wiped;
  }
}
