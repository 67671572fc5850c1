/**
 * Access to native libraries through koffi. No other file of this package imports koffi. It is loaded on first use: a
 * server without a native provider does not need it installed.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { SspiAuthError } from '../foundation/errors.ts';

export type { LibraryHandle } from 'koffi';

/** An argument of a native function: a number, a pointer as an address, or a string if the function declares one. */
export type NativeArgument = number | bigint | string | null;

/** A native function that returns an integer. */
export interface NativeFunction {
  (...values: NativeArgument[]): number;
  /** Runs on a thread of libuv's pool. The memory behind the addresses must stay alive until the callback runs. */
  async(...values: [...NativeArgument[], (error: Error | null, result: number) => void]): void;
}

/**
 * Stack of a native call off the event loop, in bytes: the default of a Windows thread. koffi's default is 128 KiB. A
 * provider that needs more stack than it gets crashes the process.
 */
const ASYNC_STACK_BYTES = 1024 * 1024;

/** koffi keeps at most this many stacks for reuse. Any further concurrent call would allocate and free its own. */
const MAX_THREADS = 32;

let loaded: typeof Koffi | undefined;

/**
 * How many native calls may run at the same time in this process. One thread of libuv's pool (UV_THREADPOOL_SIZE, 4 by
 * default) stays free: file system and DNS calls then still work while a domain controller does not answer.
 */
export const asyncCallLimit = Math.max(
  1,
  Math.min(MAX_THREADS, Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) || 4) - 1,
);

/**
 * Loads the koffi module, once per process.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if koffi is not installed, if it has no binary for this machine,
 *   or if this code was bundled in a way that hides koffi
 */
export function koffi(): typeof Koffi {
  if (loaded !== undefined) return loaded;
  let module: typeof Koffi;
  try {
    module = createRequire(import.meta.url)('koffi') as typeof Koffi;
  } catch (cause) {
    throw loadFailure(import.meta.url, cause);
  }
  try {
    const { async_stack_size = 0, resident_async_pools = 0 } = module.config();
    module.config({
      async_stack_size: Math.max(async_stack_size, ASYNC_STACK_BYTES),
      resident_async_pools: Math.max(resident_async_pools, asyncCallLimit),
    });
  } catch {
    // koffi allows this only before the first library is loaded. If the application loaded one, its settings stay.
  }
  loaded = module;
  return module;
}

/** @param url import.meta.url. Undefined if a bundler turned this module into CommonJS */
function loadFailure(url: string | undefined, cause: unknown): SspiAuthError {
  const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const why =
    url === undefined
      ? 'this code was bundled as CommonJS. There import.meta.url is undefined, and koffi cannot be found without ' +
        'it. Mark sspi-auth and koffi as external in the bundler and install both beside the bundle, or bundle as an ES ' +
        'module'
      : `${reason}. Install it with its optional packages (npm install koffi; the binary is ` +
        `@koromix/koffi-${process.platform}-${process.arch}); a bundle cannot hold it: mark koffi as external in the ` +
        'bundler and install it beside the bundle';
  return new SspiAuthError(
    'ERR_SSPI_AUTH_NATIVE_LIBRARY',
    `sspi-auth: koffi, which calls the operating system's security packages, cannot be loaded: ${why}`,
    { cause },
  );
}

/**
 * Opens a native library. It stays loaded until the process ends.
 *
 * @param path path of the library, or a name that the loader of the operating system finds
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if koffi or the library cannot be loaded
 */
export function openLibrary(path: string): Koffi.LibraryHandle {
  const { load } = koffi();
  try {
    const library = load(path);
    keepLoaded(path);
    return library;
  } catch (cause) {
    throw new SspiAuthError(
      'ERR_SSPI_AUTH_NATIVE_LIBRARY',
      `sspi-auth: the library ${JSON.stringify(path)} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** RTLD_NOW and RTLD_NODELETE of dlfcn.h. */
const RTLD_NOW = 0x2;
const RTLD_NODELETE: Readonly<Partial<Record<NodeJS.Platform, number>>> = { linux: 0x1000, darwin: 0x80 };

/**
 * Keeps a library loaded until the process ends. koffi unloads its libraries at exit and when a worker ends. Threads of
 * libuv's pool end later, and then run the thread-local destructors of the library. If it were unloaded, that would
 * crash.
 */
function keepLoaded(path: string): void {
  const noDelete = RTLD_NODELETE[process.platform];
  if (noDelete === undefined) return;
  const dlopen = koffi().load(null).func('dlopen', 'void *', ['str', 'int']);
  dlopen(path, RTLD_NOW | noDelete);
}

/** A way to call a native function: on this thread, or off the event loop. */
export type NativeCall = (native: NativeFunction, ...values: NativeArgument[]) => number | Promise<number>;

/** Calls a native function on this thread. */
export const callSynchronously: NativeCall = (native, ...values) => native(...values);

let running = 0;
const waiting: (() => void)[] = [];
/**
 * How many native calls may wait for a thread. If a domain controller does not answer, all threads hang in a library
 * while clients keep sending requests. Without this limit, the waiting calls would fill the memory.
 */
export const MAX_WAITING_CALLS = 1024;

/**
 * Runs a native function on a thread of libuv's pool. At most `asyncCallLimit` calls run at the same time. Further
 * calls wait and start in the order in which they came.
 *
 * @param values numbers and addresses. The caller keeps the memory behind the addresses alive until the promise settles
 * @returns the return value of the function. The promise is rejected if `MAX_WAITING_CALLS` calls are already waiting
 */
export function callAsynchronously(native: NativeFunction, ...values: NativeArgument[]): Promise<number> {
  return new Promise((resolve, reject) => {
    if (waiting.length >= MAX_WAITING_CALLS) {
      reject(new Error(`${MAX_WAITING_CALLS} native calls are already waiting for a thread`));
      return;
    }
    const start = (): void => {
      running++;
      try {
        native.async(...values, (error, result) => {
          done();
          if (error === null || error === undefined) resolve(result);
          else reject(error);
        });
      } catch (error) {
        done();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    if (running < asyncCallLimit) start();
    else waiting.push(start);
  });
}

function done(): void {
  running--;
  waiting.shift()?.();
}
