import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { demoStyle } from '../../src/cli/demo-style.ts';
import { escapeHtml, html } from '../../src/cli/html.ts';

const cases = [
  ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ['" onload="x', '&quot; onload=&quot;x'],
  ["' onload='x", '&#39; onload=&#39;x'],
  ['&lt;', '&amp;lt;'],
  ['a\u0000b', 'a\\u0000b'],
  ['evil\u202egnp.exe', 'evil\\u202egnp.exe'],
  ['half \ud83d', 'half \\ud83d'],
  ['whole \u{1f600} Ünï', 'whole \u{1f600} Ünï'],
] as const;

describe('html', () => {
  for (const [text, expected] of cases) {
    it(`A09: escapes ${JSON.stringify(text)}`, () => assert.equal(escapeHtml(text), expected));
  }

  it('escapes text, keeps markup, joins lists', () => {
    const items = ['<a>', '&'].map((text) => html`<b>${text}</b>`);
    assert.equal(html`<p>${items}${undefined}${3}</p>`.markup, '<p><b>&lt;a&gt;</b><b>&amp;</b>3</p>');
  });

  it('never lets a text open a tag or leave an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        assert.doesNotMatch(escapeHtml(text), /[<>"'\u0000]|&(?!(?:amp|lt|gt|quot|#39);)/);
      }),
      { numRuns: Number(process.env['SSPI_AUTH_FUZZ_RUNS'] ?? 2000) },
    );
  });
});

describe('style sheet', () => {
  it('cannot end its element', () => assert.doesNotMatch(demoStyle, /<\//));
  it('loads nothing', () => assert.doesNotMatch(demoStyle, /url\(|@import/));

  /** Relative luminance and contrast ratio, WCAG 2.2. */
  const luminance = (color: string): number => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
      const channel = parseInt(color.slice(at, at + 2), 16) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a: string, b: string): number => {
    const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const themes = [...demoStyle.matchAll(/:root \{([^}]*)\}/g)].map(
    ([, body = '']) =>
      new Map([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, color]) => [name, color])),
  );
  const pairs = [
    ...['ink', 'soft', 'link'].flatMap((text) => [
      [text, 'card'],
      [text, 'ground'],
    ]),
    ...['client', 'server', 'warn'].flatMap((side) => [
      [side, `${side}-ground`],
      [side, 'card'],
      ['ink', `${side}-ground`],
      ['soft', `${side}-ground`],
    ]),
    ['ink', 'chip'],
    ['link', 'chip'],
  ];
  it('has a light and a dark theme', () => assert.equal(themes.length, 2));
  themes.forEach((theme, index) => {
    for (const [text = '', ground = ''] of pairs) {
      it(`${index === 0 ? 'light' : 'dark'}: ${text} on ${ground} has a contrast of 4.5 or more`, () => {
        const ratio = contrast(theme.get(text)!, theme.get(ground)!);
        assert.ok(ratio >= 4.5, `is ${ratio.toFixed(2)}`);
      });
    }
  });
});
