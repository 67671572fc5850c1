/** What a run of the benchmarks found on one Node, and how people are shown it. */
import type { Row } from './measurement.ts';

/** One file of `.scratch/bench/`. */
export interface Report {
  readonly machine: {
    /** Such as `v24.22.3`. */
    readonly node: string;
    readonly v8: string;
    readonly openssl: string;
    readonly platform: string;
    readonly processor: string | undefined;
    readonly cores: number;
    readonly memoryBytes: number;
    readonly loadAverageAtStart: number;
    readonly loadAverageAtEnd: number;
    /** ISO 8601. */
    readonly date: string;
  };
  /** Rows by the name of their benchmark. */
  readonly report: Readonly<Record<string, readonly Row[]>>;
  /** What could not be had on this machine, and what went wrong: by name, with the reason. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly failed: Readonly<Record<string, string>>;
}

function shown(value: number): string {
  return value.toFixed(Math.abs(value) < 100 ? 1 : 0);
}

/** What a row came to: figures, ratio and whether it has what the project wants. */
function figuresOf({ value, baseline, unit, remark, aim }: Row): string {
  const against = baseline === undefined ? '' : `  (bare or other side: ${shown(baseline)})`;
  const result = aim === undefined ? '' : `  [${aim.met ? 'met' : 'NOT MET'}: ${aim.text}]`;
  return `${shown(value)} ${unit}${against}${remark === undefined ? '' : `  ${remark}`}${result}`;
}

/** The rows of one benchmark on one Node. */
export function table(rows: readonly Row[]): string {
  return rows.map((row) => `  ${row.name}\n    ${figuresOf(row)}`).join('\n');
}

/** Every row with what it came to on each Node. */
export function tableByNode(reports: readonly Report[]): string {
  const lines: string[] = [];
  for (const benchmark of new Set(reports.flatMap(({ report }) => Object.keys(report)))) {
    lines.push('', benchmark);
    const rowsOf = ({ report }: Report): readonly Row[] => report[benchmark] ?? [];
    for (const name of new Set(reports.flatMap((report) => rowsOf(report).map((row) => row.name)))) {
      lines.push(`  ${name}`);
      for (const report of reports) {
        const row = rowsOf(report).find((candidate) => candidate.name === name);
        lines.push(`    ${report.machine.node.padEnd(10)} ${row === undefined ? 'not measured' : figuresOf(row)}`);
      }
    }
  }
  return lines.join('\n');
}
