/** The programs that docs/ shows for other frameworks, run as they stand: curl signs in to each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { responsesUntilEnd, smuggling } from '../../adapters/smuggling.ts';
import { curl } from '../../lab/curl.ts';
import { documentProgram } from '../../lab/document-program.ts';
import { RawConnection } from '../../lab/raw-connection.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const alice = ['--ntlm', '-u', 'alice:Wonderland-7'];

describe('programs of the documents', ready, () => {
  for (const [name, path, part] of [
    ['node:http', 'docs/frameworks.md', 'protect((request, response)'],
    ['Koa', 'docs/frameworks.md', "from 'koa'"],
    ['Hono', 'docs/frameworks.md', "from 'hono'"],
    ['an adapter of one’s own', 'docs/adapters.md', './protect.js'],
  ] as const) {
    it(`A10: ${name}: curl signs in, a stranger does not, nor does what he hides behind another request`, async () => {
      await using server = await documentProgram(path, part);
      const url = `http://${server.authority}/`;
      assert.equal((await curl([url])).status, 401);
      assert.equal((await curl(['--ntlm', '-u', 'alice:wrong', url])).status, 401);
      // Two requests over one connection: the second has no token.
      const { body, responses } = await curl([...alice, url, url]);
      assert.match(body, /^Hello \S+\\aliceHello \S+\\alice$/);
      assert.deepEqual(
        responses.map(({ status }) => status),
        [401, 200, 200],
      );
      // A body that waits for the result arrives after it.
      const upload = await curl([...alice, '-H', 'Expect: 100-continue', '--data', 'a body', url]);
      assert.notEqual(upload.status, 401);

      // A10: what stands behind a request of two framings has no user, here as behind the adapters.
      await Promise.all(
        Object.entries(smuggling).map(async ([what, bytes]) => {
          await using connection = await RawConnection.open(server.port);
          connection.socket.write(Buffer.from(bytes, 'latin1'));
          const statuses = (await responsesUntilEnd(connection)).map(({ status }) => status);
          assert.ok(
            statuses.length > 0 && statuses.every((status) => [400, 401].includes(status)),
            `${what}: ${statuses.join(' ')}`,
          );
        }),
      );
      assert.match((await curl([...alice, url])).body, /^Hello \S+\\alice$/);
    });
  }
});
