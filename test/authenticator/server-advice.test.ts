/** Advice about the server, which Node's own defaults give cause for. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { ServerOptions } from 'node:http';
import { describe, it } from 'node:test';
import { sspiAuth } from '../../adapters/node.ts';
import { memoryAccounts, recommendedServerOptions } from '../../src/index.ts';
import type { SspiAuthOptions } from '../../src/index.ts';
import { listen } from '../lab/ports.ts';
import { FakeSocket, scripted, usualScript } from './scripted-authenticator.ts';

const accounts = memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]);

/** The ids of the advice that two requests give cause for. */
async function advice(server: ServerOptions, options: SspiAuthOptions = {}): Promise<readonly unknown[]> {
  const given: unknown[] = [];
  const logger = {
    info: () => undefined,
    warn: (record: object, message: string): void => {
      if (!('advice' in record)) return;
      assert.match(message, /^sspi-auth: create the server with recommendedServerOptions: .*, less than \d+: /);
      given.push(record.advice);
    },
    error: (_: object, message: string) => assert.fail(message),
  };
  const protect = sspiAuth({ accounts, logger, ...options });
  await using listening = await listen(
    createServer(
      server,
      protect((_request, response) => response.end()),
    ),
  );
  for (let count = 0; count < 2; count++) assert.equal((await fetch(listening.origin)).status, 401);
  protect.close();
  return given;
}

describe('advice about the server', () => {
  it('a sign-in of NTLM does not outlive five seconds of Node: told once', async () => {
    assert.deepEqual(await advice({ keepAliveTimeout: 5000 }), ['keep-alive-short']);
    assert.deepEqual(await advice({ keepAliveTimeout: 29_999 }), ['keep-alive-short']);
    assert.deepEqual(await advice({ keepAliveTimeout: 30_000 }), []);
    assert.deepEqual(await advice({ keepAliveTimeout: 0 }), [], 'for ever');
    assert.deepEqual(await advice(recommendedServerOptions), []);
  });

  it('concerns no scheme that is bound to its request, nor persistence request', async () => {
    assert.deepEqual(await advice({ keepAliveTimeout: 5000 }, { schemes: ['Digest'] }), []);
    assert.deepEqual(await advice({ keepAliveTimeout: 5000 }, { persistence: 'request' }), []);
  });

  it('a ticket of a user in many groups does not fit into 16 KiB; another scheme has no tickets', () => {
    for (const [bytes, expected] of [
      [16 * 1024, ['header-size-small']],
      [32 * 1024 - 1, ['header-size-small']],
      [32 * 1024, []],
      [undefined, ['header-size-small']],
    ] as const) {
      const s = scripted(usualScript);
      const server = { maxHeaderSize: bytes, keepAliveTimeout: 120_000 };
      for (let count = 0; count < 2; count++) s.now(Object.assign(new FakeSocket(), { server }));
      s.now(new FakeSocket());
      s.now(Object.assign(new FakeSocket(), { server: {} }));
      assert.deepEqual(
        s.log.map(({ level, record }) => [level, record['advice']]),
        expected.map((id) => ['warn', id]),
      );
    }
  });
});

describe('a refusal that nobody hears of', () => {
  it('is a process warning, once, unless logger: false wants silence', (t) => {
    const emitted: unknown[] = [];
    t.mock.method(process, 'emitWarning', (warning: unknown) => void emitted.push(warning));
    for (const [options, expected] of [
      [{ logger: undefined }, 1],
      [{ logger: false }, 0],
      [{}, 0],
    ] as const) {
      // scripted() gives a logger where the options have none.
      const s = scripted(usualScript, options as SspiAuthOptions);
      s.now(new FakeSocket());
      assert.equal(emitted.length, 0, 'a challenge is no refusal');
      for (let count = 0; count < 2; count++) s.now(new FakeSocket(), 'Basic YTpi');
      assert.equal(emitted.length, expected);
      if (expected === 1) {
        assert.match(
          String(emitted[0]),
          /^sspi-auth: give option logger, such as logger: console, .*: a client was refused/,
        );
      }
      emitted.splice(0);
    }
  });
});
