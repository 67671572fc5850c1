/** Digest behind nginx, which writes paths anew, and from clients that write names and targets in ways of their own. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import express from 'express';
import { sspiAuth } from '../../../adapters/express.ts';
import { memoryAccounts } from '../../../src/index.ts';
import { freePort, listen } from '../../lab/ports.ts';
import { runChecked, startProcess } from '../../lab/process.ts';
import type { RunningProcess } from '../../lab/process.ts';
import { scratchFolder } from '../../lab/scratch.ts';
import type { ScratchFolder } from '../../lab/scratch.ts';
import { tier } from '../../lab/tier.ts';

const ready = await tier('curl', ['nginx-light', 'python3-requests']);

interface Refusal {
  readonly account?: string | null;
  readonly diagnosis?: string;
}

describe('Digest: what is altered on the way', ready, () => {
  let folder: ScratchFolder;
  let server: Server;
  let nginx: RunningProcess;
  let direct: string;
  let proxy: string;
  const refusals: Refusal[] = [];

  before(async () => {
    const app = express();
    const logger = {
      info: () => undefined,
      warn: (record: object) => {
        if ('durationMilliseconds' in record) refusals.push(record as Refusal);
      },
      error: (record: object) => assert.fail(JSON.stringify(record)),
    };
    const accounts = memoryAccounts([
      { userName: 'alice', password: 'Circle of Life' },
      { userName: 'jörg', password: 'Wörter' },
    ]);
    app.use(sspiAuth({ accounts, domain: 'LAB', schemes: ['Digest'], logger }));
    app.use((request, response) => void response.end(`${request.user?.userName} ${request.originalUrl}`));
    server = createServer(app);
    ({ origin: direct } = await listen(server));
    folder = await scratchFolder('nginx');
    await mkdir(folder.file('temporary'));
    const port = await freePort();
    proxy = `http://127.0.0.1:${port}`;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    await writeFile(
      folder.file('nginx.conf'),
      `daemon off; user root; pid ${folder.file('pid')}; error_log stderr notice;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder.file('temporary', name)};`).join(' ')}
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass ${direct}/; }
    location /cut/ { proxy_pass ${direct}/; }
  }
}
`,
    );
    nginx = await startProcess('/usr/sbin/nginx', ['-p', folder.path, '-c', folder.file('nginx.conf')]);
    await nginx.waitForLine(/start worker process \d/);
  });

  beforeEach(() => void refusals.splice(0));

  after(async () => {
    await nginx[Symbol.asyncDispose]();
    server.closeAllConnections();
    server.close();
    await folder.remove();
  });

  const curl = async (url: string, password = 'Circle of Life'): Promise<string> => {
    const how = ['-sS', '--noproxy', '*', '--path-as-is', '--digest', '-u', `alice:${password}`];
    return runChecked('curl', [...how, '-w', '\n%{http_code}', url]);
  };

  for (const [path, seen] of [
    ['/caf%c3%a9', '/caf%C3%A9'],
    ['/%7Euser', '/~user'],
    ['/%61', '/a'],
    ['/a/../b?c=%2f', '/b?c=%2f'],
    ['/a/./b/', '/a/b/'],
  ] as const) {
    it(`E07: nginx makes ${seen} of ${path}, and the client comes in`, async () => {
      assert.equal(await curl(`${proxy}${path}`), `alice ${seen}\n200`);
      assert.match(await curl(`${proxy}${path}`, 'wrong'), /\n401$/);
    });
  }

  it('E07: nginx cuts off a part of the path, and the log says so', async () => {
    assert.match(await curl(`${proxy}/cut/page?token=s3cret`), /\n400$/);
    const [refusal, ...more] = refusals;
    assert.deepEqual(more, []);
    assert.match(refusal?.account ?? '', /alice/);
    assert.match(
      refusal?.diagnosis ?? '',
      /the client asked for \/cut\/page, and the request is for \/page: a proxy may have rewritten the path/,
    );
    assert.doesNotMatch(JSON.stringify(refusals), /s3cret/);
  });

  for (const target of [String.raw`/f?p=C:\dir\x`, String.raw`/f?p=\\server\x`, '/f?p=C:\\', '/f\\']) {
    it(`E07: curl asks for ${target}`, async () => {
      assert.equal(await curl(`${direct}${target}`), `alice ${target}\n200`);
      assert.match(await curl(`${direct}${target}`, 'wrong'), /\n401$/);
    });
  }

  it('E14: requests writes a name in ISO 8859-1', async () => {
    const program = `
import requests, sys
from requests.auth import HTTPDigestAuth
session = requests.Session()
session.trust_env = False
for name, password in [('jörg', 'Wörter'), ('jörg', 'wrong'), ('jürg', 'Wörter')]:
    answer = session.get(sys.argv[1], auth=HTTPDigestAuth(name, password))
    print(answer.status_code, answer.text.strip())
`;
    const printed = await runChecked('/usr/bin/python3', ['-X', 'utf8', '-c', program, `${direct}/`]);
    assert.equal(printed, '200 jörg /\n401 401 Unauthorized\n401 401 Unauthorized\n');
  });
});
