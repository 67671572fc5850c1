/** Passport on Express: single sign-on on a login route, then a session. The cookie says the rest. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import express from 'express';
import type { RequestHandler } from 'express';
import session from 'express-session';
import passport from 'passport';
import { memoryAccounts, recommendedServerOptions } from 'sspi-auth';
import { Strategy } from 'sspi-auth/passport';

passport.use(new Strategy({ accounts: memoryAccounts([{ userName: 'alice', password: 'Wonderland-7' }]) }));
passport.serializeUser((user, done) => done(null, JSON.stringify(user)));
passport.deserializeUser((text: string, done) => done(null, JSON.parse(text) as Express.User));

const signOn = passport.authenticate('sspi') as RequestHandler;
const app = express();
app.use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false }));
app.use(passport.session() as RequestHandler);
app.use((request, response, next) => {
  // The login route is every route here, for those who have no session yet.
  if (request.user === undefined) signOn(request, response, next);
  else next();
});
app.get('/', (request, response) => {
  response.send(`Hello ${request.user?.name}, by ${request.sspi?.package ?? 'session'}\n`);
});
const server = createServer(recommendedServerOptions, app);
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1', () => {
  console.log('listening on', server.address());
});
