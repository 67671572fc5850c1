/** Warnings of packages, on their way to the log. */
import { auditOf } from '../audit.ts';
import type { SchemeSettings } from '../options.ts';

const receivers = new WeakMap<SchemeSettings, (message: string) => void>();

/**
 * Where a package of an authenticator tells its warnings: option `logger`. Without that option a warning is a process
 * warning; with `logger: false` it goes nowhere. Several schemes can have the same warning. Each is written once.
 */
export function warningReceiver(settings: SchemeSettings): (message: string) => void {
  let receiver = receivers.get(settings);
  if (receiver === undefined) {
    const audit = auditOf(settings);
    const written = new Set<string>();
    receiver = (message) => {
      if (written.has(message)) return;
      written.add(message);
      audit.warn(message);
    };
    receivers.set(settings, receiver);
  }
  return receiver;
}
