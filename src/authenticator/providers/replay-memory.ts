/** Where Kerberos without a library remembers authenticators: a store, else a folder. */
import { OptionError } from '../../foundation/errors.ts';
import { portableKerberosOptions } from '../../packages/kerberos/index.ts';
import type { ReplayMemory } from '../../packages/kerberos/index.ts';
import { ReplayFolder } from '../../stores/replay-folder.ts';
import { defaultReplayFolder, replayFolderPath } from '../../stores/replay-folder-place.ts';
import { StoreReplay } from '../../stores/store-replay.ts';
import type { SchemeSettings } from '../options.ts';

/** By the list of options that were given, which all settings of one authenticator share. */
const memories = new WeakMap<object, ReplayMemory>();

/**
 * The replay memory of an authenticator: one for all its schemes.
 *
 * @returns false if option `replayCache` is false
 * @throws OptionError with path and cure if the folder cannot be used, or if two places are named
 */
export function replayMemory(settings: SchemeSettings): ReplayMemory | false {
  const { replayCache = true, store, given } = settings;
  if (store !== undefined && replayCache !== true) {
    throw new OptionError('replayCache', 'is given beside "store"', 'Leave one of the two out.');
  }
  if (replayCache === false) return false;
  let memory = memories.get(given);
  if (memory === undefined) {
    memory = makeMemory(settings);
    memories.set(given, memory);
  }
  return memory;
}

function makeMemory({ replayCache, store, clock, clockSkewMilliseconds }: SchemeSettings): ReplayMemory {
  const skew = clockSkewMilliseconds ?? portableKerberosOptions.clockSkewMilliseconds.default ?? 0;
  if (store !== undefined) return new StoreReplay({ store, skew, clock });
  const option = 'replayCache';
  const path = typeof replayCache === 'string' ? replayFolderPath(replayCache, option) : defaultReplayFolder();
  return new ReplayFolder({ path, skew, clock, option });
}
