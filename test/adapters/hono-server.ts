/** The application on Hono. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import type { HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import type { Context } from 'hono';
import { sspiAuth as honoSspiAuth } from '../../adapters/hono.ts';
import type { HonoSspiAuthOptions } from '../../adapters/hono.ts';
import { afterDeadline, answer, listening, meddle, optionsFor, refusalPage, requestCount } from './application.ts';
import type { Refusing, StartServer } from './application.ts';

export const startHono: StartServer = async (options) => {
  const handled = requestCount();
  const { refusing, group } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  const auth = honoSspiAuth({
    ...optionsFor<Context>(options, (c) => (c.env as HttpBindings).incoming),
    ...honoRefuse(refusing),
  });
  if (refusing === 'error') {
    app.onError((error, c) => {
      if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') throw error;
      return c.text(refusalPage, 200, { 'WWW-Authenticate': 'Basic', Connection: 'close' });
    });
  }
  app.use(auth);
  app.use('/user', auth.requireUser);
  if (group !== undefined) app.use('/group', auth.requireGroup(group));
  app.post('/sign-out', async (c) => c.json({ told: await auth.signOut(c) }));
  app.all('*', async (c) => {
    handled.add();
    const body = Buffer.from(await c.req.arrayBuffer());
    return c.json(answer(c.var.user, c.var.sspi, body));
  });
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
  await once(server, 'listening');
  return listening(
    server,
    auth.authenticator,
    () => handled.total,
    () => auth.close(),
  );
};

/** `refuse` for Hono. */
function honoRefuse(refusing: Refusing | undefined): Pick<HonoSspiAuthOptions, 'refuse'> {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (c) => {
      switch (refusing) {
        case 'meddling':
          meddle((c.env as HttpBindings).outgoing);
          return c.text(refusalPage, 200, { 'WWW-Authenticate': 'Basic', Connection: 'close' });
        case 'later':
          return Promise.resolve(c.text(refusalPage));
        case 'throwing':
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => c.text(refusalPage));
      }
    },
  };
}
