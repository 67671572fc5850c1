/* eslint @typescript-eslint/no-unsafe-class-instance-assignment: off -- Nest declares the options of create() as a class */
/** Nest on Express, or with PLATFORM=fastify on Fastify: a guard for groups, and @User() in handlers. */
import 'reflect-metadata';
import { Controller, createParamDecorator, ForbiddenException, Get, Module, SetMetadata } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { inGroup, memoryAccounts } from 'sspi-auth';
import type { Identity } from 'sspi-auth';
import { sspiAuth } from 'sspi-auth/express';
import { sspiAuth as sspiAuthForFastify } from 'sspi-auth/fastify';

const options = { accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]) };

/** The user of a request, on Express and on Fastify. */
const userOf = (context: ExecutionContext): Identity | undefined =>
  context.switchToHttp().getRequest<{ user?: Identity | null }>().user ?? undefined;

/** In a handler: `hello(@User() user: Identity)`. */
const User = createParamDecorator((_data: unknown, context: ExecutionContext) => userOf(context));

/** On a handler or a controller: who may come in. */
const Groups = (...sidsOrNames: [string, ...string[]]): MethodDecorator & ClassDecorator =>
  SetMetadata('groups', sidsOrNames);

/** sspiAuth() has let users in; this guard looks at their groups. */
class GroupsGuard implements CanActivate {
  readonly #reflector = new Reflector();

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    const groups = this.#reflector.getAllAndOverride<[string, ...string[]] | undefined>('groups', targets);
    if (groups === undefined || inGroup(...groups)(userOf(context))) return true;
    throw new ForbiddenException();
  }
}

@Controller()
class HelloController {
  @Get()
  hello(@User() user: Identity): string {
    return `Hello ${user.name}, by ${user.package}\n`;
  }

  @Get('admins')
  @Groups('Administrators')
  admins(): string {
    return 'Welcome\n';
  }
}

@Module({ controllers: [HelloController] })
class HelloModule {
  readonly name = 'hello';
}

async function onExpress(): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(HelloModule, { logger: ['warn', 'error'] });
  app.use(sspiAuth(options));
  return app;
}

async function onFastify(): Promise<NestFastifyApplication> {
  const platform = new FastifyAdapter();
  const app = await NestFactory.create<NestFastifyApplication>(HelloModule, platform, { logger: ['warn', 'error'] });
  await platform.getInstance().register(sspiAuthForFastify, options);
  return app;
}

const app = await (process.env['PLATFORM'] === 'fastify' ? onFastify() : onExpress());
app.useGlobalGuards(new GroupsGuard());
await app.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1');
console.log('listening on', (app.getHttpServer() as { address(): unknown }).address());
