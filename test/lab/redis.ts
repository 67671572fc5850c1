/**
 * Debian's redis-server: one on a Unix socket in a scratch folder, or a cluster of three on loopback ports.
 *
 * SSPI_AUTH_REDIS_SERVER names another program that understands the same, such as a valkey-server. Debian 12 has none.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.ts';
import { runProcess, startProcess } from './process.ts';
import type { RunningProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';

/** A server that can be stopped and started again. What it holds is gone then. */
export interface RedisServer extends AsyncDisposable {
  /** Path of its socket. */
  readonly socket: string;
  /** Its process; undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Runs a command by redis-cli. @returns what that prints */
  command(...words: readonly string[]): Promise<string>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const program = process.env['SSPI_AUTH_REDIS_SERVER'] ?? 'redis-server';
/** Nothing on disk, and nothing forgotten early. */
const settings = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction', '--daemonize', 'no'];
const isReady = /eady to accept connections/;

/** Starts a server that listens on a Unix socket alone. */
export async function startRedis(): Promise<RedisServer> {
  const folder = await scratchFolder('redis');
  const socket = folder.file('redis.sock');
  let running: RunningProcess | undefined;
  const start = async (): Promise<void> => {
    running = await startProcess(program, ['--port', '0', '--unixsocket', socket, ...settings], {
      cwd: folder.path,
    });
    await running.waitForLine(isReady);
  };
  const stop = async (): Promise<void> => {
    await running?.stop();
    running = undefined;
  };
  await start();
  return {
    socket,
    get pid() {
      return running?.pid;
    },
    command: async (...words) => (await runProcess('redis-cli', ['-s', socket, ...words])).stdout.trim(),
    stop,
    start,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await folder.remove();
    },
  };
}

/** A cluster of three servers, each with a third of the slots. */
export interface RedisCluster extends AsyncDisposable {
  readonly ports: readonly number[];
}

/** Starts a cluster and waits until each of its servers knows who has which slot. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const folder = await scratchFolder('redis-cluster');
  const servers: RunningProcess[] = [];
  const dispose = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
    await folder.remove();
  };
  try {
    const ports: number[] = [];
    for (const index of [0, 1, 2]) {
      const [port, bus] = [await freePort(), await freePort()];
      const own = ['--port', String(port), '--cluster-port', String(bus), '--bind', '127.0.0.1'];
      const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${index}.conf`];
      const server = await startProcess(program, [...own, ...cluster, ...settings], { cwd: folder.path });
      servers.push(server);
      await server.waitForLine(isReady);
      ports.push(port);
      const slots = [index * 5461, index === 2 ? 16_383 : (index + 1) * 5461 - 1].map(String);
      await cli(port, 'cluster', 'addslotsrange', ...slots);
      await cli(port, 'cluster', 'set-config-epoch', String(index + 1));
      if (index > 0) await cli(ports[0] ?? 0, 'cluster', 'meet', '127.0.0.1', String(port), String(bus));
    }
    for (const port of ports) {
      const isComplete = (info: string): boolean => /state:ok/.test(info) && /known_nodes:3/.test(info);
      while (!isComplete(await cli(port, 'cluster', 'info'))) await sleep(50);
    }
    return { ports, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function cli(port: number, ...words: readonly string[]): Promise<string> {
  return (await runProcess('redis-cli', ['-p', String(port), ...words])).stdout;
}
