/** A realm with a client, an acceptor, and the key of its service in the hands of an attacker. */
import { keytabKey, openApRequest, sealApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import type { OpenApRequest } from '../../lab/kerberos/ap-request-forge.ts';
import { startGssClient } from '../../lab/gss-client.ts';
import type { GssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import type { Kdc } from '../../lab/kdc.ts';
import { acceptor, useRealm } from './acceptor.ts';
import type { Acceptor } from './acceptor.ts';

/** A realm in which tokens are forged, and what verifies them. */
export interface ForgeRealm {
  readonly kdc: Kdc;
  /** The environment of alice, who has a forwardable ticket. */
  readonly env: Readonly<Record<string, string>>;
  readonly client: GssClient;
  readonly server: Acceptor;
  /** Key of HTTP/localhost. */
  readonly key: Buffer;
  /** A real token with something altered inside and sealed again with the right keys. */
  forged(alter: (open: OpenApRequest) => void): Promise<Buffer>;
  stop(): Promise<void>;
}

/**
 * Starts a realm with a client and an acceptor in it.
 *
 * @param library the GSSAPI of the acceptor
 */
export async function startForgeRealm(library: string | undefined): Promise<ForgeRealm> {
  const kdc = await startKdc({ services: ['HTTP/localhost', 'HTTP/web.test.local', 'cifs/localhost'] });
  useRealm(kdc);
  const env = await kdc.signIn('alice', ['-f']);
  const client = await startGssClient(env);
  const server = await acceptor({ library, keytab: kdc.keytab });
  const key = keytabKey(kdc.keytab, 'HTTP/localhost');
  return {
    ...{ kdc, env, client, server, key },
    async forged(alter) {
      const open = openApRequest(await client.initiate(), key);
      alter(open);
      return sealApRequest(open, key);
    },
    async stop() {
      server[Symbol.dispose]();
      await client[Symbol.asyncDispose]();
      await kdc.stop();
    },
  };
}
