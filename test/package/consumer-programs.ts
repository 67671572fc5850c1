/** The smallest application of each framework, as one program for every kind of module: plain JavaScript that compiles. */

/** A program of a consumer. */
export interface ConsumerProgram {
  /** The framework, with its major. */
  readonly name: string;
  /** Packages it needs beside sspi-auth; `express4 as express` is installed by another name. */
  readonly packages: readonly string[];
  /** What is imported from where: the words between `import` and `from`. */
  readonly imports: readonly (readonly [names: string, from: string])[];
  readonly body: string;
}

const options = `{
  accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]),
  domain: 'LAB',
}`;

const express: Omit<ConsumerProgram, 'name' | 'packages'> = {
  imports: [
    ['express', 'express'],
    ['{ memoryAccounts }', 'sspi-auth'],
    ['{ sspiAuth }', 'sspi-auth/express'],
  ],
  body: `
const app = express();
app.use(sspiAuth(${options}));
app.get('/', (request, response) => { response.send(request.user?.name); });
app.listen(8080, '127.0.0.1');
`,
};

/** A controller without the syntax of decorators, which plain JavaScript lacks. */
const nestModule = `
class Home {
  home(request = { user: { name: '' } }) { return request.user.name; }
}
const home = Object.getOwnPropertyDescriptor(Home.prototype, 'home');
if (home === undefined) throw new Error('no method');
Req()(Home.prototype, 'home', 0);
Get()(Home.prototype, 'home', home);
Controller()(Home);
class Application {}
Module({ controllers: [Home] })(Application);
`;

/** Every program. */
export const consumerPrograms: readonly ConsumerProgram[] = [
  { name: 'Express 5', packages: ['express'], ...express },
  { name: 'Express 4', packages: ['express4 as express'], ...express },
  {
    name: 'Fastify 5',
    packages: ['fastify'],
    imports: [
      ['{ fastify }', 'fastify'],
      ['{ memoryAccounts }', 'sspi-auth'],
      ['{ sspiAuth }', 'sspi-auth/fastify'],
    ],
    body: `
const app = fastify();
app.register(sspiAuth, ${options});
app.get('/', (request) => request.user?.name);
app.listen({ port: 8080, host: '127.0.0.1' });
`,
  },
  {
    name: 'node:http',
    packages: [],
    imports: [
      ['{ createServer }', 'node:http'],
      ['{ memoryAccounts }', 'sspi-auth'],
      ['{ sspiAuth }', 'sspi-auth/node'],
    ],
    body: `
const protect = sspiAuth(${options});
createServer(protect((request, response) => { response.end(request.user?.name); })).listen(8080, '127.0.0.1');
`,
  },
  {
    name: 'Koa 3',
    packages: ['koa'],
    imports: [
      ['Koa', 'koa'],
      ['{ memoryAccounts }', 'sspi-auth'],
      ['{ sspiAuth }', 'sspi-auth/koa'],
    ],
    body: `
const app = new Koa();
app.use(sspiAuth(${options}));
app.use((context) => { context.body = context.state.user?.name; });
app.listen(8080, '127.0.0.1');
`,
  },
  {
    name: 'Hono 4',
    packages: ['hono', '@hono/node-server'],
    imports: [
      ['{ serve }', '@hono/node-server'],
      ['{ Hono }', 'hono'],
      ['{ memoryAccounts }', 'sspi-auth'],
      ['{ sspiAuth }', 'sspi-auth/hono'],
    ],
    body: `
const app = new Hono();
app.use(sspiAuth(${options}));
app.get('/', (c) => c.text(c.var.user?.name ?? ''));
serve({ fetch: app.fetch, port: 8080, hostname: '127.0.0.1' });
`,
  },
  {
    name: 'Nest 12 on Express',
    packages: ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'reflect-metadata', 'rxjs'],
    imports: [
      ['{ Controller, Get, Module, Req }', '@nestjs/common'],
      ['{ NestFactory }', '@nestjs/core'],
      ['{ memoryAccounts }', 'sspi-auth'],
      ['{ sspiAuth }', 'sspi-auth/express'],
    ],
    body: `${nestModule}
NestFactory.create(Application, { logger: false }).then((app) => {
  app.use(sspiAuth(${options}));
  return app.listen(8080, '127.0.0.1');
});
`,
  },
  {
    name: 'Nest 12 on Fastify',
    packages: ['@nestjs/common', '@nestjs/core', '@nestjs/platform-fastify', 'reflect-metadata', 'rxjs'],
    imports: [
      ['{ Controller, Get, Module, Req }', '@nestjs/common'],
      ['{ NestFactory }', '@nestjs/core'],
      ['{ FastifyAdapter }', '@nestjs/platform-fastify'],
      ['{ memoryAccounts }', 'sspi-auth'],
      ['{ sspiAuth }', 'sspi-auth/fastify'],
    ],
    body: `${nestModule}
const platform = new FastifyAdapter();
NestFactory.create(Application, platform, { logger: false }).then(async (app) => {
  await platform.getInstance().register(sspiAuth, ${options});
  await app.listen(8080, '127.0.0.1');
});
`,
  },
  {
    name: 'Passport 0.7',
    packages: ['express', 'passport'],
    imports: [
      ['express', 'express'],
      ['passport', 'passport'],
      ['{ memoryAccounts }', 'sspi-auth'],
      ['{ Strategy }', 'sspi-auth/passport'],
    ],
    body: `
passport.use(new Strategy(${options}));
const app = express();
app.use(passport.authenticate('sspi', { session: false }));
app.get('/', (request, response) => { response.send(request.user?.name); });
app.listen(8080, '127.0.0.1');
`,
  },
];

/** Kinds of modules. */
export type ModuleKind = 'ES module' | 'CommonJS';

/** The program as a module of JavaScript; as an ES module it is TypeScript as well. */
export function programText({ imports, body }: ConsumerProgram, kind: ModuleKind): string {
  const lines = imports.map(([names, from]) =>
    kind === 'CommonJS' ? `const ${names} = require('${from}');` : `import ${names} from '${from}';`,
  );
  return `${lines.join('\n')}\n${body}`;
}
