import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { peerOf } from '../../src/http/exchange.ts';
import { FakeSocket } from '../authenticator/scripted-authenticator.ts';

describe('the client of a connection, as the log names it', () => {
  for (const [remoteAddress, remotePort, expected] of [
    ['192.0.2.7', 4711, '192.0.2.7:4711'],
    ['::1', 36910, '[::1]:36910'],
    ['::ffff:192.0.2.7', 1, '[::ffff:192.0.2.7]:1'],
    ['fe80::1%eth0', 80, '[fe80::1%eth0]:80'],
    ['192.0.2.7', undefined, '192.0.2.7:'],
    [undefined, undefined, undefined],
  ] as const) {
    it(`${String(remoteAddress)} ${String(remotePort)}: ${String(expected)}`, () => {
      const socket = Object.assign(Object.create(new FakeSocket()) as FakeSocket, {});
      Object.defineProperties(socket, { remoteAddress: { value: remoteAddress }, remotePort: { value: remotePort } });
      assert.equal(peerOf(socket), expected);
    });
  }
});
