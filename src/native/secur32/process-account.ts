/** The account that this process runs as: its keys decrypt the tickets of clients. */
import { koffi } from '../koffi.ts';
import { NAME_SAM_COMPATIBLE } from './declarations.ts';
import type { WindowsFunctions } from './library.ts';

/** Room for `DOMAIN\account` in UTF-16 units: DNLEN and UNLEN of lmcons.h, with room to spare. */
const NAME_UNITS = 512;

const accounts = new WeakMap<WindowsFunctions, string>();

/**
 * The account of this process, by GetUserNameExW. A service that runs as LocalSystem or NetworkService has the name of
 * the computer, `CORP\WEB1$`: it is the computer's keys that count.
 *
 * @returns `DOMAIN\account`; undefined if Windows does not say it
 */
export function processAccount(functions: WindowsFunctions): string | undefined {
  let account = accounts.get(functions);
  if (account === undefined) {
    const memory = Buffer.alloc(2 * NAME_UNITS);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(NAME_UNITS, 0);
    const { address } = koffi();
    const answer = functions.GetUserNameExW(NAME_SAM_COMPATIBLE, address(memory), address(length)) & 0xff;
    const units = length.readUInt32LE(0);
    account = answer === 0 || units >= NAME_UNITS ? '' : memory.toString('utf16le', 0, 2 * units);
    accounts.set(functions, account);
  }
  return account === '' ? undefined : account;
}
