import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeText } from '../../src/cli/decode.ts';
import { describeToken } from '../../src/cli/token-description.ts';
import { MalformedTokenError } from '../../src/foundation/errors.ts';
import { decodeApRequest, decodeKerberosToken, encryptionTypeName } from '../../src/formats/kerberos/kerberos-token.ts';
import { vectors as kerberosVectors } from '../lab/kerberos/vectors.ts';

interface Vector {
  readonly id: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly expected: unknown;
}
const { vectors } = JSON.parse(readFileSync(new URL('../vectors/vectors.json', import.meta.url), 'utf8')) as {
  readonly vectors: readonly Vector[];
};

/** Every text of the vectors that is an NTLM message or a GSS token, as bytes, with the id of its vector. */
const tokens = vectors.flatMap(({ id, inputs, expected }) => {
  const found: { id: string; bytes: Buffer }[] = [];
  const look = (value: unknown): void => {
    if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
    if (typeof value !== 'string') return;
    if (/^(?:4e544c4d53535000|60(?:[0-7].|8[12]))(?:[0-9a-f]{2}){8,}$/.test(value)) {
      found.push({ id, bytes: Buffer.from(value, 'hex') });
    } else if (/^(?:TlRMTVNTUAA|YI|YH|oY)[A-Za-z0-9+/]{16,}={0,2}$/.test(value)) {
      found.push({ id, bytes: Buffer.from(value, 'base64') });
    }
  };
  look([inputs, expected]);
  return found;
});

const vector = (id: string): Buffer => {
  const token = tokens.find((candidate) => candidate.id === id);
  assert.ok(token, `vectors.json has no token ${id}`);
  return token.bytes;
};
const published = vector('nlmp.v2.authenticateMessage');

describe('decode', () => {
  it('finds tokens to work on', () => assert.ok(tokens.length >= 10, `${tokens.length} tokens`));

  for (const { id, bytes } of tokens) {
    it(`decodes a token of ${id} the same from base64 and hexadecimal`, () => {
      const text = decodeText(bytes.toString('base64'));
      assert.match(
        text,
        /^(?:NTLM (?:NEGOTIATE|CHALLENGE|AUTHENTICATE)_MESSAGE|SPNEGO NegToken(?:Init|Resp)|Kerberos)/,
      );
      assert.match(text, new RegExp(`, ${bytes.byteLength} bytes`));
      assert.equal(decodeText(bytes.toString('hex')), text);
    });
  }

  it('names type, flags, names, MIC and target info of the published NTLMv2 messages (MS-NLMP 4.2.4.3)', () => {
    const challenge = decodeText(vector('nlmp.v2.challengeMessage').toString('base64'));
    for (const part of [
      'NTLM CHALLENGE_MESSAGE',
      '0123456789abcdef',
      'NTLMSSP_NEGOTIATE_KEY_EXCH',
      'Server',
      'MsvAvNbDomainName',
    ]) {
      assert.ok(challenge.includes(part), part);
    }
    const authenticate = decodeText(published.toString('base64'));
    for (const part of [
      'NTLM AUTHENTICATE_MESSAGE',
      'NTLMv2',
      'User',
      'Domain',
      'COMPUTER',
      'NTLMSSP_NEGOTIATE_SEAL',
    ]) {
      assert.ok(authenticate.includes(part), part);
    }
  });

  it('shows the MIC and the channel bindings of Chromium', () => {
    const texts = tokens
      .filter(({ id }) => id === 'ntlm.full.mic+cbt+spn (Chromium)')
      .map(({ bytes }) => decodeText(bytes.toString('hex')));
    const authenticate = texts.find((text) => text.includes('AUTHENTICATE_MESSAGE'));
    assert.ok(authenticate);
    assert.match(authenticate, /MIC +present/);
    assert.match(authenticate, /channel bindings +present, 16 bytes/);
    assert.match(authenticate, /MsvAvTargetName +HTTP\//);
  });

  for (const { id, inputs, expected } of kerberosVectors(/^apreq\./)) {
    if (!/^60[0-9a-f]{2,6}06092a864886f7/.test(expected)) continue;
    it(`names service, realm and encryption types of ${id}, and nothing of what is encrypted (RFC 4120 5.5.1)`, () => {
      const token = Buffer.from(expected, 'hex');
      const text = decodeText(token.toString('base64'));
      const [realm, service] = [String(inputs['realm']), String(inputs['sname'])];
      for (const part of [
        `Kerberos AP-REQ, ${token.byteLength} bytes  [${service}@${realm}]`,
        `realm          ${realm}\n`,
        `service        ${service}\n`,
      ]) {
        assert.ok(text.includes(part), part);
      }
      const { ticketCipher, authenticatorCipher } = decodeApRequest(decodeKerberosToken(token).message);
      const ticket = `${ticketCipher.byteLength} bytes, ${encryptionTypeName(Number(inputs['etype']))}`;
      assert.ok(text.includes(ticket), ticket);
      for (const cipher of [ticketCipher, authenticatorCipher]) {
        for (const form of ['hex', 'base64'] as const) {
          assert.ok(!text.includes(Buffer.from(cipher).toString(form).slice(0, 12)), form);
        }
      }
    });
  }

  it('tells an AP-REQ that cannot be read by its size', () => {
    const text = decodeText('600f06092a864886f7120102020100dead');
    assert.match(text, /^Kerberos AP-REQ, 17 bytes\n/);
    assert.match(text, /message +2 bytes/);
  });

  it('takes apart the challenges that stand on one line (RFC 9110 11.6.1)', () => {
    const token = vector('nlmp.v2.challengeMessage').toString('base64');
    const titles = (value: string): string[] =>
      decodeText(`< WWW-Authenticate: ${value}\r\n`)
        .split('\n')
        .filter((line) => /^\w/.test(line));
    assert.deepEqual(titles('Negotiate, NTLM'), ['Negotiate offered', 'NTLM offered']);
    assert.deepEqual(titles('negotiate ,NTLM,'), ['negotiate offered', 'NTLM offered']);
    assert.deepEqual(titles('Digest realm="a, NTLM", nonce="b", algorithm=MD5, Negotiate, Basic realm="x, Digest y"'), [
      'Digest challenge, 41 bytes  [MD5]',
      'Negotiate offered',
      'Basic challenge, 19 bytes',
    ]);
    assert.deepEqual(
      titles(`Negotiate, NTLM ${token}`).map((title) => title.split(',')[0]),
      ['Negotiate offered', 'NTLM CHALLENGE_MESSAGE'],
    );
  });

  it('never shows what passwords could be guessed on', () => {
    const text = decodeText(published.toString('base64'));
    for (const id of ['nlmp.v2.ntProofStr', 'nlmp.v2.lmResponse', 'nlmp.v2.encSessionKey']) {
      const secret = vectors.find((candidate) => candidate.id === id)?.expected;
      assert.ok(typeof secret === 'string' && published.includes(Buffer.from(secret, 'hex')), `${id} is in the token`);
      assert.ok(!text.includes(secret.slice(0, 8)), id);
    }
    const response = '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1';
    const digest = decodeText(
      `Digest username="Mufasa", realm="a", nonce="n", uri="/", qop=auth, nc=00000001, cnonce="c", response="${response}"`,
    );
    assert.match(digest, /^Digest credentials/);
    assert.match(digest, /64 hexadecimal digits, not shown/);
    assert.ok(!digest.includes(response.slice(0, 8)));
    assert.ok(!decodeText('Authorization: Basic YWxpY2U6c2VjcmV0').includes('YWxp'));
  });

  it('never shows the credentials of Basic, whatever stands before them', () => {
    for (const text of [
      'Basic YWxpY2U6eA==',
      'basic  YWxpY2U6eHk=',
      'Basic YWxpY2U6\nc2VjcmV0',
      'Basic YWxpY2U6eHk= charset="UTF-8"',
      "'Basic YWxpY2U6c2VjcmV0'",
      'Proxy-Authorization: Basic YWxpY2U6c2VjcmV0',
      'WWW-Authenticate: Basic YWxpY2U6c2VjcmV0',
    ]) {
      const shown = decodeText(text);
      assert.match(shown, /^Basic credentials, \d+ bytes\n.*not shown\n$/, text);
      assert.doesNotMatch(shown, /YWxp|c2Vj/, text);
    }
    for (const text of ['Basic realm="x"', 'Basic charset="UTF-8", realm="x"', 'Basic realm=x', 'Basic realm="a x"']) {
      assert.match(decodeText(text), /^Basic challenge, .*x/s, text);
    }
    assert.match(decodeText('Basic'), /^Basic offered/);
  });

  it('decodes every field of what curl -v prints', () => {
    const token = published.toString('base64');
    const text = decodeText(
      `> GET / HTTP/1.1\r\n> Authorization: NTLM ${token}\r\n> Accept: */*\r\n< HTTP/1.1 401 Unauthorized\r\n` +
        '< WWW-Authenticate: NTLM\r\n< WWW-Authenticate: Digest realm="a", nonce="b", algorithm=SHA-256\r\n',
    );
    assert.deepEqual(
      text.split('\n').filter((line) => /^\w/.test(line)),
      [
        `NTLM AUTHENTICATE_MESSAGE, ${published.byteLength} bytes  [type 3, NTLMv2]`,
        'NTLM offered',
        'Digest challenge, 39 bytes  [SHA-256]',
      ],
    );
  });

  it('takes quotes, line breaks, missing padding and the scheme before a token', () => {
    const token = published.toString('base64');
    const expected = decodeText(token);
    for (const text of [
      ` ${token}\n`,
      `"${token}"`,
      token.replace(/.{60}/g, '$&\n'),
      token.replace(/=+$/, ''),
      `NTLM ${token}`,
      `Negotiate ${token.replace(/.{60}/g, '$&\r\n')}`,
    ]) {
      assert.equal(decodeText(text), expected);
    }
  });

  it('A09: escapes what could steer a terminal', () => {
    const text = decodeText('Digest realm="a\u202eb", nonce="n"');
    assert.match(text, /a\\u202eb/);
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  for (const text of ['', 'hello', 'AAAA', 'NTLM !', 'Digest realm', 'TlRMTVNTUAA=', 'TlRMTVNTUAADAAAA', '600506']) {
    it(`says that ${JSON.stringify(text)} cannot be decoded`, () => {
      assert.throws(() => decodeText(text), MalformedTokenError);
    });
  }

  it('C06: a changed or shortened token is decoded or refused, nothing else', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...tokens),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.option(fc.nat()),
        ({ bytes }, changes, end) => {
          const token = Uint8Array.from(end === null ? bytes : bytes.subarray(0, end % (bytes.byteLength + 1)));
          for (const [at, value] of changes) if (token.byteLength > 0) token[at % token.byteLength] = value;
          try {
            describeToken(token);
          } catch (error) {
            assert.ok(error instanceof MalformedTokenError, String(error));
          }
        },
      ),
      { numRuns: Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000) },
    );
  });
});
