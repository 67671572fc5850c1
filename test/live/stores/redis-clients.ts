/** The clients of Redis that are supported, each connected to a server or a cluster. */
import { Cluster, Redis } from 'ioredis';
import { Cluster as PreviousCluster, Redis as PreviousRedis } from 'ioredis-previous';
import { createClient, createCluster } from 'redis';
import { createClient as previousClient, createCluster as previousCluster } from 'redis-previous';
import type { RedisClient } from '../../../src/index.ts';

/** A connected client. */
export interface Connected {
  readonly client: RedisClient;
  readonly end: () => Promise<unknown>;
}

/** A package of npm that is a client of Redis. */
export interface ClientPackage {
  readonly name: string;
  /** The same for all releases of a package. */
  readonly family: string;
  /** By the path of a Unix socket. */
  readonly connect: (socket: string) => Promise<Connected>;
  /** By the ports of a cluster on 127.0.0.1. */
  readonly connectToCluster: (ports: readonly number[]) => Promise<Connected>;
}

const nodeRedis = (name: string, create: typeof createClient, cluster: typeof createCluster): ClientPackage => ({
  name,
  family: name.replace(/ .*/, ''),
  connect: async (socket) => {
    const client = create({ socket: { path: socket, tls: false } });
    await client.connect();
    return { client, end: () => client.close() };
  },
  connectToCluster: async (ports) => {
    const client = cluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
    await client.connect();
    return { client, end: () => client.close() };
  },
});

const ioRedis = (name: string, client: typeof Redis, cluster: typeof Cluster): ClientPackage => ({
  name,
  family: name.replace(/ .*/, ''),
  connect: async (socket) => {
    const redis = new client({ path: socket, lazyConnect: true });
    await redis.connect();
    return { client: redis, end: () => redis.quit() };
  },
  connectToCluster: async (ports) => {
    const redis = new cluster(
      ports.map((port) => ({ host: '127.0.0.1', port })),
      { lazyConnect: true },
    );
    await redis.connect();
    return { client: redis, end: () => redis.quit() };
  },
});

export const clientPackages: readonly ClientPackage[] = [
  nodeRedis('redis 6', createClient, createCluster),
  nodeRedis(
    'redis 5',
    previousClient as unknown as typeof createClient,
    previousCluster as unknown as typeof createCluster,
  ),
  ioRedis('ioredis 6', Redis, Cluster),
  ioRedis('ioredis 5', PreviousRedis as unknown as typeof Redis, PreviousCluster as unknown as typeof Cluster),
];
