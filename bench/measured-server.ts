/** A server on one core, whoever made it. */
export interface MeasuredServer extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** Microseconds of processor time of all its processes since they started. */
  processorTime(): Promise<number>;
}
