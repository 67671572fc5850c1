/** Names in a keytab. What else a keytab can be is in test/native/gssapi/ and test/live/kerberos/. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeKeytab } from '../../../src/formats/kerberos/keytab.ts';
import { KEYTAB_HEAD, keytabEntry } from '../../lab/kerberos/keytab-entry.ts';

const namesOf = (...hosts: (string | Uint8Array)[]): string[] => {
  const entries = hosts.map((host) => keytabEntry(['HTTP', host], 'R.TEST', 3, 18));
  return decodeKeytab(Buffer.concat([KEYTAB_HEAD, ...entries])).map(({ name }) => name);
};

describe('the names of a keytab', () => {
  it('are UTF-8', () => {
    assert.deepEqual(namesOf('web.test', 'b\xfccher.test'), ['HTTP/web.test', 'HTTP/b\xfccher.test']);
  });

  it('D22: differ where they are not UTF-8, byte by byte', () => {
    const hosts = ['b\xfccher', 'b\xf6cher'].map((host) => Buffer.from(host, 'latin1'));
    assert.deepEqual(namesOf(...hosts), ['HTTP/b\\xfccher', 'HTTP/b\\xf6cher']);
  });
});
