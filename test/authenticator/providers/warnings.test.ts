/** Where warnings of packages go. */
import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { parseOptions } from '../../../src/authenticator/options.ts';
import { warningReceiver } from '../../../src/authenticator/providers/warnings.ts';

const message = 'sspi-auth: something is wrong';

describe('a warning of a package', () => {
  it('is a line of the log, once for an authenticator', () => {
    const lines: unknown[] = [];
    const other = (): never => assert.fail('another level');
    const logger = { warn: (...line: unknown[]) => void lines.push(line), info: other, error: other };
    for (let authenticator = 0; authenticator < 2; authenticator++) {
      const settings = parseOptions({ logger });
      for (let scheme = 0; scheme < 2; scheme++) warningReceiver(settings)(message);
    }
    assert.deepEqual(lines, [
      [{}, message],
      [{}, message],
    ]);
  });

  it('is a process warning where there is no logger, and nothing where none is wanted', () => {
    const emitted = mock.method(process, 'emitWarning', () => undefined);
    try {
      warningReceiver(parseOptions({}))(message);
      warningReceiver(parseOptions({ logger: false }))(message);
    } finally {
      emitted.mock.restore();
    }
    assert.deepEqual(
      emitted.mock.calls.map((call) => call.arguments),
      [[message, { type: 'SspiAuthWarning' }]],
    );
  });
});
