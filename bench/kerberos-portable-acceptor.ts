/**
 * Child process of kerberos-portable.bench.ts, bundled for it as the package is: `KEYTAB memory`, `KEYTAB folder PATH`,
 * `KEYTAB none` for Kerberos without a library, `KEYTAB gssapi RCACHE` for the provider over libkrb5. Reads paths of token
 * files from standard input, one a line; answers each with the microseconds of processor time of one accept. `leak PATH
 * COUNT` is answered with the bytes that so many accepts have left, `ready` with 0. `warm PATH TIMES` accepts tokens again
 * and again, each time with a credential that knows no ticket and no replay: what V8 has not yet compiled is no cost of a
 * server that runs for weeks. It is answered with 0.
 */
import { createInterface } from 'node:readline';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../src/foundation/clock.ts';
import { kerberosPackage } from '../src/native/gssapi/index.ts';
import { portableKerberosPackage } from '../src/packages/kerberos/index.ts';
import type { ReplayMemory } from '../src/packages/kerberos/index.ts';
import { keySource } from '../src/packages/kerberos/keys/key-source.ts';
import { negotiatePackage } from '../src/packages/negotiate/index.ts';
import * as Sspi from '../src/sspi/index.ts';
import { memoryStore } from '../src/stores/memory-store.ts';
import { ReplayFolder } from '../src/stores/replay-folder.ts';
import { StoreReplay } from '../src/stores/store-replay.ts';
import { readTokens } from './kerberos-tokens.ts';

const [, , keytab = '', kind = '', where = ''] = process.argv;
const skew = 300_000;
const clock = systemClock;

function replayMemory(): ReplayMemory | false {
  if (kind === 'memory') return new StoreReplay({ store: memoryStore(), skew, clock });
  if (kind === 'folder') return new ReplayFolder({ path: where, skew, clock, option: 'replayCache' });
  return false;
}

function inner(replay: ReplayMemory | false): object {
  if (kind === 'gssapi') return { package: kerberosPackage, authData: { keytab, replayCache: where } };
  const keys = keySource(keytab, { clock, onWarning: () => undefined, option: 'keytab' });
  return { package: portableKerberosPackage, authData: { keys, replay } };
}

async function acquire(replay: ReplayMemory | false): Promise<Sspi.CredentialHandle> {
  const authData = { packages: [inner(replay)] };
  return Sspi.acquireCredentialsHandle({ package: negotiatePackage, credentialUse: 'inbound', authData });
}

const own = await acquire(replayMemory());

function accept(data: Uint8Array, credential = own): void {
  const answered = Sspi.acceptSecurityContext({
    credential,
    context: undefined,
    input: [{ type: Sspi.SECBUFFER_TOKEN, data }],
    requirements: Sspi.ASC_REQ_CONNECTION,
    targetDataRep: Sspi.SECURITY_NATIVE_DREP,
  });
  if (answered instanceof Promise) throw new Error('not answered at once');
  const { status, context, diagnosis } = answered;
  if (context === undefined) throw new Error(`${Sspi.statusName(status)} ${diagnosis?.text ?? ''}`);
  const { value } = Sspi.querySecurityContextToken(context);
  if (value?.userName !== 'alice') throw new Error('not alice');
  Sspi.deleteSecurityContext(context);
}

/** Bytes that accepts leave: those in use on V8's heap after a full collection, and all outside it. */
function leak(tokens: readonly Buffer[], count: number): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept = (): number => {
    collect();
    const { rss, heapTotal, heapUsed } = process.memoryUsage();
    return rss - heapTotal + heapUsed;
  };
  const run = (accepts: number): void => {
    for (let done = 0; done < accepts; done++) {
      const token = tokens[done % tokens.length];
      if (token !== undefined) accept(token);
    }
  };
  run(20_000);
  const before = kept();
  run(count);
  return kept() - before + Sspi.liveHandles().contexts * 1e9;
}

for await (const line of createInterface(process.stdin)) {
  const [word = '', path = '', count = ''] = line.split(' ');
  if (word === 'leak') {
    console.log(leak(await readTokens(path), Number(count)));
    continue;
  }
  if (word === 'warm') {
    const tokens = await readTokens(path);
    for (let times = 0; times < Number(count); times++) {
      const forgetful = await acquire(false);
      for (const token of tokens) accept(token, forgetful);
      Sspi.freeCredentialsHandle(forgetful);
    }
    console.log(0);
    continue;
  }
  if (word === 'ready') {
    console.log(0);
    continue;
  }
  const tokens = await readTokens(word);
  const start = process.cpuUsage();
  for (const token of tokens) accept(token);
  const { user, system } = process.cpuUsage(start);
  console.log((user + system) / tokens.length);
}
