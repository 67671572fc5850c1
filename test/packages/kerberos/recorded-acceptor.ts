/** Kerberos without a library at the time and with the key of a recorded token. */
import assert from 'node:assert/strict';
import { keyOfType } from '../../../src/crypto/kerberos/key-of-type.ts';
import { portableKerberosPackage } from '../../../src/packages/kerberos/index.ts';
import type { PortableKerberosAuthData, ReplayMemory, ServiceKey } from '../../../src/packages/kerberos/index.ts';
import { SECBUFFER_TOKEN, SECURITY_NATIVE_DREP, statusName } from '../../../src/sspi/index.ts';
import type { SecBuffer, SecurityContextToken } from '../../../src/sspi/index.ts';
import type { AcceptReply, PackageCredential, SecurityPackage } from '../../../src/sspi/security-package.ts';
import type { Vector } from '../../lab/kerberos/vectors.ts';

/** The time of a recorded authenticator, in milliseconds since 1970-01-01 UTC. */
export function recordedTime({ inputs }: Vector): number {
  const form = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
  return Date.parse(String(inputs['ctime']).replace(form, '$1-$2-$3T$4:$5:$6Z'));
}

/** How the acceptor of a recorded token differs from the usual one. */
export interface RecordedOptions {
  readonly allowRc4?: boolean;
  readonly clockSkewMilliseconds?: number;
  /** How much later it is than when the token was made, in milliseconds. */
  readonly offset?: number;
  readonly replay?: ReplayMemory;
}

/** What came of a token; its context is deleted. */
export interface RecordedResult {
  readonly status: string;
  readonly why: string;
  readonly token: SecurityContextToken | undefined;
}

/** An acceptor of recorded tokens. */
export interface RecordedAcceptor {
  readonly package: SecurityPackage;
  readonly authData: PortableKerberosAuthData;
  /** May be emptied, as if the keytab had changed. */
  readonly keys: ServiceKey[];
  readonly time: { offset: number };
  reply(token: Uint8Array): AcceptReply;
  ask(input: readonly SecBuffer[], requirements: number): AcceptReply;
  accept(token: Uint8Array): RecordedResult;
  acceptInput(input: readonly SecBuffer[], requirements: number): RecordedResult;
  acceptLater(token: Uint8Array): Promise<RecordedResult>;
  free(): void;
}

/** Makes one. */
export function recordedAcceptor(vector: Vector, options: RecordedOptions = {}): RecordedAcceptor {
  const { offset = 0, replay, ...rest } = options;
  const { inputs } = vector;
  const encryptionType = Number(inputs['etype']);
  const key = keyOfType(encryptionType, Buffer.from(String(inputs['key']), 'hex'));
  assert.ok(key !== undefined);
  const [name, realm, keyVersion] = [String(inputs['sname']), String(inputs['realm']), Number(inputs['kvno'])];
  const keys: ServiceKey[] = [{ name, realm, keyVersion, encryptionType, key }];
  const all = [...keys];
  const time = { offset };
  const seen = new Set<string>();
  const authData: PortableKerberosAuthData = {
    keys: () => ({
      candidates: (ticket) => keys.filter((held) => held.encryptionType === ticket.encryptionType),
      holds: (held) => keys.includes(held),
      refreshAfterRefusal: () => false,
      entries: () => keys,
      describe: () => 'of the test',
      reloadFailure: undefined,
      free() {
        for (const held of all) held.key.wipe();
      },
    }),
    replay: replay ?? { claim: (hash) => seen.size < seen.add(hash.toString('hex')).size },
    clock: { now: () => recordedTime(vector) + time.offset, elapsed: () => 0 },
    ...rest,
  };
  const parameters = { credentialUse: 'inbound', principal: undefined, authData } as const;
  const credential = portableKerberosPackage.acquireCredentials(parameters) as PackageCredential;
  const ask = (input: readonly SecBuffer[], requirements = 0): AcceptReply | Promise<AcceptReply> =>
    credential.accept({ input, requirements, targetDataRep: SECURITY_NATIVE_DREP });
  const inputOf = (token: Uint8Array): SecBuffer[] => [{ type: SECBUFFER_TOKEN, data: token }];
  const atOnce = (reply: AcceptReply | Promise<AcceptReply>): AcceptReply => {
    assert.ok(!(reply instanceof Promise));
    return reply;
  };
  const result = ({ status, context, diagnosis }: AcceptReply): RecordedResult => {
    const token = context?.queryToken().value;
    context?.delete();
    return { status: statusName(status), why: diagnosis?.text ?? '', token };
  };
  return {
    package: portableKerberosPackage,
    authData,
    keys,
    time,
    reply: (token) => atOnce(ask(inputOf(token))),
    ask: (input, requirements) => atOnce(ask(input, requirements)),
    accept: (token) => result(atOnce(ask(inputOf(token)))),
    acceptInput: (input, requirements) => result(atOnce(ask(input, requirements))),
    acceptLater: async (token) => result(await ask(inputOf(token))),
    free: () => {
      credential.free();
    },
  };
}
