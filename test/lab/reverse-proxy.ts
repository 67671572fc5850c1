/** Debian's nginx and HAProxy in front of servers of a test. */
import { mkdir, writeFile } from 'node:fs/promises';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** A proxy that runs. */
export interface ReverseProxy extends AsyncDisposable {
  readonly origin: string;
  readonly port: number;
}

/** What is behind a proxy, and how it goes there. */
export interface Upstreams {
  /** Ports of 127.0.0.1, taken by turns. */
  readonly ports: readonly number[];
  /**
   * How many connections to all of them are kept and shared by all clients; 0: one for each request. nginx opens more
   * where more requests are under way.
   */
  readonly shared: number;
}

/** nginx with one worker process. */
export async function startNginx({ ports, shared }: Upstreams): Promise<ReverseProxy> {
  const folder = await scratchFolder('nginx');
  await mkdir(folder.file('temporary'));
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const servers = ports.map((upstream) => `server 127.0.0.1:${upstream};`);
  await writeFile(
    folder.file('nginx.conf'),
    `daemon off; user root; pid ${folder.file('pid')}; error_log stderr notice; worker_processes 1;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder.file('temporary', name)};`).join(' ')}
  upstream node { ${servers.join(' ')} ${shared > 0 ? `keepalive ${shared};` : ''} }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://node;
      proxy_set_header Host $http_host;
      ${shared > 0 ? 'proxy_http_version 1.1; proxy_set_header Connection "";' : ''}
    }
  }
}
`,
  );
  const nginx = await startProcess('/usr/sbin/nginx', ['-p', folder.path, '-c', folder.file('nginx.conf')]);
  await nginx.waitForLine(/start worker process \d/);
  return proxyOf(port, async () => {
    await nginx.stop();
    await folder.remove();
  });
}

/** HAProxy. With shared connections, any client may be given any that is idle (`http-reuse always`). */
export async function startHaproxy({ ports, shared }: Upstreams): Promise<ReverseProxy> {
  const folder = await scratchFolder('haproxy');
  const port = await freePort();
  const each = Math.max(1, Math.floor(shared / ports.length));
  const servers = ports.map((upstream, index) => {
    const limits = shared > 0 ? ` maxconn ${each} pool-max-conn ${each}` : '';
    return `  server node${index} 127.0.0.1:${upstream}${limits}`;
  });
  await writeFile(
    folder.file('haproxy.cfg'),
    `global
  maxconn 1000
  nbthread 1
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  timeout queue 60s
  option ${shared > 0 ? 'http-keep-alive' : 'http-server-close'}
  http-reuse ${shared > 0 ? 'always' : 'never'}
frontend front
  bind 127.0.0.1:${port}
  default_backend node
backend node
  balance roundrobin
${servers.join('\n')}
`,
  );
  const haproxy = await startProcess('/usr/sbin/haproxy', ['-f', folder.file('haproxy.cfg'), '-W', '-db']);
  await haproxy.waitForLine(/Loading success|New worker/);
  return proxyOf(port, async () => {
    await haproxy.stop();
    await folder.remove();
  });
}

function proxyOf(port: number, stop: () => Promise<void>): ReverseProxy {
  return { port, origin: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: stop };
}
