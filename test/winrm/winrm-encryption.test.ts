/** Encrypted messages over NTLM, in each way of node:http. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { winrmEncryption } from '../../adapters/winrm.ts';
import { memoryAccounts } from '../../src/index.ts';
import { encodeEncryptedMessage } from '../../src/formats/encrypted-message.ts';
import type { EncryptedPart } from '../../src/formats/encrypted-message.ts';
import { liveHandles } from '../../src/sspi/index.ts';
import type { RawRequest } from '../lab/raw-connection.ts';
import { alice, CREDSSP, encrypted, NtlmClient, SPNEGO } from './clients.ts';
import { echoOf, servers } from './servers.ts';
import type { ServerOptions } from './servers.ts';

const accounts = memoryAccounts([{ ...alice }]);
const ntlm: ServerOptions = { accounts, domain: 'LAB', schemes: ['NTLM'] };
const soap = 'application/soap+xml;charset=UTF-8';

for (const [name, start] of Object.entries(servers)) {
  describe(`encrypted messages with ${name}`, () => {
    it('are opened for the handler, and its answers are encrypted', async () => {
      await using server = await start(ntlm);
      await using client = await NtlmClient.open(server.port);
      const first = await client.signIn();
      assert.equal(first.status, 200);
      assert.equal(first.body, echoOf(''), 'an answer to a request that was not encrypted is not');
      assert.equal(await client.say('<one/>'), echoOf('<one/>'));
      const long = `<two>${'ü'.repeat(100_000)}</two>`;
      assert.equal(await client.say(long), echoOf(long));
      const response = await client.connection.exchange(client.message('<three/>', ['Accept-Encoding: gzip']));
      assert.deepEqual(client.open(response), {
        text: echoOf('<three/>'),
        type: 'application/soap+xml;charset=utf-8',
      });
      assert.deepEqual(
        server.handled.map(({ user, type, body, encoding }) => [user, type, body.length, encoding]),
        [
          ['LAB\\alice', undefined, 0, ''],
          ['LAB\\alice', soap, 6, ''],
          ['LAB\\alice', soap, long.length, ''],
          ['LAB\\alice', soap, 8, ''],
        ],
      );
      const plain = await client.connection.exchange({
        method: 'POST',
        fields: ['Content-Type: text/plain'],
        body: 'x',
      });
      assert.deepEqual([plain.status, plain.body], [200, echoOf('x')], 'others pass as they are');
    });

    it('may come with the last leg of the handshake', async () => {
      await using server = await start(ntlm);
      await using client = await NtlmClient.open(server.port);
      const response = await client.signIn((self) => self.message('<early/>'));
      assert.equal(client.open(response).text, echoOf('<early/>'));
      assert.deepEqual(response.headers.get('persistent-auth'), ['true']);
      assert.equal(await client.say('<next/>'), echoOf('<next/>'));
    });

    it('may be chunked, be waited for with Expect, and come pipelined', async () => {
      await using server = await start(ntlm);
      await using client = await NtlmClient.open(server.port);
      await client.signIn();
      const { fields = [], body = '' } = client.message('<chunked/>');
      const chunk = `${Buffer.byteLength(body).toString(16)}\r\n${Buffer.from(body).toString('latin1')}\r\n0\r\n\r\n`;
      const chunked = await client.connection.exchange({
        method: 'POST',
        fields: [...fields, 'Transfer-Encoding: chunked'],
        body: Buffer.from(chunk, 'latin1'),
      });
      assert.equal(client.open(chunked).text, echoOf('<chunked/>'));

      const waiting = client.message('<waiting/>', ['Expect: 100-continue']);
      const length = `Content-Length: ${Buffer.byteLength(waiting.body ?? '')}`;
      client.connection.send({ method: 'POST', fields: [...(waiting.fields ?? []), length] });
      assert.equal((await client.connection.response()).status, 100);
      client.connection.socket.write(waiting.body ?? '');
      assert.equal(client.open(await client.connection.response()).text, echoOf('<waiting/>'));

      client.connection.send(client.message('<a/>'), client.message('<b/>'), client.message('<c/>'));
      for (const text of ['<a/>', '<b/>', '<c/>']) {
        assert.equal(client.open(await client.connection.response()).text, echoOf(text));
      }
    });

    const hostile: readonly (readonly [string, (client: NtlmClient) => RawRequest, RegExp])[] = [
      ['an altered body', (client) => altered(client.part('<x/>')), /SEC_E_MESSAGE_ALTERED/],
      [
        'a message that was left out before it',
        (client) => (client.part('<lost/>'), client.message('<x/>')),
        /SEC_E_OUT_OF_SEQUENCE/,
      ],
      ['another length', (client) => encrypted(SPNEGO, [client.part('<x/>', { length: 3 })]), /another length/],
      [
        'a signature that is longer than the part',
        (client) => encrypted(SPNEGO, [client.part('<x/>', { signatureLength: 0xffffffff })]),
        /signature is longer/,
      ],
      ['the protocol of CredSSP', (client) => encrypted(CREDSSP, [client.part('<x/>')]), /signed in by NTLM/],
      [
        'an unknown protocol',
        () => ({
          method: 'POST',
          fields: ['Content-Type: multipart/encrypted;protocol="application/x";boundary="b"'],
          body: 'x',
        }),
        /no protocol/,
      ],
      [
        'no parts',
        (client) => ({ ...encrypted(SPNEGO, [client.part('<x/>')]), body: 'not a multipart body' }),
        /malformed/,
      ],
      [
        'parts of several types',
        (client) => encrypted(SPNEGO, [client.part('<x/>'), client.part('<y/>', { type: 'text/plain' })]),
        /several types/,
      ],
      ['a body above the limit', (client) => client.message('x'.repeat(3000)), /larger than bodyBytes/],
      [
        'a chunked body above the limit',
        (client) => {
          const { fields = [] } = client.message('<x/>');
          const body = `${(3000).toString(16)}\r\n${'x'.repeat(3000)}\r\n0\r\n\r\n`;
          return { method: 'POST', fields: [...fields, 'Transfer-Encoding: chunked'], body };
        },
        /larger than bodyBytes/,
      ],
    ];
    for (const [what, request, why] of hostile) {
      it(`F08: ${what}: 400, and no handler`, async () => {
        await using server = await start({ ...ntlm, encryption: { bodyBytes: 2000 } });
        await using client = await NtlmClient.open(server.port);
        await client.signIn();
        const response = await client.connection.exchange(request(client));
        assert.equal(response.status, 400, response.text.slice(0, 300));
        assert.equal(response.body, '400 Bad Request\n');
        assert.equal(server.handled.length, 1, 'the sign-in alone');
        const [record] = server.refused;
        assert.deepEqual([record?.reason, record?.account], ['body-not-opened', 'LAB\\alice']);
        assert.match(record?.diagnosis ?? '', why);
      });
    }

    it('F08: a body that comes again: 400', async () => {
      await using server = await start(ntlm);
      await using client = await NtlmClient.open(server.port);
      await client.signIn();
      const message = client.message('<once/>');
      assert.equal((await client.connection.exchange(message)).status, 200);
      assert.equal((await client.connection.exchange(message)).status, 400);
      assert.equal(server.handled.length, 2);
    });

    it('F08: of a client that has not signed in: 401; of anonymous and skipped requests: 400; never a handler', async () => {
      for (const [options, status] of [
        [{}, 401],
        [{ anonymous: true }, 400],
        [{ skip: () => true }, 400],
      ] as const) {
        await using server = await start({ ...ntlm, ...options });
        await using client = await NtlmClient.open(server.port);
        const part: EncryptedPart = { type: soap, length: 1, signatureLength: 16, sealed: Buffer.alloc(17) };
        const response = await client.connection.exchange(encrypted(SPNEGO, [part]));
        assert.equal(response.status, status);
        assert.equal(server.handled.length, 0);
      }
    });

    it('leave their contexts to their connections: none is left when these have ended', async () => {
      const before = liveHandles().contexts;
      {
        await using server = await start(ntlm);
        await using client = await NtlmClient.open(server.port);
        await client.signIn();
        assert.equal(liveHandles().contexts, before + 1);
        await using other = await NtlmClient.open(server.port);
        await other.signIn((self) => self.message('<x/>'));
        assert.equal(liveHandles().contexts, before + 2);
      }
      assert.equal(liveHandles().contexts, before);
    });

    it('go without their bodies where there is none, and whole where it is written in pieces', async () => {
      await using server = await start({
        ...ntlm,
        handler: (response, body) => {
          if (body === '<none/>') response.writeHead(204).end();
          else if (body === '<empty/>') response.end();
          else if (body === '') response.end('signed in');
          else {
            response.writeHead(500, 'Fault', { 'Content-Type': 'text/xml', 'X-Own': 'yes' });
            response.flushHeaders();
            response.write('<pie');
            response.write(Buffer.from('ces'), () => response.end('/>', 'latin1'));
          }
        },
      });
      await using client = await NtlmClient.open(server.port);
      assert.equal((await client.signIn()).body, 'signed in');
      for (const [text, status] of [
        ['<none/>', 204],
        ['<empty/>', 200],
      ] as const) {
        const bare = await client.connection.exchange(client.message(text));
        assert.deepEqual([bare.status, bare.body, bare.headers.get('content-type')], [status, '', undefined]);
      }
      const fault = await client.connection.exchange(client.message('<fault/>'));
      assert.equal(fault.status, 500);
      assert.match(fault.text, /^HTTP\/1\.1 500 Fault\r\n/);
      assert.deepEqual(fault.headers.get('x-own'), ['yes']);
      assert.deepEqual(client.open(fault), { text: '<pieces/>', type: 'text/xml' });
    });

    it('that authorize refuses get their 403 encrypted', async () => {
      await using server = await start({ ...ntlm, authorize: (_user, request) => (request as never)['url'] === '/' });
      await using client = await NtlmClient.open(server.port);
      await client.signIn(() => ({ target: '/' }));
      const response = await client.connection.exchange(client.message('<x/>'));
      assert.equal(response.status, 403);
      assert.equal(client.open(response).text, '403 Forbidden\n');
    });
  });
}

function altered(part: EncryptedPart): RawRequest {
  const sealed = Buffer.from(part.sealed);
  sealed[17] = (sealed[17] ?? 0) ^ 1;
  return { ...encrypted(SPNEGO, [part]), body: encodeEncryptedMessage(SPNEGO, [{ ...part, sealed }]) };
}

describe('winrmEncryption', () => {
  it('says no to options that it does not know', () => {
    assert.throws(() => winrmEncryption({ bodyBytes: 0 }), /bodyBytes/);
    assert.throws(() => winrmEncryption({ bodybytes: 5 } as never), /bodybytes/);
  });

  it('says where it has to be mounted', () => {
    let told: unknown;
    const request = { httpVersionMajor: 1, sspi: {}, headers: {}, rawHeaders: [], socket: {} };
    winrmEncryption()(request as never, {} as never, (error) => (told = error));
    assert.match(String(told), /Mount it before/);
  });

  it('leaves HTTP/2 alone', () => {
    let passed = false;
    winrmEncryption()({ httpVersionMajor: 2 } as never, {} as never, () => (passed = true));
    assert.ok(passed);
  });
});
