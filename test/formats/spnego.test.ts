import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedTokenError } from '../../src/foundation/errors.ts';
import { contextTag, DER_SEQUENCE, derElement, derObjectIdentifier, derOctetString } from '../../src/formats/der.ts';
import {
  OID_KERBEROS,
  OID_KERBEROS_MICROSOFT,
  OID_KERBEROS_USER_TO_USER,
  OID_NEGOEX,
  OID_NTLM,
  OID_SPNEGO,
} from '../../src/formats/object-identifiers.ts';
import {
  decodeInitialToken,
  decodeNegotiationToken,
  encodeNegTokenResp,
  MAX_MECH_TYPES,
} from '../../src/formats/spnego.ts';
import type { NegTokenInit, NegTokenResp } from '../../src/formats/spnego.ts';
import { vector, vectorIds } from '../vectors/tokens.ts';

const fuzzRuns = Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000);
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex');

/** Any token of the vectors, framed or not, to its NegotiationToken. */
function negotiationToken(bytes: Uint8Array): NegTokenInit | NegTokenResp {
  if (bytes[0] !== 0x60) return decodeNegotiationToken(bytes);
  const { mechanism, innerToken } = decodeInitialToken(bytes);
  if (mechanism !== OID_SPNEGO) throw new MalformedTokenError('thisMech', 'is not SPNEGO');
  return decodeNegotiationToken(innerToken);
}

/** Bytes made refusable: undefined where refused, the value else; an error of another kind fails the test. */
function accepted(bytes: Uint8Array): NegTokenInit | NegTokenResp | undefined {
  try {
    return negotiationToken(bytes);
  } catch (error) {
    assert.ok(error instanceof MalformedTokenError, `foreign error: ${String(error)}`);
    return undefined;
  }
}

interface Expected {
  readonly mechTypes?: readonly string[];
  readonly mechToken?: string;
  readonly hintName?: string;
  readonly mechListMic?: string;
  readonly negState?: number;
  readonly supportedMech?: string;
  readonly responseToken?: string;
}

/** What RFC 4178 makes of each published token; tokens by how they start. */
const tokens: Readonly<Record<string, Expected>> = {
  'spnego.init+apreq (gokrb5 testGSSAPIInit)': {
    mechTypes: [OID_KERBEROS, '1.3.5.1.5.2', OID_KERBEROS_MICROSOFT, '1.3.6.1.5.2.5'],
    mechToken: '6082027106092a864886f712010202',
  },
  'spnego.NegTokenInit2 (MS-SPNG 4)': {
    mechTypes: [OID_NEGOEX, OID_NTLM],
    mechToken: Buffer.from('NEGOEXTS').toString('hex'),
    hintName: 'not_defined_in_RFC4178@please_ignore',
  },
  'spnego.resp.krb5.completed': { negState: 0, supportedMech: OID_KERBEROS },
  'spnego.resp.mskrb5.completed': { negState: 0, supportedMech: OID_KERBEROS_MICROSOFT },
  'spnego.init.reqflags': { mechTypes: [OID_KERBEROS], mechToken: '010203' },
  'sample.initial_context_token_neg_token_init': { mechTypes: [OID_KERBEROS, OID_NTLM], mechToken: '6082055e06' },
  'sample.initial_context_token_neg_token_init2': {
    mechTypes: [OID_NEGOEX, OID_KERBEROS_MICROSOFT, OID_KERBEROS, OID_KERBEROS_USER_TO_USER, OID_NTLM],
    hintName: 'not_defined_in_RFC4178@please_ignore',
  },
  'sample.neg_token_resp': { negState: 0, supportedMech: OID_KERBEROS, responseToken: '60819906' },
  'sample.negotiate.spnegoNtlmType1': {
    mechTypes: [OID_NTLM, OID_KERBEROS_MICROSOFT, OID_KERBEROS, OID_NEGOEX],
    mechToken: Buffer.from('NTLMSSP\0\x01').toString('hex'),
  },
};

describe('SPNEGO tokens of vectors.json', () => {
  for (const [id, expected] of Object.entries(tokens)) {
    it(`reads ${id}`, () => {
      const bytes = vector(id);
      const token = negotiationToken(bytes);
      if (token.type === 'NegTokenInit') {
        assert.deepEqual(token.mechTypes, expected.mechTypes);
        const start = hex(token.mechToken) ?? '';
        assert.ok(start.startsWith(expected.mechToken ?? '') && (start === '') === (expected.mechToken === undefined));
        assert.equal(token.hintName && Buffer.from(token.hintName).toString('latin1'), expected.hintName);
        assert.equal(hex(token.mechListMic), expected.mechListMic);
        const list = derElement(DER_SEQUENCE, ...token.mechTypes.map(derObjectIdentifier));
        assert.equal(hex(token.mechTypesBytes), hex(list));
        assert.equal(token.mechTypesBytes.buffer, bytes.buffer, 'a view of the bytes as received');
      } else {
        assert.equal(token.negState, expected.negState);
        assert.equal(token.supportedMech, expected.supportedMech);
        const start = hex(token.responseToken) ?? '';
        assert.ok(start.startsWith(expected.responseToken ?? ''));
        const { negState, supportedMech, responseToken, mechListMic } = token;
        const written = encodeNegTokenResp({ negState, supportedMech, responseToken, mechListMic });
        assert.equal(hex(written), hex(bytes), 'written back byte for byte');
      }
    });

    it(`refuses every prefix of ${id} (A03) and every byte behind it (A04)`, () => {
      const bytes = vector(id);
      for (let length = 0; length < bytes.byteLength; length++) {
        assert.equal(accepted(bytes.subarray(0, length)), undefined, `prefix of ${length} bytes`);
      }
      assert.equal(accepted(Buffer.concat([bytes, Buffer.alloc(1)])), undefined);
    });
  }

  it('takes no other published token for SPNEGO', () => {
    for (const id of vectorIds(
      /^(?:sample\.(?:ntlm|credssp|.*krb_ap_rep|negotiate\.rawNtlm|curl)|apreq\.gss|apreq\..*\.kerberos)/,
    )) {
      assert.equal(accepted(vector(id)), undefined, id);
    }
  });

  it('knows the fixed replies', () => {
    assert.equal(hex(encodeNegTokenResp({ negState: 0 })), 'a1073005a0030a0100');
    assert.equal(hex(encodeNegTokenResp({ negState: 2 })), 'a1073005a0030a0102');
  });
});

/** `a0` around a NegTokenInit of these fields. */
const init = (...fields: Uint8Array[]): Uint8Array => derElement(contextTag(0), derElement(DER_SEQUENCE, ...fields));
const mechTypes = (...oids: Uint8Array[]): Uint8Array => derElement(contextTag(0), derElement(DER_SEQUENCE, ...oids));
const octets = (tag: number, text: string): Uint8Array =>
  derElement(contextTag(tag), derOctetString(Buffer.from(text)));
const ntlm = derObjectIdentifier(OID_NTLM);
const from = (text: string): Buffer => Buffer.from(text, 'hex');

describe('NegTokenInit', () => {
  it('takes mechListMIC from [3], and from [4] in the form of NegTokenInit2 only (B12)', () => {
    const third = decodeNegotiationToken(init(mechTypes(ntlm), octets(2, 'token'), octets(3, 'mic')));
    assert.equal(hex(third.mechListMic), hex(Buffer.from('mic')));
    const hints = derElement(contextTag(3), from('3009a0071b0568656c6c6f'));
    const fourth = decodeNegotiationToken(init(mechTypes(ntlm), hints, octets(4, 'mic')));
    assert.ok(fourth.type === 'NegTokenInit');
    assert.equal(Buffer.from(fourth.hintName ?? []).toString(), 'hello');
    assert.equal(hex(fourth.mechListMic), hex(Buffer.from('mic')));
    assert.equal(
      hex(decodeNegotiationToken(init(mechTypes(ntlm), octets(4, 'mic'))).mechListMic),
      hex(Buffer.from('mic')),
    );
    assert.equal(accepted(init(mechTypes(ntlm), octets(3, 'mic'), octets(4, 'mic'))), undefined);
  });

  it('reads hints with an address, and none of it counts', () => {
    const hints = derElement(contextTag(3), from('3010a0071b0568656c6c6f' + 'a1050403010203'));
    const token = decodeNegotiationToken(init(mechTypes(ntlm), hints));
    assert.ok(token.type === 'NegTokenInit');
    assert.equal(Buffer.from(token.hintName ?? []).toString(), 'hello');
    assert.equal(token.mechListMic, undefined);
  });

  it('accepts as many mechanisms as its bound and no more (B03)', () => {
    const many = (count: number): Uint8Array => init(mechTypes(...Array.from({ length: count }, () => ntlm)));
    const most = decodeNegotiationToken(many(MAX_MECH_TYPES));
    assert.ok(most.type === 'NegTokenInit' && most.mechTypes.length === MAX_MECH_TYPES);
    assert.equal(accepted(many(MAX_MECH_TYPES + 1)), undefined);
    assert.equal(accepted(many(10_000)), undefined);
  });

  const refused: readonly (readonly [string, Uint8Array])[] = [
    ['mechTypes absent (B03)', init(octets(2, 'token'))],
    ['mechTypes empty (B03)', init(mechTypes())],
    ['mechTypes without its SEQUENCE', init(derElement(contextTag(0), ntlm))],
    ['two lists', init(derElement(contextTag(0), derElement(DER_SEQUENCE, ntlm), derElement(DER_SEQUENCE, ntlm)))],
    ['an arc of nine bytes (B03)', init(mechTypes(from('060a2bffffffffffffffff7f')))],
    ['something else among the mechanisms', init(mechTypes(ntlm, derOctetString(new Uint8Array(3))))],
    ['fields in another order', init(octets(2, 'token'), mechTypes(ntlm))],
    ['a field twice', init(mechTypes(ntlm), octets(2, 'a'), octets(2, 'b'))],
    ['a field that is not known', init(mechTypes(ntlm), octets(5, 'x'))],
    [
      'two tokens in one field',
      init(mechTypes(ntlm), derElement(contextTag(2), derOctetString(ntlm), derOctetString(ntlm))),
    ],
    ['reqFlags that are no BIT STRING', init(mechTypes(ntlm), octets(1, 'x'))],
    ['constructed mechToken', init(mechTypes(ntlm), derElement(contextTag(2), derElement(0x24, derOctetString(ntlm))))],
    ['indefinite length outside (B01)', from('a0803000')],
    [
      'nesting of 10 000 (B02)',
      Array.from({ length: 10_000 }).reduce((inner: Uint8Array) => derElement(contextTag(0), inner), new Uint8Array(0)),
    ],
    ['hints with something behind', init(mechTypes(ntlm), derElement(contextTag(3), from('30020500')))],
    ['two hints in one field', init(mechTypes(ntlm), derElement(contextTag(3), from('30003000')))],
    ['something behind the hintName', init(mechTypes(ntlm), derElement(contextTag(3), from('3007a0051b01610500')))],
    ['something behind the reqFlags', init(mechTypes(ntlm), derElement(contextTag(1), from('030100030100')))],
    ['something behind the MIC', init(mechTypes(ntlm), derElement(contextTag(3), from('0401000500')))],
  ];
  for (const [name, bytes] of refused) {
    it(`refuses ${name}`, () => assert.equal(accepted(bytes), undefined));
  }
});

describe('NegTokenResp', () => {
  it('may be empty: what that means is not a matter of form (B08)', () => {
    assert.deepEqual(decodeNegotiationToken(from('a1023000')), {
      type: 'NegTokenResp',
      negState: undefined,
      supportedMech: undefined,
      responseToken: undefined,
      mechListMic: undefined,
    });
  });
  const refused: readonly (readonly [string, string])[] = [
    ['negState 4 (B07)', 'a1073005a0030a0104'],
    ['negState 99 (B07)', 'a1073005a0030a0163'],
    ['negState -1', 'a1073005a0030a01ff'],
    ['negState as INTEGER', 'a1073005a003020100'],
    ['negState of two bytes', 'a1083006a0040a020000'],
    ['bytes behind the SEQUENCE', 'a1093005a0030a01000500'],
    ['bytes behind negState', 'a1093007a0050a01000500'],
    ['bytes behind supportedMech', 'a10a3008a10606022b060500'],
    ['bytes behind responseToken', 'a1093007a20504010a0500'],
    ['the third choice', 'a2023000'],
    ['[4]', 'a1073005a403040100'],
  ];
  for (const [name, bytes] of refused) {
    it(`refuses ${name}`, () => assert.equal(accepted(from(bytes)), undefined));
  }
});

describe('initial tokens', () => {
  it('gives the mechanism and its token', () => {
    const { mechanism, innerToken } = decodeInitialToken(vector('sample.initial_context_token_krb_ap_rep'));
    assert.equal(mechanism, OID_KERBEROS);
    assert.equal(hex(innerToken.subarray(0, 2)), '0200');
  });
  for (const bytes of [
    '',
    '60',
    '6000',
    '600206',
    '60020500',
    '6003060100ff',
    '608006062b0601050502',
    '7f0006062b0601050502',
  ]) {
    it(`refuses ${bytes || 'nothing'}`, () =>
      assert.throws(() => decodeInitialToken(from(bytes)), MalformedTokenError));
  }
});

describe('SPNEGO, mutations of every sample', () => {
  it('ends in a value or in MalformedTokenError, and no value reaches outside of the token', () => {
    const samples = [...Object.keys(tokens), ...vectorIds(/^(?:sample|apreq)\./)].map(vector);
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(), { nil: undefined }),
        (sample, changes, cut) => {
          const bytes = Uint8Array.from(sample);
          for (const [at, value] of changes) bytes[at % Math.min(bytes.byteLength, 160)] = value;
          const token = accepted(cut === undefined ? bytes : bytes.subarray(0, cut % bytes.byteLength));
          if (token?.type === 'NegTokenInit') {
            assert.ok(token.mechTypes.length >= 1 && token.mechTypes.length <= MAX_MECH_TYPES);
            assert.equal(
              hex(token.mechTypesBytes),
              hex(derElement(DER_SEQUENCE, ...token.mechTypes.map(derObjectIdentifier))),
            );
          }
        },
      ),
      { numRuns: fuzzRuns },
    );
  });
});
