/** Names in a keytab. What else a keytab can be is in test/native/gssapi/ and test/live/kerberos/. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeKeytab } from '../../../src/formats/kerberos/keytab.ts';
import { KEYTAB_HEAD, keytabEntry } from '../../lab/kerberos/keytab-entry.ts';

const namesOf = (...hosts: (string | Uint8Array)[]): string[] => {
  const entries = hosts.map((host) => keytabEntry(['HTTP', host], 'R.TEST', 3, 18));
  return decodeKeytab(Buffer.concat([KEYTAB_HEAD, ...entries])).map(({ name }) => name);
};

describe('the entries of a keytab', () => {
  const [one, two] = ['one', 'two'].map((host) => keytabEntry(['HTTP', host], 'R.TEST', 3, 18)) as [Buffer, Buffer];
  const names = (...parts: readonly Uint8Array[]): string[] =>
    decodeKeytab(Buffer.concat([KEYTAB_HEAD, ...parts])).map(({ name }) => name);

  it('end at a size of zero, whatever comes behind it', () => {
    assert.deepEqual(names(one, Buffer.alloc(4), two), ['HTTP/one']);
    assert.deepEqual(names(Buffer.alloc(4)), []);
  });

  it('go on behind a hole, even of one byte, and end with one that reaches the end', () => {
    const hole = (size: number, bytes = size): Buffer => {
      const buffer = Buffer.alloc(4 + bytes, 0xff);
      buffer.writeInt32BE(-size);
      return buffer;
    };
    assert.deepEqual(names(one, hole(1), two, hole(9)), ['HTTP/one', 'HTTP/two']);
    assert.deepEqual(names(one, hole(9, 5)), ['HTTP/one']);
  });
});

describe('the names of a keytab', () => {
  it('are UTF-8', () => {
    assert.deepEqual(namesOf('web.test', 'b\xfccher.test'), ['HTTP/web.test', 'HTTP/b\xfccher.test']);
  });

  it('D22: differ where they are not UTF-8, byte by byte', () => {
    const hosts = ['b\xfccher', 'b\xf6cher'].map((host) => Buffer.from(host, 'latin1'));
    assert.deepEqual(namesOf(...hosts), ['HTTP/b\\xfccher', 'HTTP/b\\xf6cher']);
  });
});
