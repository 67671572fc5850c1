/** What a benchmark gives, and the arithmetic of it. */

/** One line of a table. */
export interface Row {
  /** What was measured: the same in every run, and no other row of its benchmark has it. */
  readonly name: string;
  /** Median over the rounds. */
  readonly value: number;
  readonly unit: string;
  /** The other side of the comparison, measured in the same rounds. */
  readonly baseline?: number;
  /** What this run's figures come to, such as a ratio in words. */
  readonly remark?: string;
  /** What the project wants of `value` or of the ratio, and whether it has it. */
  readonly aim?: { readonly text: string; readonly met: boolean };
  /** Every round, for whoever wants to see the spread. */
  readonly rounds: readonly number[];
  readonly baselineRounds?: readonly number[];
}

/** A file bench/*.bench.ts exports one of these as its default. */
export interface Benchmark {
  readonly name: string;
  /**
   * @param progress told what is being done, for people who wait
   * @param leaveOut told what cannot be measured here and why, so that the report names it
   * @throws PackagesUnavailableError where nothing of it can be measured on this machine
   */
  run(
    progress: (message: string) => void,
    leaveOut: (what: string, why: unknown) => undefined,
  ): Promise<readonly Row[]>;
}

/** The middle value; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? Number.NaN)) / 2;
}

/**
 * Measures several sides in turn, round by round, so that whatever else the machine does meets them alike.
 *
 * The first round warms up and is thrown away; every second round goes backwards.
 *
 * @returns the rounds of each side, in the order of `sides`
 */
export async function interleaved<Side>(
  sides: readonly Side[],
  rounds: number,
  measure: (side: Side) => Promise<number>,
): Promise<number[][]> {
  const results = sides.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    const order = [...sides.keys()];
    if (round % 2 === 1) order.reverse();
    for (const index of order) {
      const value = await measure(sides[index] as Side);
      if (round > 0) results[index]?.push(value);
    }
  }
  return results;
}

/** Median of the ratios of two sides, round by round. */
export function pairedRatio(values: readonly number[], baselines: readonly number[]): number {
  return median(values.map((value, round) => value / (baselines[round] ?? Number.NaN)));
}
