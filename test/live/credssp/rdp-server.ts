/**
 * The beginning of an RDP server: X.224 negotiation (MS-RDPBCGR 2.2.1.1, 2.2.1.2), then CredSSP, and a record of who came.
 * It takes one connection. Signed in, a client is sent away.
 */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { CredSspAuthData } from '../../../src/packages/credssp/index.ts';
import { credsspPackage } from '../../../src/packages/credssp/index.ts';
import * as Sspi from '../../../src/sspi/index.ts';
import { listen } from '../../lab/ports.ts';
import { part, token } from '../../packages/schannel/schannel-server.ts';

/** What became of one client. */
export interface RdpVisit {
  /** Names of the statuses of its legs, without those that waited for more bytes. */
  readonly statuses: string[];
  readonly diagnoses: string[];
  /** `DOMAIN\user`, once it is signed in. */
  user: string | undefined;
  /** The package that verified it. */
  verifiedBy: string | undefined;
  /** Bytes of the TLS version: 0x303, 0x304. */
  tls: number | undefined;
  /** How many bytes came behind the last TSRequest. */
  extra: number;
  /** Settles when it has gone. */
  readonly ended: Promise<void>;
}

/** What a server does. */
export interface RdpServerOptions {
  readonly requirements?: number;
  /** Flags of RDP_NEG_RSP; 8: restricted administration is supported. */
  readonly negotiationFlags?: number;
  /** Called while the context stands, which is deleted afterwards. */
  readonly signedIn?: (context: Sspi.ContextHandle) => void | Promise<void>;
}

export interface RecordedRdpServer extends AsyncDisposable {
  readonly port: number;
  readonly visits: readonly RdpVisit[];
}

/** Starts the server. */
export async function rdpServer(authData: CredSspAuthData, options: RdpServerOptions = {}): Promise<RecordedRdpServer> {
  const acquired = Sspi.acquireCredentialsHandle({ package: credsspPackage, credentialUse: 'inbound', authData });
  const credential = await acquired;
  const visits: RdpVisit[] = [];
  // xfreerdp comes a second time where it was sent away: it finds nobody.
  const tcp = createServer((socket) => {
    tcp.close();
    const visit: RdpVisit = {
      ...{ statuses: [], diagnoses: [], user: undefined, verifiedBy: undefined, tls: undefined, extra: 0 },
      ended: Promise.resolve(),
    };
    const ended = serve(socket, credential, visit, options).catch((error: unknown) => {
      if ((error as { readonly code?: string }).code !== 'ECONNRESET') visit.diagnoses.push(String(error));
    });
    visits.push(Object.assign(visit, { ended }));
  });
  const server = await listen(tcp);
  return {
    port: server.port,
    visits,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Promise.all(visits.map(({ ended }) => ended));
      Sspi.freeCredentialsHandle(credential);
    },
  };
}

/** The Connection Confirm that selects CredSSP (PROTOCOL_HYBRID). */
function connectionConfirm(flags: number): Buffer {
  const bytes = Buffer.from('030000130ed000001234000200080002000000', 'hex');
  bytes[12] = flags;
  return bytes;
}

async function serve(
  socket: Socket,
  credential: Sspi.CredentialHandle,
  visit: RdpVisit,
  { requirements = Sspi.ASC_REQ_EXTENDED_ERROR, negotiationFlags = 0, signedIn }: RdpServerOptions,
): Promise<void> {
  let context: Sspi.ContextHandle | undefined;
  let waiting: Buffer = Buffer.alloc(0);
  let negotiated = false;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      waiting = Buffer.concat([waiting, chunk]);
      if (!negotiated) {
        const length = waiting.byteLength < 4 ? Infinity : waiting.readUInt16BE(2);
        if (waiting.byteLength < length) continue;
        waiting = waiting.subarray(length);
        negotiated = true;
        socket.write(connectionConfirm(negotiationFlags));
      }
      while (waiting.byteLength > 0) {
        const result = await Sspi.acceptSecurityContext({
          credential,
          context,
          input: [token(waiting)],
          requirements,
          targetDataRep: Sspi.SECURITY_NETWORK_DREP,
        });
        ({ context } = result);
        if (result.status === Sspi.SEC_E_INCOMPLETE_MESSAGE) break;
        visit.statuses.push(Sspi.statusName(result.status));
        if (result.diagnosis?.text !== undefined) visit.diagnoses.push(result.diagnosis.text);
        socket.write(part(result.output, Sspi.SECBUFFER_TOKEN));
        waiting = part(result.output, Sspi.SECBUFFER_EXTRA);
        if (context === undefined) return;
        if (result.status !== Sspi.SEC_E_OK) continue;
        visit.extra = waiting.byteLength;
        visit.user = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NAMES).value;
        const info = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_NEGOTIATION_INFO);
        visit.verifiedBy = info.value?.package.name;
        visit.tls = Sspi.queryContextAttributes(context, Sspi.SECPKG_ATTR_CIPHER_INFO).value?.protocol;
        await signedIn?.(context);
        return;
      }
    }
  } finally {
    if (context !== undefined) Sspi.deleteSecurityContext(context);
    socket.end();
  }
}
