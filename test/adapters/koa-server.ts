/** The application on Koa. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import Koa from 'koa';
import { sspiAuth as koaSspiAuth } from '../../adapters/koa.ts';
import type { KoaSspiAuthOptions, SspiAuthContext, SspiAuthState } from '../../adapters/koa.ts';
import {
  afterDeadline,
  answer,
  bodyOf,
  listening,
  meddle,
  optionsFor,
  refusalPage,
  requestCount,
} from './application.ts';
import type { Refusing, StartServer } from './application.ts';

export const startKoa: StartServer = async (options) => {
  const handled = requestCount();
  const { refusing, group } = options;
  const app = new Koa();
  app.silent = true;
  if (refusing === 'error') {
    app.use(async (context, next) => {
      try {
        await next();
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'ERR_SSPI_AUTH_REFUSED') throw error;
        meddle(context.res);
        context.status = 200;
        context.body = refusalPage;
      }
    });
  }
  const auth = koaSspiAuth({ ...optionsFor<SspiAuthContext>(options, ({ req }) => req), ...koaRefuse(refusing) });
  app.use(auth);
  const requireGroup = group === undefined ? undefined : auth.requireGroup(group);
  app.use((context, next) =>
    context.path === '/user' ? (auth.requireUser(context as never, next) as Promise<unknown>) : next(),
  );
  app.use((context, next) =>
    context.path === '/group' && requireGroup !== undefined
      ? (requireGroup(context as never, next) as Promise<unknown>)
      : next(),
  );
  app.use(async (context, next) => {
    if (context.path !== '/sign-out') await next();
    else context.body = { told: await auth.signOut(context) };
  });
  app.use(async (context) => {
    handled.add();
    const { user, sspi } = context.state as SspiAuthState;
    context.body = answer(user, sspi, await bodyOf(context.req));
  });
  const listener = app.callback();
  const server = createServer((request, response) => {
    listener(request, response).catch((error: unknown) => assert.ifError(error));
  });
  return listening(
    server,
    auth.authenticator,
    () => handled.total,
    () => auth.close(),
  );
};

/** `refuse` for Koa. */
function koaRefuse(refusing: Refusing | undefined): Pick<KoaSspiAuthOptions, 'refuse'> {
  if (refusing === undefined) return {};
  if (refusing === 'error') return { refuse: 'error' };
  return {
    refuse: (context) => {
      switch (refusing) {
        case 'meddling':
          meddle(context.res);
          context.status = 200;
          context.body = refusalPage;
          return undefined;
        case 'later':
          return Promise.resolve().then(() => void (context.body = refusalPage));
        case 'throwing':
          context.set('X-Half', 'done');
          throw new Error('the page is broken');
        case 'rejecting':
          return Promise.reject(new Error('the page is broken'));
        case 'hanging':
          return afterDeadline().then(() => void (context.body = refusalPage));
      }
    },
  };
}
