/** A library with the interface of SSPI that does what its tokens say (scripted-sspi.c), compiled where it is needed. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type * as Koffi from 'koffi';
import {
  accountFunctions,
  handleFunctions,
  nameFunctions,
  tokenFunctions,
} from '../../src/native/secur32/declarations.ts';
import { certificateFunctionsOf, openSecurityLibrary } from '../../src/native/secur32/library.ts';
import type { WindowsFunctions } from '../../src/native/secur32/library.ts';
import { runChecked } from './process.ts';
import type { ScratchFolder } from './scratch.ts';

/** What the library has not been given back, and what was done wrongly to it. */
export interface ScriptedCounts {
  readonly credentials: number;
  readonly contexts: number;
  readonly buffers: number;
  /** Handles given back that were not alive. */
  readonly wrong: number;
  /** Calls that ran on a context while another one did. */
  readonly overlaps: number;
  /** Access tokens. */
  readonly tokens: number;
  /** Certificates, their stores, and handles of their keys. */
  readonly certificates: number;
}

/** What AcquireCredentialsHandleW was called with last, for Schannel and CREDSSP. */
export interface ScriptedCredential {
  readonly version: number;
  readonly flags: number;
  /** Enabled protocols; of SCH_CREDENTIALS all that are not disabled. */
  readonly protocols: number;
  /** Of CREDSSP_CRED. */
  readonly type: number;
  /** How many private keys were imported and not deleted. */
  readonly keys: number;
}

/** What AcceptSecurityContext was called with last. */
export interface ScriptedCall {
  readonly requirements: number;
  /** Types of the buffers, the first four. */
  readonly input: readonly number[];
  readonly output: readonly number[];
}

/** The library, compiled. */
export interface ScriptedSspi {
  readonly path: string;
  counts(): ScriptedCounts;
  /** How many calls wait for `release`. */
  blocked(): number;
  /** Lets every call that waits go on. */
  release(): void;
  lastCall(): ScriptedCall;
  /** How often AcceptSecurityContext was called. */
  accepts(): number;
  credential(): ScriptedCredential;
  /** A structure with this dwVersion is none that AcquireCredentialsHandleW knows. */
  refuse(version: number): void;
  /** The package list of the last AcquireCredentialsHandleW; empty if it had none. */
  packageList(): string;
  /** How many look-ups of names there were. */
  lookups(): number;
  /** The next look-ups of names fail, as if no domain controller answered. */
  failLookups(number: number): void;
  /** Whether this thread acts as a client. */
  impersonating(): boolean;
}

/**
 * Compiles the library.
 *
 * @param name of the file; another one is a library with counts of its own
 */
export async function buildScriptedSspi(folder: ScratchFolder, name = 'libscripted-sspi.so'): Promise<ScriptedSspi> {
  const path = folder.file(name);
  const source = fileURLToPath(new URL('scripted-sspi.c', import.meta.url));
  await runChecked('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-pthread', '-o', path, source]);
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  return {
    path,
    counts() {
      const memory = Buffer.alloc(28);
      koffi.load(path).func('ScriptedCounts', 'void', ['void *'])(memory);
      const at = (index: number): number => memory.readInt32LE(4 * index);
      const [credentials, contexts, buffers, wrong] = [at(0), at(1), at(2), at(3)];
      return { credentials, contexts, buffers, wrong, overlaps: at(4), tokens: at(5), certificates: at(6) };
    },
    credential() {
      const memory = Buffer.alloc(20);
      koffi.load(path).func('ScriptedCredential', 'void', ['void *'])(memory);
      const at = (index: number): number => memory.readUInt32LE(4 * index);
      return { version: at(0), flags: at(1), protocols: at(2), type: at(3), keys: at(4) };
    },
    refuse: (version) => {
      koffi.load(path).func('ScriptedRefuse', 'void', ['uint32'])(version);
    },
    blocked: () => koffi.load(path).func('ScriptedBlocked', 'int32', [])() as number,
    release: () => {
      koffi.load(path).func('ScriptedRelease', 'void', [])();
    },
    lastCall() {
      const memory = Buffer.alloc(36);
      koffi.load(path).func('ScriptedCall', 'void', ['void *'])(memory);
      const [requirements = 0, ...types] = Array.from({ length: 9 }, (_, index) => memory.readUInt32LE(4 * index));
      const given = (from: number): number[] => types.slice(from, from + 4).filter((type) => type !== 0);
      return { requirements, input: given(0), output: given(4) };
    },
    accepts: () => koffi.load(path).func('ScriptedAccepts', 'int32', [])() as number,
    packageList: () => koffi.load(path).func('ScriptedPackageList', 'str', [])() as string,
    lookups: () => koffi.load(path).func('ScriptedLookups', 'int32', [])() as number,
    failLookups: (number) => {
      koffi.load(path).func('ScriptedFailLookups', 'void', ['int32'])(number);
    },
    impersonating: () => koffi.load(path).func('ScriptedImpersonating', 'int32', [])() !== 0,
  };
}

/**
 * Gives an opened library the access tokens that only Windows has, out of the scripted one itself: to be called before
 * anything else opens its packages.
 *
 * @returns the functions as the provider calls them; a test may put others in their place
 */
export function addAccessTokens({ path }: ScriptedSspi): WindowsFunctions {
  const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
  const functions = Object.fromEntries(
    Object.entries({ ...tokenFunctions, ...nameFunctions, ...handleFunctions, ...accountFunctions }).map(
      ([name, parameters]) => [name, koffi.load(path).func(name, 'int32', [...parameters])],
    ),
  );
  Object.assign(openSecurityLibrary(path), { token: functions });
  return functions as never;
}

/** Gives an opened library the functions for certificates that only Windows has: before anything opens its packages. */
export function addCertificates({ path }: ScriptedSspi): void {
  const certificates = certificateFunctionsOf(path, path, path);
  Object.assign(openSecurityLibrary(path), { certificates: () => certificates });
}
