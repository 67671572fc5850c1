/** What may stand in front of a fleet of four, each with few connections to its processes that all users share. */
import { Agent } from 'node:http';
import { matrixRows } from '../../lab/matrix.ts';
import { startHaproxy, startNginx } from '../../lab/reverse-proxy.ts';
import type { ReverseProxy } from '../../lab/reverse-proxy.ts';

/** A row of a matrix. */
export interface Balancer {
  readonly name: string;
  /** Undefined for the balancer of the test, whose clients ask the processes themselves, one after the other. */
  readonly start: (fleet: {
    readonly ports: readonly number[];
    readonly shared: number;
  }) => Promise<ReverseProxy | undefined>;
  /** The agent that a user has. Whoever asks destroys it. */
  readonly agentOf: () => Agent;
}

const kept = (maxSockets: number): Agent => new Agent({ keepAlive: true, maxSockets });

/**
 * The balancers: nginx opens a connection for each request that is under way: 4 at a time. HAProxy has requests wait. The
 * balancer of the test sends each request to another process, all by one agent: a connection to each process.
 */
export function balancers(): readonly Balancer[] {
  const [four, one] = [kept(4), kept(1)];
  return matrixRows<Balancer>(
    [
      { name: 'nginx', start: startNginx, agentOf: () => four },
      { name: 'HAProxy', start: startHaproxy, agentOf: () => kept(1) },
      { name: 'a balancer', start: () => Promise.resolve(undefined), agentOf: () => one },
    ],
    () => 'balancer',
  );
}
