/** Declares what a live test runs against: `const ready = await tier('browsers'); describe('…', ready, () => …)`. */
import { isDebian, requirePackages } from './debian.ts';
import { recordTier } from './tier-record.ts';
import type { TierName } from './tiers.ts';

/** Options for `describe` or `it`: runs them where the tier can run, else leaves them out and says why. */
export interface TierReadiness {
  readonly skip: string | false;
}

/** Whether a tier that cannot run fails the tests: in CI on Debian, where everything can be installed. */
export function tiersAreMandatory(): boolean {
  return process.env['CI'] === 'true' && isDebian();
}

/**
 * Declares the tier of a test file and makes it ready.
 *
 * @param packages Debian packages beyond those the tier always needs
 * @param probe what else must hold, such as being root; throws to say what is missing
 * @returns options for describe and it
 * @throws Error where the tier cannot run and must (CI on Debian)
 */
export async function tier(
  name: TierName,
  packages: readonly string[] = [],
  probe: () => void | Promise<void> = () => undefined,
): Promise<TierReadiness> {
  try {
    await requirePackages(name, packages);
    await probe();
    return { skip: false };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    recordTier(name, reason);
    if (tiersAreMandatory()) throw error;
    return { skip: `tier ${name} could not run: ${reason}` };
  }
}
