/** Real tokens of several clients and KDCs, with the key that opens them: what `differential.live.test.ts` alters. */
import { mutual, startGssClient } from '../../lab/gss-client.ts';
import { startKdc } from '../../lab/kdc.ts';
import { keytabKey } from '../../lab/kerberos/ap-request-forge.ts';
import { useRealm } from './acceptor.ts';

/** Application data of the channel bindings, of clients that send them and of the acceptor. */
export const bindingsText = 'tls-server-end-point:x';

/** Where tokens come from. */
export interface TokenSource extends AsyncDisposable {
  /** Tokens of now: a token is good for as long as the clocks may differ. */
  fresh(): Promise<readonly Buffer[]>;
  readonly keytab: string;
  /** Key of the service, of AES. */
  readonly key: Buffer;
  /** KRB5_CONFIG and KRB5_KTNAME. */
  readonly env: Readonly<Record<string, string>>;
}

/** An MIT KDC and MIT's client: with and without mutual authentication, channel bindings, a forwarded ticket. */
export async function mitTokens(): Promise<TokenSource> {
  const kdc = await startKdc();
  useRealm(kdc);
  const client = await startGssClient(await kdc.signIn('alice', ['-f']));
  return {
    async fresh() {
      return [
        await client.initiate(),
        await client.initiate({ flags: ['integrity'] }),
        await client.initiate({ bindings: Buffer.from(bindingsText) }),
        await client.initiate({ flags: [...mutual, 'delegate_to_peer'] }),
      ];
    },
    keytab: kdc.keytab,
    key: keytabKey(kdc.keytab, 'HTTP/localhost'),
    env: kdc.env,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await kdc.stop();
    },
  };
}
