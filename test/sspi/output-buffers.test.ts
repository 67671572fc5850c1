/** What AcceptSecurityContext puts into the output buffers of its caller, over a scripted package. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as Sspi from '../../src/sspi/index.ts';
import { now, scriptedCredential } from './scripted-credential.ts';

describe('output buffers', () => {
  const buffer = (size: number, type = Sspi.SECBUFFER_TOKEN): Sspi.SecBuffer => ({
    type,
    data: Buffer.alloc(size, 0xee),
  });

  it('the caller’s are filled where they are large enough, and told how far', () => {
    const { call } = scriptedCredential();
    const own = [buffer(3, Sspi.SECBUFFER_DATA), buffer(20)];
    const { output, name, context } = now(call(undefined, 'go', { output: own }));
    assert.equal(name, 'SEC_I_CONTINUE_NEEDED');
    assert.equal(output.length, 1);
    assert.equal(Buffer.from(output[0]!.data).toString(), 'challenge');
    assert.equal(output[0]!.data.buffer, own[1]!.data.buffer, 'the caller’s own memory');
    assert.equal(own[1]!.data[9], 0xee);
    Sspi.deleteSecurityContext(context!);
  });

  it('too small or missing: SEC_E_INSUFFICIENT_MEMORY, nothing written, no context', () => {
    for (const own of [[], [buffer(8)], [buffer(100, Sspi.SECBUFFER_DATA)]]) {
      const { owner, call } = scriptedCredential();
      const result = now(call(undefined, 'go', { output: own }));
      assert.deepEqual(
        [result.name, result.context, result.output.length],
        ['SEC_E_INSUFFICIENT_MEMORY', undefined, 0],
      );
      for (const { data } of own) assert.ok(data.every((byte) => byte === 0xee));
      assert.equal(owner.live, 0);
      const { context } = now(call(undefined, 'go'));
      const later = now(call(context, 'yes', { output: [buffer(1)] }));
      assert.equal(later.name, 'SEC_E_INSUFFICIENT_MEMORY');
      assert.equal(now(call(context, 'yes')).name, 'SEC_E_INVALID_HANDLE');
      assert.equal(owner.live, 0);
    }
  });

  it('what is not a token goes to a buffer of its type, or nowhere', () => {
    const result = { type: Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, data: Uint8Array.of(0x10, 0, 0, 0) };
    const { call } = scriptedCredential({ bound: { output: 'last', buffers: [result] }, quiet: { buffers: [result] } });
    const own = [buffer(4), buffer(4, Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT)];
    const both = now(call(undefined, 'bound', { output: own }));
    assert.deepEqual(
      both.output.map(({ type, data }) => [type, Buffer.from(data).toString('hex')]),
      [
        [Sspi.SECBUFFER_TOKEN, Buffer.from('last').toString('hex')],
        [Sspi.SECBUFFER_CHANNEL_BINDINGS_RESULT, '10000000'],
      ],
    );
    const one = now(call(undefined, 'quiet', { output: [buffer(4)] }));
    assert.deepEqual([one.name, one.output], ['SEC_E_OK', []]);
    for (const { context } of [both, one]) Sspi.deleteSecurityContext(context!);
  });

  it('with ASC_REQ_ALLOCATE_MEMORY the caller’s are left alone', () => {
    const { call } = scriptedCredential();
    const own = [buffer(1)];
    const result = now(call(undefined, 'go', { output: own, requirements: Sspi.ASC_REQ_ALLOCATE_MEMORY }));
    assert.equal(Buffer.from(result.output[0]!.data).toString(), 'challenge');
    assert.equal(own[0]!.data[0], 0xee);
    Sspi.deleteSecurityContext(result.context!);
  });

  it('a failure may have a token for the client, and a diagnosis for the log', () => {
    const { call } = scriptedCredential();
    const result = now(call(undefined, 'no'));
    assert.equal(Buffer.from(result.output[0]!.data).toString(), 'error token');
    assert.deepEqual(result.diagnosis, { text: 'because' });
  });
});
