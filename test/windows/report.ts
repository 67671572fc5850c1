/** What a script of the kit prints: `pass`, `fail` or `value` at the beginning of a line. Exit code 1 if anything failed. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { hostname, release, version } from 'node:os';
import { processAccount } from './programs.ts';

export class Report {
  #passed = 0;
  #failed = 0;

  /** Prints where this runs. */
  static async begin(title: string): Promise<Report> {
    const { version: packageVersion } = JSON.parse(
      readFileSync(createRequire(import.meta.url).resolve('sspi-auth/package.json'), 'utf8'),
    ) as { version: string };
    const report = new Report();
    console.log(`# ${title}`);
    report.value('machine', `${hostname()}, ${process.platform} ${process.arch}, ${version()} (${release()})`);
    report.value('programs', `Node ${process.version}, sspi-auth ${packageVersion}`);
    report.value('this process runs as', await processAccount());
    return report;
  }

  pass(what: string): void {
    this.#passed++;
    console.log(`pass   ${what}`);
  }

  fail(what: string, why: unknown): void {
    this.#failed++;
    process.exitCode = 1;
    console.log(`fail   ${what}: ${textOf(why)}`);
  }

  /** @param found printed if it is not so */
  check(what: string, holds: boolean, found: unknown): void {
    if (holds) this.pass(what);
    else this.fail(what, found);
  }

  /** Something that nobody knows beforehand: please report it. */
  value(what: string, found: unknown): void {
    console.log(`value  ${what}: ${textOf(found)}`);
  }

  end(): void {
    console.log(`# ${this.#passed} passed, ${this.#failed} failed`);
  }
}

function textOf(found: unknown): string {
  if (found instanceof Error) return found.message;
  return typeof found === 'string' ? found : (JSON.stringify(found) ?? 'nothing');
}
