/** Which build of sspi-auth a measured server runs: ours, or that of another checkout beside it. */
import { fileURLToPath } from 'node:url';

/** Environment variable with the root of the other checkout. */
export const againstVariable = 'SSPI_AUTH_BENCH_AGAINST';

/** A build, by the root of its checkout. */
export interface MeasuredBuild {
  /** For rows: empty for our own. */
  readonly label: string;
  readonly root: string;
}

export const ownBuild: MeasuredBuild = { label: '', root: fileURLToPath(new URL('..', import.meta.url)) };

/** The build of the other checkout, where `--against` names one. */
export function otherBuild(): MeasuredBuild | undefined {
  const root = process.env[againstVariable];
  return root === undefined ? undefined : { label: ' of the other checkout', root };
}
