/** The log of a planted server, as an administrator reads it: a line for each record. */

/** Lines, and a way to wait for one. */
export class PlantLog {
  readonly #lines: string[] = [];
  readonly #watchers = new Set<() => void>();

  /** Every line up to now. */
  get lines(): readonly string[] {
    return [...this.#lines];
  }

  /** Appends a line. */
  add(line: string): void {
    this.#lines.push(line);
    for (const watcher of this.#watchers) watcher();
  }

  /**
   * The first line that matches, as soon as it is there. Where none comes, undefined after a while: long enough for a
   * line that is written when a client stays away.
   */
  find(matches: (line: string) => boolean, milliseconds = 5_000): Promise<string | undefined> {
    return new Promise((resolve) => {
      const finish = (line: string | undefined): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        resolve(line);
      };
      const look = (): void => {
        const found = this.#lines.find(matches);
        if (found !== undefined) finish(found);
      };
      const timer = setTimeout(() => finish(undefined), milliseconds);
      this.#watchers.add(look);
      look();
    });
  }
}

/** A record and its message on one line, as loggers print them. */
export function logLine(level: string, record: object, message: string): string {
  const fields = Object.entries(record).flatMap(([name, value]: [string, unknown]) => {
    if (value === undefined || name === 'durationMilliseconds') return [];
    return [`${name}=${value instanceof Error ? value.message : printed(value)}`];
  });
  return [level, message, ...fields].join(' ');
}

function printed(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A logger that writes to a log. */
export function plantLogger(write: (line: string) => void): Record<'debug' | 'info' | 'warn' | 'error', LogMethod> {
  const method =
    (level: string): LogMethod =>
    (record, message) =>
      write(logLine(level, record, message));
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') };
}

type LogMethod = (record: object, message: string) => void;
