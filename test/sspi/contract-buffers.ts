/** The contract over buffers: those of the caller for the output, and those of protected messages. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { token } from './contract-acceptor.ts';
import type { ContractAcceptor } from './contract-acceptor.ts';
import { decryptNow, encryptNow } from './messages-now.ts';

/** Declares the cases about buffers. */
export function bufferCases(acceptor: ContractAcceptor): void {
  const { accept, assertNothingLeft, handshake, row } = acceptor;

  it('fills the buffer of the caller, and fails where it is too small', async () => {
    for (const size of [8192 * 8, 4]) {
      const client = await acceptor.subject.client('right');
      const first = await client.next(undefined);
      const room = Buffer.alloc(size);
      const result = await accept(undefined, token(first!), { output: [{ type: Sspi.SECBUFFER_TOKEN, data: room }] });
      if (size > 4) {
        assert.ok(result.context !== undefined, Sspi.statusName(result.status));
        const [out] = result.output;
        if (out !== undefined) assert.equal(out.data.buffer, room.buffer);
        Sspi.deleteSecurityContext(result.context);
      } else if (result.output.length > 0 || result.status !== Sspi.SEC_E_OK) {
        assert.equal(Sspi.statusName(result.status), 'SEC_E_INSUFFICIENT_MEMORY');
        assert.equal(result.context, undefined);
      } else if (result.context !== undefined) Sspi.deleteSecurityContext(result.context);
      client[Symbol.dispose]();
    }
    assertNothingLeft();
  });

  it('says that it allocated the output where ASC_REQ_ALLOCATE_MEMORY asks for it', async () => {
    const client = await acceptor.subject.client('right');
    const first = await client.next(undefined);
    const result = await accept(undefined, token(first!), { requirements: Sspi.ASC_REQ_ALLOCATE_MEMORY });
    assert.ok(result.context !== undefined, Sspi.statusName(result.status));
    assert.ok(((result.attributes ?? 0) & Sspi.ASC_RET_ALLOCATED_MEMORY) !== 0);
    Sspi.deleteSecurityContext(result.context);
    client[Symbol.dispose]();
    assertNothingLeft();
  });

  row('message protection', 'signs and verifies in both directions, and sees an alteration', async () => {
    const { client, last } = await handshake('right');
    assert.equal(Sspi.statusName(last.status), 'SEC_E_OK');
    const context = last.context!;
    const message = Buffer.from('a message of the server');
    const signed = Sspi.makeSignature(context, [{ type: Sspi.SECBUFFER_DATA, data: message }]);
    assert.equal(Sspi.statusName(signed.status), 'SEC_E_OK');
    assert.equal(await client.verifySignature!(message, signed.value![0]!.data), true);

    const reply = Buffer.from('a message of the client');
    const signature = await client.makeSignature!(reply);
    const data = { type: Sspi.SECBUFFER_DATA, data: reply };
    const good = Sspi.verifySignature(context, [data, { type: Sspi.SECBUFFER_TOKEN, data: signature }]);
    assert.equal(Sspi.statusName(good.status), 'SEC_E_OK');
    const second = await client.makeSignature!(reply);
    second[second.byteLength - 6] = second[second.byteLength - 6]! ^ 1;
    const bad = Sspi.verifySignature(context, [data, { type: Sspi.SECBUFFER_TOKEN, data: second }]);
    assert.ok(bad.status >= 0x80000000, Sspi.statusName(bad.status));
    assert.equal(bad.value, undefined);
    Sspi.deleteSecurityContext(context);
    client[Symbol.dispose]();
    assertNothingLeft();
  });

  row('confidentiality', 'seals and unseals in both directions, and sees an alteration', async () => {
    const { client, last } = await handshake('right');
    const context = last.context!;
    const message = Buffer.from('a secret of the server');
    const sealed = encryptNow(context, [{ type: Sspi.SECBUFFER_DATA, data: message }]);
    assert.equal(Sspi.statusName(sealed.status), 'SEC_E_OK');
    const part = (type: number): Uint8Array => Sspi.findBuffer(sealed.value!, type)!.data;
    assert.notDeepEqual(Buffer.from(part(Sspi.SECBUFFER_DATA)), message);
    const plain = await client.decryptMessage!(part(Sspi.SECBUFFER_TOKEN), part(Sspi.SECBUFFER_DATA));
    assert.deepEqual(Buffer.from(plain), message);

    const reply = Buffer.from('a secret of the client');
    const { token: trailer, data } = await client.encryptMessage!(reply);
    const opened = decryptNow(context, [
      { type: Sspi.SECBUFFER_TOKEN, data: trailer },
      { type: Sspi.SECBUFFER_DATA, data },
    ]);
    assert.equal(Sspi.statusName(opened.status), 'SEC_E_OK');
    assert.deepEqual(Buffer.from(opened.value![0]!.data), reply);
    const next = await client.encryptMessage!(reply);
    next.data[0] = next.data[0]! ^ 1;
    const bad = decryptNow(context, [
      { type: Sspi.SECBUFFER_TOKEN, data: next.token },
      { type: Sspi.SECBUFFER_DATA, data: next.data },
    ]);
    assert.ok(bad.status >= 0x80000000, Sspi.statusName(bad.status));
    assert.equal(bad.value, undefined);
    Sspi.deleteSecurityContext(context);
    client[Symbol.dispose]();
    assertNothingLeft();
  });
}
