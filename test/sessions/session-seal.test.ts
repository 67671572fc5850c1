/** The sealed cookie: what opens, and that nothing else does. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { CompactEncrypt } from 'jose';
import { Secret } from '../../src/foundation/secret.ts';
import { MAX_COOKIE_BYTES, cookieField, cookieValue, OwnCookie } from '../../src/sessions/cookie-field.ts';
import { decodeContent, encodeContent, keptIdentity } from '../../src/sessions/session-content.ts';
import type { SessionContent } from '../../src/sessions/session-content.ts';
import { SessionSeal } from '../../src/sessions/session-seal.ts';
import { full } from '../lab/matrix.ts';

const bytes = randomBytes(32);
const secret = new Secret(bytes);
const text = Buffer.from('content of a session');
/** Those that come by HTTP are in test/authenticator/altered-cookies.test.ts. */
const mutations = full() ? 100_000 : 1000;

const content: SessionContent = {
  audience: 'app',
  id: 'AAAA',
  signedInAt: 1,
  sealedAt: 2,
  endsAt: 3,
  facts: { scheme: 'NTLM', package: 'NTLM', provider: 'portable', attributes: 7, expiry: new Date(5) },
  user: {
    name: 'LAB\\alice',
    userName: 'alice',
    domain: 'LAB',
    displayName: 'Älice',
    package: 'NTLM',
    groups: [{ sid: 'S-1-5-32-544', name: 'LAB\\Engineers', attributes: 7, denyOnly: false }],
  },
};

describe('the seal of a session', () => {
  it('opens what it has sealed, and what an older secret has', async () => {
    const old = await new SessionSeal([secret]).seal(text);
    const rotated = new SessionSeal([new Secret(randomBytes(32)), secret]);
    assert.deepEqual(Buffer.from((await rotated.open(old)) ?? []), text);
    assert.equal(rotated.isOld(old), true);
    assert.equal(rotated.isOld(await rotated.seal(text)), false);
    assert.equal(await new SessionSeal([new Secret(randomBytes(32))]).open(old), undefined);
  });

  it('H03: no cookie that was changed in a byte, cut or lengthened opens', async () => {
    const seal = new SessionSeal([secret]);
    const sealed = await seal.seal(text);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.= ';
    for (let run = 0; run < mutations; run++) {
      const at = run % sealed.length;
      const letter = alphabet[Math.floor(run / sealed.length + run) % alphabet.length] ?? 'A';
      const changed = `${sealed.slice(0, at)}${letter}${sealed.slice(at + 1)}`;
      if (changed !== sealed) assert.equal(await seal.open(changed), undefined, `byte ${at}: ${letter}`);
    }
    // The last letter of the tag has spare bits, so each of its neighbours gives the same bytes.
    for (const letter of alphabet) {
      const changed = sealed.slice(0, -1) + letter;
      if (changed !== sealed) assert.equal(await seal.open(changed), undefined, `last: ${letter}`);
    }
    for (let length = 0; length < sealed.length; length += 7) {
      assert.equal(await seal.open(sealed.slice(0, length)), undefined);
    }
    for (const more of ['A', '.', '.A', ' ']) assert.equal(await seal.open(sealed + more), undefined);
  });

  it('H03: no other algorithm, encryption or parameter opens, with the same key', async () => {
    const seal = new SessionSeal([secret]);
    const sealed = await seal.seal(text);
    const own = JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString()) as {
      kid: string;
      typ: string;
    };
    const wrong = [
      { ...own, alg: 'none' },
      { ...own, enc: 'A128GCM' },
      { ...own, enc: 'A128CBC-HS256' },
      { ...own, zip: 'DEF' },
      { ...own, crit: ['exp'] },
      { kid: own.kid },
      {},
    ];
    for (const header of wrong) {
      const encoded = Buffer.from(JSON.stringify(header)).toString('base64url');
      assert.equal(await seal.open([encoded, ...sealed.split('.').slice(1)].join('.')), undefined);
    }
    // The secret itself is not the key.
    const direct = await new CompactEncrypt(text)
      .setProtectedHeader({ ...own, alg: 'dir', enc: 'A256GCM' })
      .encrypt(bytes);
    assert.equal(await seal.open(direct), undefined);
    assert.equal(
      await seal.open(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${text.toString('base64url')}.`),
      undefined,
    );
  });
});

describe('the content of a session', () => {
  it('comes back as it was', () => {
    assert.deepEqual(decodeContent(encodeContent(content)), content);
    const { groups, ...user } = content.user;
    assert.equal(groups.length, 1);
    const stored = { ...content, user: { ...user, groups: [] }, groups: { key: 'k', hash: 'h' } };
    assert.deepEqual(decodeContent(encodeContent(stored)), stored);
  });

  it('is nothing where a part of it has another form', () => {
    const json = JSON.parse(Buffer.from(encodeContent(content)).toString()) as Record<string, unknown>;
    const wrong: readonly Record<string, unknown>[] = [
      { v: 2 },
      { aud: undefined },
      { id: '' },
      { at: 1.5 },
      { end: '3' },
      { user: { userName: 'alice' } },
      { user: 'alice' },
      { groups: undefined },
      { groups: [['S-1-1-0', 0, 7, true]] },
      { stored: ['only a key'] },
      { attributes: '7' },
    ];
    for (const part of wrong) {
      assert.equal(decodeContent(Buffer.from(JSON.stringify({ ...json, ...part }))), undefined, JSON.stringify(part));
    }
    assert.equal(decodeContent(Buffer.from('{')), undefined);
    assert.equal(decodeContent(Buffer.from('null')), undefined);
  });

  it('keeps of an identity what the option says', () => {
    assert.deepEqual(keptIdentity(content.user, []), {
      name: 'LAB\\alice',
      userName: 'alice',
      domain: 'LAB',
      package: 'NTLM',
      groups: [],
    });
    assert.deepEqual(keptIdentity(content.user, ['groups', 'displayName']), content.user);
  });
});

describe('cookies of a session', () => {
  it('are found among others, and not where several differ', () => {
    assert.equal(cookieField(['Host', 'a', 'cookie', 'x=1', 'Cookie', 'y=2']), 'x=1; y=2');
    assert.equal(cookieField(['Host', 'a']), undefined);
    assert.equal(cookieValue('a=1; __Host-s=v; b=2', '__Host-s'), 'v');
    assert.equal(cookieValue('s=v;s=v', 's'), 'v');
    assert.equal(cookieValue('s=v; s=w', 's'), undefined);
    assert.equal(cookieValue('s=v; s=v; s=v', 's'), undefined);
    assert.equal(cookieValue('xs=v; s', 's'), undefined);
    assert.equal(cookieValue(`${'a=1; '.repeat(20_000)}s=v`, 's'), undefined);
  });

  it('are for TLS alone, with the prefix that says so, or have a plain name', () => {
    assert.equal(new OwnCookie('s', true).set('v'), '__Host-s=v; Path=/; Secure; HttpOnly; SameSite=Lax');
    assert.equal(new OwnCookie('s', false).set('v'), 's=v; Path=/; HttpOnly; SameSite=Lax');
    assert.match(new OwnCookie('s', true).clear(), /^__Host-s=; .*; Max-Age=0$/);
    assert.equal(MAX_COOKIE_BYTES, 4093);
  });
});
