/** The examples of sessions, each signed in to by curl. */
import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { curl } from '../../lab/curl.ts';
import { freePort } from '../../lab/ports.ts';
import { startProcess } from '../../lab/process.ts';
import { programWords } from '../../lab/program.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl');
const withNginx = await tier('fleets');
const root = fileURLToPath(new URL('../../..', import.meta.url));
const alice = ['-u', 'alice:Wonderland-7'];

interface Example extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
}

async function run(name: string): Promise<Example> {
  const port = await freePort();
  const example = await startProcess(process.execPath, programWords(join(root, 'examples', name)), {
    cwd: root,
    env: { PORT: String(port) },
  });
  await example.waitForLine(/listening on/);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    [Symbol.asyncDispose]: () => example[Symbol.asyncDispose](),
  };
}

describe('examples of sessions', ready, () => {
  for (const { name, anonymousStatus } of [
    { name: 'session.ts', anonymousStatus: 401 },
    { name: 'sign-in-button.ts', anonymousStatus: 200 },
  ]) {
    it(`${name}: sign in, another connection, sign out, sign in again`, async () => {
      await using example = await run(name);
      await using folder = await scratchFolder('cookies');
      const jar = ['-b', folder.file('jar'), '-c', folder.file('jar')];
      const { url } = example;
      const before = await curl([url]);
      assert.equal(before.status, anonymousStatus);
      assert.doesNotMatch(before.body, /Hello/);
      const signIn = (): Promise<{ readonly body: string }> =>
        curl(['--ntlm', ...alice, ...jar, '-L', `${url}/sign-in`]);
      assert.match((await signIn()).body, /^Hello .*alice/);
      assert.match((await curl([...jar, url])).body, /^Hello .*alice/);
      const foreign = await curl([...jar, '-X', 'POST', '-H', 'Origin: http://evil.example', `${url}/sign-out`]);
      assert.equal(foreign.status, 403);
      const out = await curl([...jar, '-X', 'POST', `${url}/sign-out`]);
      assert.ok(out.status < 400);
      const after = await curl(['--ntlm', ...alice, ...jar, url]);
      assert.equal(after.status, anonymousStatus);
      assert.doesNotMatch(after.body, /Hello/);
      assert.match((await signIn()).body, /^Hello .*alice/);
    });
  }

  for (const name of ['express-session.ts', 'fastify-session.ts']) {
    it(`${name}: the session of the application, with a new id at sign-in`, async () => {
      await using example = await run(name);
      await using folder = await scratchFolder('cookies');
      const jar = ['-b', folder.file('jar'), '-c', folder.file('jar')];
      const { url } = example;
      assert.equal((await curl([...jar, url])).status, 401);
      const first = await curl(['--ntlm', ...alice, ...jar, `${url}/sign-in`]);
      const second = await curl(['--ntlm', ...alice, ...jar, `${url}/sign-in`]);
      assert.deepEqual([first.status, second.status], [302, 302]);
      const [one, two] = [first, second].map(({ headers }) => headers.get('set-cookie')?.at(-1)?.split(';')[0]);
      assert.notEqual(one, undefined);
      assert.notEqual(one, two);
      assert.match((await curl([...jar, url])).body, /^Hello .*alice/);
      assert.equal((await curl([...jar, '-X', 'POST', `${url}/sign-out`])).status, 303);
      assert.equal((await curl([...jar, url])).status, 401);
    });
  }
});

/** The configuration of docs/sessions.md, with this test's ports. */
function nginxConf(folder: string, port: number, auth: number, application: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off; user root; pid ${folder}/pid; error_log stderr notice; worker_processes 1;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/temporary/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / {
      auth_request /auth;
      auth_request_set $remote_user_name $upstream_http_x_remote_user;
      auth_request_set $session_cookie $upstream_http_set_cookie;
      add_header Set-Cookie $session_cookie;
      proxy_set_header X-Remote-User $remote_user_name;
      proxy_pass http://127.0.0.1:${application};
    }
    location = /auth {
      internal;
      proxy_pass http://127.0.0.1:${auth}$request_uri;
      proxy_method $request_method;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }
}
`;
}

describe('forward-auth.ts behind nginx', withNginx, () => {
  it('signs in by Digest, then by session; the field of a client does not get through', async () => {
    await using example = await run('forward-auth.ts');
    const { createServer } = await import('node:http');
    const application = createServer((request, response) => {
      response.end(String(request.headers['x-remote-user']));
    });
    const applicationPort = await freePort();
    await new Promise<void>((resolve) => application.listen(applicationPort, '127.0.0.1', resolve));
    await using folder = await scratchFolder('nginx');
    await chmod(folder.path, 0o755);
    await mkdir(folder.file('temporary'));
    const port = await freePort();
    await writeFile(folder.file('nginx.conf'), nginxConf(folder.path, port, example.port, applicationPort));
    await using nginx = await startProcess('/usr/sbin/nginx', ['-p', folder.path, '-c', folder.file('nginx.conf')]);
    await nginx.waitForLine(/start worker process \d/);
    const url = `http://127.0.0.1:${port}`;
    try {
      assert.equal((await curl(['-H', 'X-Remote-User: mallory', url])).status, 401);
      const jar = ['-b', folder.file('jar'), '-c', folder.file('jar')];
      const first = await curl(['--digest', ...alice, ...jar, '-H', 'X-Remote-User: mallory', `${url}/a?b=c`]);
      assert.equal(first.status, 200);
      assert.match(first.body, /%5Calice$/);
      const second = await curl([...jar, '-d', 'x', `${url}/other`]);
      assert.deepEqual([second.status, second.body], [200, first.body]);
    } finally {
      application.closeAllConnections();
      application.close();
    }
  });
});
