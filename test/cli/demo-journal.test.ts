import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { journal } from '../../src/cli/demo-journal.ts';

describe('what the demo prints', () => {
  const printed = (write: (logger: ReturnType<typeof journal>) => void): readonly string[] => {
    const lines: string[] = [];
    write(
      journal(
        (line) => void lines.push(line),
        () => new Date(2026, 0, 1, 12, 30, 15),
      ),
    );
    return lines;
  };

  it('has the cause of a failure, on one line', () => {
    const lines = printed((logger) => {
      logger.error({ err: new TypeError('the source\nis broken'), where: 'the account source' }, 'sspi-auth: failed');
      logger.error({}, 'sspi-auth: failed');
    });
    assert.deepEqual(lines, ['sspi-auth: failed: TypeError: the source\\u000ais broken', 'sspi-auth: failed']);
  });

  it('has a whole diagnosis', () => {
    const diagnosis = `${'word '.repeat(60)}and the cure`;
    const [line = ''] = printed((logger) =>
      logger.warn({ reason: 'SEC_E_LOGON_DENIED', diagnosis, durationMilliseconds: 1 }, 'refused'),
    );
    assert.match(line, /^12:30:15 {2}refused .*SEC_E_LOGON_DENIED .*and the cure\)$/);
  });
});
