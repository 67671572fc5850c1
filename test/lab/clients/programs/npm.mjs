/**
 * HTTP clients of npm: npm.mjs FOLDER CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them. FOLDER has their
 * node_modules.
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { argv, exit, stdout } from 'node:process';
import { setTimeout } from 'node:timers';

const [folder, client, , base, user, password, ...steps] = argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const [domain, username] = user.includes('\\') ? user.split('\\') : ['', user];
const type = { 'Content-Type': 'application/octet-stream' };
const text = (data) => (typeof data === 'string' ? data : Buffer.from(data ?? '').toString());

/** How each sends one request: status and body. */
const clients = {
  'axios-ntlm'() {
    const { NtlmClient } = require('axios-ntlm');
    const session = NtlmClient({ username, password, domain }, { maxBodyLength: Infinity, responseType: 'text' });
    return async (method, url, body) => {
      const { status, data } = await session.request({ method, url, data: body, headers: body && type });
      return [status, data];
    };
  },
  httpntlm() {
    const httpntlm = require('httpntlm');
    return (method, url, body) =>
      new Promise((resolve, reject) => {
        const account = { username, password, domain, workstation: '' };
        const options = { ...account, url, allowRedirects: true, ...(body && { body, headers: type }) };
        httpntlm[method.toLowerCase()](options, (error, answer) => {
          if (error) reject(error);
          else resolve([answer.statusCode, text(answer.body)]);
        });
      });
  },
  '@mhoc/axios-digest-auth'() {
    const loaded = require('@mhoc/axios-digest-auth');
    const session = new (loaded.default ?? loaded)({ username: user, password });
    return async (method, url, body) => {
      const limits = { maxBodyLength: Infinity, responseType: 'text' };
      const { status, data } = await session.request({ method, url, data: body, headers: body ? type : {}, ...limits });
      return [status, data];
    };
  },
  'digest-fetch'() {
    const loaded = require('digest-fetch');
    const session = new (loaded.default ?? loaded)(user, password, { algorithm: 'MD5' });
    return async (method, url, body) => {
      const answer = await session.fetch(url, body ? { method, body, headers: type } : { method });
      return [answer.status, await answer.text()];
    };
  },
  urllib() {
    const { request } = require('urllib');
    return async (method, url, body) => {
      const options = { method, digestAuth: `${user}:${password}`, dataType: 'text', followRedirect: true };
      const { status, data } = await request(url, {
        ...options,
        timeout: 15_000,
        content: body,
        headers: body && type,
      });
      return [status, data];
    };
  },
};

// A client that waits for ever has failed.
setTimeout(() => exit(1), 20_000).unref();
const send = clients[client]();
for (const step of steps) {
  const [method, path, file] = step.split(' ');
  try {
    const [status, body] = await send(method, base + path, file && readFileSync(file));
    stdout.write(`${status} ${body}\n`);
  } catch (error) {
    stdout.write(`${error.name} ${error.message} ${error.response?.status ?? ''}\n`);
  }
}
// Some keep their connections open, and this process with them.
exit(0);
