import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLoopback, parseCommandLine, UsageError } from '../../src/cli/command-line.ts';

const defaults = { port: undefined, host: '127.0.0.1', password: undefined };

const understood = [
  { words: ['--help'], command: { type: 'help' } },
  { words: ['-h'], command: { type: 'help' } },
  { words: ['demo', '--help'], command: { type: 'help' } },
  { words: ['--version'], command: { type: 'version' } },
  { words: ['demo'], command: { type: 'demo', options: defaults } },
  { words: ['demo', '--port', '0'], command: { type: 'demo', options: { ...defaults, port: 0 } } },
  { words: ['demo', '-p', '65535'], command: { type: 'demo', options: { ...defaults, port: 65535 } } },
  { words: ['demo', '--host=::1'], command: { type: 'demo', options: { ...defaults, host: '::1' } } },
  {
    words: ['demo', '--password', 'a b:c'],
    command: { type: 'demo', options: { ...defaults, password: 'a b:c' } },
  },
  { words: ['decode'], command: { type: 'decode', text: undefined } },
  { words: ['decode', '-'], command: { type: 'decode', text: undefined } },
  { words: ['decode', 'TlRM'], command: { type: 'decode', text: 'TlRM' } },
  { words: ['decode', 'NTLM', 'TlRM'], command: { type: 'decode', text: 'NTLM TlRM' } },
];

const refused = [
  { words: [], message: /no command/ },
  { words: ['serve'], message: /unknown command "serve"; the commands are demo, decode and keytab/ },
  { words: ['demo', 'now'], message: /no argument "now"/ },
  { words: ['demo', '--prot', '1'], message: /Unknown option '--prot'/ },
  { words: ['demo', '--port'], message: /--port/ },
  { words: ['demo', '--port', '65536'], message: /--port is "65536"; give a number from 0 to 65535/ },
  { words: ['demo', '--port', '8o8o'], message: /--port is "8o8o"/ },
  { words: ['demo', '--port', ''], message: /--port is ""/ },
  { words: ['demo', '--port=-1'], message: /--port is "-1"/ },
  { words: ['demo', '--host', 'a b'], message: /--host is "a b"/ },
  { words: ['demo', '--password', ''], message: /--password is empty/ },
  { words: ['demo', '--password', 'a\nb'], message: /control character/ },
  { words: ['decode', '--port', '1', 'x'], message: /decode has no option --port/ },
];

describe('command line', () => {
  for (const { words, command } of understood) {
    it(`understands ${JSON.stringify(words)}`, () => assert.deepEqual(parseCommandLine(words), command));
  }
  for (const { words, message } of refused) {
    it(`refuses ${JSON.stringify(words)}`, () => {
      assert.throws(
        () => parseCommandLine(words),
        (error) => {
          assert.ok(error instanceof UsageError);
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /\n/);
          return true;
        },
      );
    });
  }
  for (const [host, expected] of [
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['LOCALHOST', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['127.0.0.1.example.com', false],
  ] as const) {
    it(`${host} is ${expected ? '' : 'not '}loopback`, () => assert.equal(isLoopback(host), expected));
  }
});
