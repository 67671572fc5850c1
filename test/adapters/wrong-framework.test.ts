/** An adapter that was given to another framework than its own says so. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { requireUser, sspiAuth as forExpress } from '../../adapters/express.ts';
import { sspiAuth as forFastify } from '../../adapters/fastify.ts';
import { sspiAuth as forHono } from '../../adapters/hono.ts';
import { sspiAuth as forKoa } from '../../adapters/koa.ts';
import { sspiAuth as forNode } from '../../adapters/node.ts';
import { accounts } from './raw-clients.ts';

/** Middleware, as JavaScript would pass it. */
type Anything = never;

const options = { accounts };

async function throughExpress(middleware: unknown): Promise<string> {
  const app = express();
  let message = '';
  app.use(middleware as Anything);
  app.use((error: Error, _request: unknown, response: express.Response, next: () => void) => {
    ({ message } = error);
    response.sendStatus(500);
    if (!response.headersSent) next();
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  assert.equal(response.status, 500);
  server.closeAllConnections();
  server.close();
  return message;
}

async function throughKoa(middleware: unknown): Promise<string> {
  const app = new Koa();
  let message = '';
  app.on('error', (error: Error) => ({ message } = error));
  app.use(middleware as Anything);
  const listener = app.callback();
  const server = createServer((request, response) => {
    listener(request, response).catch(assert.fail);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  assert.equal(response.status, 500);
  server.closeAllConnections();
  server.close();
  return message;
}

async function throughHono(middleware: unknown): Promise<string> {
  const app = new Hono();
  let message = '';
  app.use(middleware as Anything);
  app.onError((error, c) => {
    ({ message } = error);
    return c.text('', 500);
  });
  assert.equal((await app.request('/')).status, 500);
  return message;
}

/** As Fastify calls a plugin. What a plugin throws ends the process of Fastify, so it is called here. */
async function throughFastify(plugin: unknown): Promise<string> {
  const app = fastify();
  try {
    await (plugin as (...given: unknown[]) => unknown)(app, {}, () => undefined);
  } catch (error) {
    return (error as Error).message;
  } finally {
    await app.close();
  }
  return '';
}

describe('the wrong framework', () => {
  const table = [
    [
      'koa in Express',
      () => throughExpress(forKoa(options)),
      /sspi-auth\/koa was called with a request of Express.*'sspi-auth\/express'/,
    ],
    ['hono in Express', () => throughExpress(forHono(options)), /sspi-auth\/hono was called with a request of Express/],
    ['fastify in Express', () => throughExpress(forFastify), /sspi-auth\/fastify was called with a request of Express/],
    [
      'express in Koa',
      () => throughKoa(forExpress(options)),
      /sspi-auth\/express was called with a context of Koa.*'sspi-auth\/koa'/,
    ],
    ['hono in Koa', () => throughKoa(forHono(options)), /sspi-auth\/hono was called with a context of Koa/],
    ['express in Hono', () => throughHono(forExpress(options)), /sspi-auth\/express was called with a context of Hono/],
    ['koa in Hono', () => throughHono(forKoa(options)), /sspi-auth\/koa was called with a context of Hono/],
    ['hono without a server', () => throughHono(forHono(options)), /@hono\/node-server/],
    [
      'express in Fastify',
      () => throughFastify(forExpress(options)),
      /sspi-auth\/express was called with an instance or a request of Fastify/,
    ],
    ['koa in Fastify', () => throughFastify(forKoa(options)), /sspi-auth\/koa was called with an instance/],
    ['node in Fastify', () => throughFastify(forNode(options)), /sspi-auth\/node was called with an instance/],
    ['requireUser without sspiAuth', () => throughExpress(requireUser), /no sspiAuth\(\) has seen/],
  ] as const;
  for (const [name, run, message] of table) {
    it(name, async () => {
      assert.match(await run(), message);
    });
  }
});
