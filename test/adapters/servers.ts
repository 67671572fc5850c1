/** The same application behind every adapter: what the scenarios of this folder are run against. */
import type { StartServer } from './application.ts';
import { startFastify } from './fastify-server.ts';
import { startHono } from './hono-server.ts';
import { startKoa } from './koa-server.ts';
import { listenerServers } from './listener-servers.ts';

export { refusalPage } from './application.ts';
export type { Answer, Refusing, RunningServer, ScenarioOptions, StartServer } from './application.ts';

const { 'Express 5': express5, 'Express 4': express4, 'node:http': node, ...others } = listenerServers;

/** Every adapter by name. */
export const adapters: Readonly<Record<string, StartServer>> = {
  'Express 5': express5,
  'Express 4': express4,
  'Fastify 5': startFastify,
  'node:http': node,
  'Koa 3': startKoa,
  'Hono 4': startHono,
  ...others,
};
