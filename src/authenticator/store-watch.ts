/** Option `store`, with a deadline for each operation and lines in the log for its outages. */
import { watchedStore } from '../stores/watched-store.ts';
import { auditOf } from './audit.ts';
import type { Settings } from './options.ts';

/** The settings with a store that is watched, if there is one. */
export function withWatchedStore<R, C extends readonly unknown[]>(settings: Settings<R, C>): Settings<R, C> {
  const { store, clock, limits } = settings;
  if (store === undefined) return settings;
  const audit = auditOf(settings);
  const watched = watchedStore(store, {
    deadline: limits.storeMilliseconds,
    clock,
    away: (error) => audit.storeAway(error),
    back: (milliseconds, failed) => audit.storeBack(milliseconds, failed),
  });
  return Object.freeze({ ...settings, store: watched });
}
