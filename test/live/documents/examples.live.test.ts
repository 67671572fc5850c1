/** Every example that is a server signs curl in, and no stranger. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { curl } from '../../lab/curl.ts';
import { root } from '../../lab/documents.ts';
import { startProcess } from '../../lab/process.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const credentials = ['-u', 'alice:Wonderland-7'];
const alice = ['--ntlm', ...credentials];

interface Example {
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How many processes listen; 1 if left out. */
  readonly processes?: number;
  /** By which scheme curl signs in; `ntlm` if left out. */
  readonly scheme?: 'digest';
  /** What curl shows after it has signed in. */
  readonly hello?: string;
  /** What else it shows. */
  readonly more?: (url: string) => Promise<unknown>;
}

const secret = 'a secret of at least thirty-two bytes';

function jwt(key: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'robot' })}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

async function forbidden(url: string): Promise<string> {
  const { status, body } = await curl([...alice, `${url}admins`]);
  assert.equal(status, 403);
  return body;
}

const examples: readonly Example[] = [
  { file: 'express.ts' },
  { file: 'fastify.ts' },
  { file: 'node.ts' },
  { file: 'koa.ts' },
  { file: 'hono.ts' },
  {
    file: 'passport.ts',
    more: async (url) => {
      const { headers } = await curl([...alice, url]);
      const cookie = headers.get('set-cookie')?.[0]?.split(';')[0] ?? '';
      const later = await curl(['-H', `Cookie: ${cookie}`, url]);
      assert.equal(later.status, 200);
      assert.match(later.body, /alice, by session/);
      const stranger = await curl(['-H', `Cookie: ${cookie.slice(0, -4)}`, url]);
      assert.equal(stranger.status, 401);
    },
  },
  {
    file: 'jwt.ts',
    env: { JWT_SECRET: secret },
    more: async (url) => {
      const robot = await curl(['-H', `Authorization: Bearer ${jwt(secret)}`, url]);
      assert.equal(robot.body, 'Hello robot, by Bearer\n');
      const forged = await curl(['-H', `Authorization: Bearer ${jwt('another secret of thirty-two bytes')}`, url]);
      assert.equal(forged.status, 401);
      assert.ok(forged.headers.get('www-authenticate')?.includes('Bearer realm="api"'));
    },
  },
  {
    file: 'refusal-pages.ts',
    more: async (url) => {
      const stranger = await curl([url]);
      assert.match(stranger.body, /Please sign in/);
      assert.match(await forbidden(url), /not admitted here/);
    },
  },
  {
    file: 'cluster.ts',
    processes: 4,
    scheme: 'digest',
    hello: 'Hello .*alice, from process \\d+',
    more: async (url) => {
      // Each connection reaches another process, which takes the nonce of the first.
      const urls = Array.from({ length: 8 }, (_, index) => `${url}${index}`);
      const { responses, body } = await curl(['--digest', ...credentials, '-H', 'Connection: close', ...urls]);
      assert.deepEqual(
        responses.map(({ status }) => status),
        urls.flatMap(() => [401, 200]),
      );
      assert.equal(new Set(body.match(/process \d+/g)).size > 1, true);
    },
  },
  { file: 'nest/main.ts', more: forbidden },
  { file: 'nest/main.ts', env: { PLATFORM: 'fastify' }, more: forbidden },
];

/** Waits until so many processes of an example have said that they listen. */
async function listening(example: RunningProcess, processes: number): Promise<void> {
  const all = new Promise<void>((resolve) => {
    let count = 0;
    example.follow((line) => {
      if (/port: \d+/.test(line) && ++count === processes) resolve();
    });
  });
  const ended = example.ended.then(() => assert.fail('the example ended'));
  await Promise.race([all, ended]);
}

describe('the examples', ready, () => {
  for (const { file, env, processes = 1, scheme = 'ntlm', hello = 'Hello .*alice, by NTLM', more } of examples) {
    it(`${file}${env?.['PLATFORM'] === undefined ? '' : ` on ${env['PLATFORM']}`}: curl signs in, a stranger does not`, async () => {
      const project = file.startsWith('nest/') ? { TSX_TSCONFIG_PATH: join(root, 'examples/nest/tsconfig.json') } : {};
      await using example = await startProcess(process.execPath, programWords(join(root, 'examples', file)), {
        cwd: root,
        env: { PORT: '0', ...project, ...env },
      });
      const [, port = ''] = await example.waitForLine(/port: (\d+)/);
      await listening(example, processes);
      const url = `http://127.0.0.1:${port}/`;
      assert.equal((await curl([url])).status, 401);
      assert.equal((await curl([`--${scheme}`, '-u', 'alice:wrong', url])).status, 401);
      const answer = await curl([`--${scheme}`, ...credentials, url]);
      assert.equal(answer.status, 200);
      assert.match(answer.body, new RegExp(hello));
      await more?.(url);
    });
  }
});
