/** The pages that the documents show, opened in Chromium beside the program that they belong to. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { launchChromium } from '../../lab/chromium.ts';
import { replaced } from '../../lab/configured.ts';
import { blocksOf } from '../../lab/document-blocks.ts';
import { documentProgram } from '../../lab/document-program.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('browsers');

describe('pages of the documents', ready, () => {
  it('docs/websockets.md: the page opens its WebSocket with the ticket of its user', async () => {
    const [block, ...others] = blocksOf('html');
    assert.ok(block !== undefined && others.length === 0);
    // What the page hears goes back to its server, where the test asks for it.
    const tell = `webSocket.onmessage = ({ data }) => fetch('/heard?' + encodeURIComponent(data));\n</script>`;
    const page = replaced(block.code, { '</script>': tell });
    const routes = `
app.get('/page', (request, response) => { response.send(${JSON.stringify(page)}); });
let hear: (text: string) => void = () => undefined;
const heard = new Promise<string>((resolve) => { hear = resolve; });
app.get('/heard', (request, response) => { hear(decodeURIComponent(request.url)); response.end(); });
app.get('/wait', (request, response) => { void heard.then((text) => response.send(text)); });
const server = createServer`;
    const change = (code: string): string => replaced(code, { 'const server = createServer': routes });
    await using program = await documentProgram('docs/websockets.md', "from 'ws'", { change });
    await using chromium = await launchChromium();
    const credentials = { username: 'alice', password: 'Wonderland-7' };
    const { body } = await chromium.visit(`http://${program.authority}/page`, { credentials, then: ['/wait'] });
    assert.match(body, /^\/heard\?Hello \S+\\alice$/);
  });
});
