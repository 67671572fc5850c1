/**
 * The Authenticators that were accepted, as empty files in a folder: a file that is made exclusively (`O_EXCL`) exists
 * once for all processes, worker threads and copies of this library that use the folder, on NFS since version 3 too.
 *
 * The folder has a subfolder for each period of the Authenticators' own time (`replay-periods.ts`). When nobody accepts
 * a period any more, its subfolder is renamed to `….gone`, emptied in the background, and the last such name stays: it
 * tells every process, also after the clock was set back, that Authenticators up to there may have been forgotten
 * (attack D25).
 */
import { closeSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../foundation/clock.ts';
import type { Clock } from '../foundation/clock.ts';
import { SspiAuthError } from '../foundation/errors.ts';
import { HashSet } from './hash-set.ts';
import { checkReplayFolder, codeOf, reasonOf, SINCE } from './replay-folder-place.ts';
import { removeGoneFolders } from './replay-folder-removal.ts';
import { lastPastPeriod, periodOf } from './replay-periods.ts';

/** Options of a replay folder. */
export interface ReplayFolderOptions {
  /** Absolute path. */
  readonly path: string;
  /** Clock skew that is allowed, in milliseconds. */
  readonly skew: number;
  readonly clock: Clock;
  /** Name of the option that named the folder, for errors. */
  readonly option: string;
  /** How many hashes are remembered in memory as well. Beyond, the folder alone knows. Default: 1 000 000. */
  readonly maximumInMemory?: number;
}

/** Bytes of a hash that name its file. */
const NAME_BYTES = 16;
/** Time between two looks for periods that are past, in milliseconds. */
const TIDY_INTERVAL = 60_000;

export class ReplayFolder {
  readonly #path: string;
  readonly #skew: number;
  readonly #clock: Clock;
  readonly #option: string;
  readonly #maximumInMemory: number;
  /** What this process has seen in the folder, by period: a replay is mostly noticed without the file system. */
  readonly #memory = new Map<number, HashSet>();
  #inMemory = 0;
  /** Periods whose subfolder was there. If one is not there any more, somebody has removed it. */
  readonly #opened = new Set<number>();
  /** Authenticators of this period and of earlier ones may have been forgotten. */
  #gone = -1;
  /** When the folder began to remember, in milliseconds since 1970-01-01 UTC. */
  #since = 0;
  #tidiedAt: number;
  #removal: Promise<void> = Promise.resolve();
  #closed = false;

  /** @throws OptionError with path and cure if the folder cannot be used */
  constructor({ path, skew, clock, option, maximumInMemory = 1_000_000 }: ReplayFolderOptions) {
    this.#path = path;
    this.#skew = skew;
    this.#clock = clock;
    this.#option = option;
    this.#maximumInMemory = maximumInMemory;
    checkReplayFolder(path, clock.now(), option);
    this.#tidiedAt = clock.elapsed();
    this.#tidy();
  }

  /** Settles when what is being removed in the background is removed. */
  get removal(): Promise<void> {
    return this.#removal;
  }

  /**
   * Remembers an Authenticator.
   *
   * @param hash of its ciphertext, at least 16 bytes
   * @param ctime time of the client in it, in milliseconds since 1970-01-01 UTC
   * @returns true if it was not accepted before, by any process that uses the folder
   * @throws SspiAuthError `ERR_SSPI_AUTH_STORE` if that cannot be known: it must be refused then
   */
  claim(hash: Buffer, ctime: number): boolean {
    const period = periodOf(ctime);
    if (!(period >= 0)) throw failed(`has no period for the time ${ctime}`);
    const remembered = this.#memory.get(period);
    if (remembered?.has(hash) === true) return false;
    if (this.#clock.elapsed() - this.#tidiedAt >= TIDY_INTERVAL) this.#tidy();
    this.#checkAge(period, ctime);
    const name = hash.toString('hex', 0, NAME_BYTES);
    const isNew = this.#make(period, name) ?? this.#makeInNewPeriod(period, ctime, name);
    this.#keep(period, hash);
    return isNew;
  }

  /** Ends the work in the background after the file that it is at. */
  close(): void {
    this.#closed = true;
  }

  #checkAge(period: number, ctime: number): void {
    if (period <= this.#gone) {
      throw failed(`has forgotten the time of this token: was the clock of this server set back?`);
    }
    if (ctime < this.#since) {
      if (this.#since === Infinity) throw failed(`${this.#path} does not tell since when it remembers: remove it`);
      const since = new Date(this.#since).toISOString();
      throw failed(
        `remembers since ${since}, and the token is older: it may have been accepted before. If the clock was wrong ` +
          `then, remove ${this.#path}`,
      );
    }
  }

  /** @returns whether the file was made; undefined if its subfolder is not there */
  #make(period: number, name: string): boolean | undefined {
    try {
      closeSync(openSync(join(this.#path, String(period), name), 'wx', 0o600));
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      if (codeOf(error) === 'ENOENT') return undefined;
      throw failed(`cannot be written to (${reasonOf(error)})`);
    }
  }

  #makeInNewPeriod(period: number, ctime: number, name: string): boolean {
    try {
      const since = this.#since;
      // Makes the folder anew if it was removed: then it remembers since now, and this token is older.
      checkReplayFolder(this.#path, this.#clock.now(), this.#option);
      this.#readMarks();
      if (this.#since !== since) this.#opened.clear();
      if (this.#opened.has(period) && period > this.#gone) {
        mkdirSync(join(this.#path, `${period}.gone`), { mode: 0o700 });
        this.#gone = period;
      }
      this.#checkAge(period, ctime);
      mkdirSync(join(this.#path, String(period)), { mode: 0o700, recursive: true });
      this.#opened.add(period);
    } catch (error) {
      if (error instanceof SspiAuthError && error.code === 'ERR_SSPI_AUTH_STORE') throw error;
      throw failed(`${this.#path} cannot be used any more (${reasonOf(error)})`);
    }
    const isNew = this.#make(period, name);
    if (isNew === undefined) throw failed(`${this.#path} was removed while it was used`);
    return isNew;
  }

  #keep(period: number, hash: Buffer): void {
    if (this.#inMemory >= this.#maximumInMemory) return;
    let hashes = this.#memory.get(period);
    if (hashes === undefined) {
      const seed = systemRandom(4);
      hashes = new HashSet(new DataView(seed.buffer, seed.byteOffset).getUint32(0));
      this.#memory.set(period, hashes);
    }
    hashes.add(hash);
    this.#inMemory++;
  }

  /** Reads from the folder what was forgotten. @returns the names in the folder */
  #readMarks(): readonly string[] {
    const names = readdirSync(this.#path);
    let since = Infinity;
    for (const name of names) {
      const gone = /^(\d+)\.gone$/.exec(name)?.[1];
      if (gone !== undefined) this.#gone = Math.max(this.#gone, Number(gone));
      if (name.startsWith(SINCE)) since = Math.min(since, Number(name.slice(SINCE.length)));
    }
    // Without such a file, somebody has meddled with the folder: nothing in it can be trusted.
    this.#since = Number.isFinite(since) ? since : Infinity;
    return names;
  }

  /** Retires the periods that are past. What they hold is removed in the background. */
  #tidy(): void {
    this.#tidiedAt = this.#clock.elapsed();
    const last = lastPastPeriod(this.#clock.now(), this.#skew);
    for (const [period, hashes] of this.#memory) {
      if (period > last) continue;
      this.#memory.delete(period);
      this.#inMemory -= hashes.size;
    }
    for (const period of this.#opened) if (period <= last) this.#opened.delete(period);
    try {
      for (const name of this.#readMarks()) {
        if (!/^\d+$/.test(name) || Number(name) > last) continue;
        retire(this.#path, name);
        this.#gone = Math.max(this.#gone, Number(name));
      }
    } catch {
      // Whatever is wrong with the folder, the next claim says it.
      return;
    }
    this.#removal = this.#removal.then(() => removeGoneFolders(this.#path, () => this.#closed));
  }
}

function retire(path: string, name: string): void {
  try {
    renameSync(join(path, name), join(path, `${name}.gone`));
  } catch (error) {
    // Another process was first.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function failed(problem: string): SspiAuthError {
  return new SspiAuthError('ERR_SSPI_AUTH_STORE', `sspi-auth: the replay folder ${problem}`);
}
