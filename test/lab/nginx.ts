/** nginx in front of a test's own server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  readonly port: number;
}

/**
 * Starts nginx with one server.
 *
 * @param directives what stands in its server block, such as `location / { proxy_pass http://127.0.0.1:8080; }`
 */
export async function startNginx(directives: string): Promise<Nginx> {
  const folder = await scratchFolder('nginx');
  await mkdir(folder.file('temporary'));
  const port = await freePort();
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
    ${directives}
  }
}
`,
  );
  const nginx = await startProcess('/usr/sbin/nginx', ['-p', folder.path, '-c', folder.file('nginx.conf')]);
  await nginx.waitForLine(/start worker process \d/);
  return {
    port,
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}
