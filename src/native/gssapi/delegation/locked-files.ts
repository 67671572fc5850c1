/**
 * The files of delegated tickets of this provider. A lock of the kernel on their folder, which ends with its process,
 * tells whether it is still in use. It counts in other containers too, and is not misled when a process number is used
 * again. systemd-tmpfiles(8) heeds it as well.
 */
import { DelegatedFiles } from '../../../kerberos/delegation/delegated-folder.ts';
import { lockFile } from './file-lock.ts';

const PREFIX = 'sspi-auth-delegated-';

export const lockedFiles = new DelegatedFiles({
  prefix: PREFIX,
  ownPrefix: PREFIX,
  lock: lockFile,
  isDead: (_, descriptor) => lockFile(descriptor) === 'locked',
});
