/**
 * Encrypted messages of WinRM clients (pywinrm, Ansible, Windows itself), for Express, connect and node:http.
 *
 * ```ts
 * app.use(winrmEncryption());
 * app.use(sspiAuth({ accounts }));
 * app.use(express.text({ type: 'application/soap+xml' }));
 * ```
 *
 * For Fastify: `app.addHook('onRequest', (request, reply, done) => encryption(request.raw, reply.raw, done))`, before
 * sspiAuth is registered.
 */
export { winrmEncryption } from '../src/winrm/winrm-encryption.ts';
export type { WinrmEncryption, WinrmEncryptionOptions } from '../src/winrm/winrm-encryption.ts';
