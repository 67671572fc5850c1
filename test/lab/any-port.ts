/**
 * Runs a program that listens on a port of its own choice, such as one that a document shows, as it stands and on a free
 * port: `process.execPath, [...onAnyPort, 'app.mjs']`. It prints `port: <number>` for each server that listens.
 */
const preload = `
import { Server } from 'node:net';
const { listen } = Server.prototype;
Server.prototype.listen = function (where, ...rest) {
  this.once('listening', () => console.log('port: ' + this.address().port));
  return listen.call(this, typeof where === 'object' ? { ...where, port: 0 } : 0, ...rest);
};
`;

/** Words for node. */
export const onAnyPort: readonly string[] = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`];

/** The line it prints. */
export const portLine = /^port: (\d+)$/;
