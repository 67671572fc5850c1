/** nginx in front of a test's own server. */
import { mkdir, writeFile } from 'node:fs/promises';
import { freePort } from './ports.ts';
import { startProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** Debian's package. */
export const nginxPackages: readonly string[] = ['nginx-light'];

/** A running nginx. */
export interface Nginx extends AsyncDisposable {
  /** Of 127.0.0.1. */
  readonly port: number;
}

/**
 * Starts it.
 *
 * @param server what is in its server block, beside the port that it listens on
 * @param http what is in its http block beside that, such as upstreams
 * @throws Error with its output where it does not start
 */
export async function startNginx(server: string, http = ''): Promise<Nginx> {
  const folder = await scratchFolder('nginx');
  try {
    await mkdir(folder.file('temporary'));
    const port = await freePort();
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    await writeFile(
      folder.file('nginx.conf'),
      `daemon off; user root; worker_processes 1; pid ${folder.file('pid')}; error_log stderr notice;
events {}
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder.file('temporary', name)};`).join(' ')}
  ${http}
  server {
    listen 127.0.0.1:${port};
    ${server}
  }
}
`,
    );
    const nginx = await startProcess('/usr/sbin/nginx', ['-p', folder.path, '-c', folder.file('nginx.conf')]);
    const dispose = async (): Promise<void> => {
      await nginx.stop();
      await folder.remove();
    };
    try {
      await nginx.waitForLine(/start worker process \d/);
    } catch (error) {
      await dispose();
      throw error;
    }
    return { port, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}
