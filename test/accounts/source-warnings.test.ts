/** Warnings of an account source go to the log of who uses it. A source is made before that. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { SourceWarnings } from '../../src/accounts/source-warnings.ts';
import { createAuthenticator, smbpasswdFile } from '../../src/index.ts';
import type { Logger } from '../../src/index.ts';
import { scratchFolder } from '../lab/scratch.ts';
import { line, writeAccounts } from './smbpasswd-lines.ts';

describe('warnings of an account source', () => {
  it('of a file go to the logger, from its making on, and to no process warning', async (t) => {
    await using folder = await scratchFolder('smbpasswd');
    const path = folder.file('smbpasswd');
    writeAccounts(path, `${line('alice', 'secret')}\nbroken\n`);
    const emitted = t.mock.method(process, 'emitWarning', () => undefined);
    const warnings: string[] = [];
    const logger: Logger = {
      info: () => undefined,
      warn: (_, message) => void warnings.push(message),
      error: (_, message) => assert.fail(message),
    };
    const authenticator = createAuthenticator({ accounts: smbpasswdFile(path), provider: 'portable', logger });
    await setImmediate();
    assert.deepEqual(warnings, [`sspi-auth: ${path} line 2: the uid is not a number`]);
    assert.equal(emitted.mock.callCount(), 0);
    authenticator.close();
  });

  for (const [what, options, processWarnings] of [
    ['without a logger, process warnings', {}, 1],
    ['with logger: false, nothing', { logger: false }, 0],
  ] as const) {
    it(what, async (t) => {
      await using folder = await scratchFolder('smbpasswd');
      const path = folder.file('smbpasswd');
      writeAccounts(path, `${line('alice', 'secret')}\nbroken\n`);
      const emitted = t.mock.method(process, 'emitWarning', () => undefined);
      createAuthenticator({ accounts: smbpasswdFile(path), provider: 'portable', ...options }).close();
      await setImmediate();
      assert.equal(emitted.mock.callCount(), processWarnings);
    });
  }

  it('are process warnings where nobody uses the source', async (t) => {
    const emitted = t.mock.method(process, 'emitWarning', () => undefined);
    const warnings = new SourceWarnings(undefined);
    warnings.warn('one');
    warnings.warn('two');
    assert.equal(emitted.mock.callCount(), 0, 'an authenticator may follow');
    await setImmediate();
    assert.deepEqual(
      emitted.mock.calls.map(({ arguments: [message] }) => message),
      ['one', 'two'],
    );
  });

  it('go to each log, and to the own function of the source alone', () => {
    const seen: string[] = [];
    const receiver =
      (name: string) =>
      (message: string): void =>
        void seen.push(`${name} ${message}`);
    const warnings = new SourceWarnings(undefined);
    warnings.sendTo(receiver('a'));
    warnings.sendTo(receiver('b'));
    warnings.warn('1');
    const own = new SourceWarnings(receiver('own'));
    own.sendTo(receiver('c'));
    own.warn('2');
    assert.deepEqual(seen, ['a 1', 'b 1', 'own 2']);
  });
});
