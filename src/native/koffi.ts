/**
 * koffi, the one way from here into libraries of the operating system: loaded on first use, so that a server without a
 * native provider neither needs nor pays for it.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { SspiAuthError } from '../foundation/errors.ts';

export type { LibraryHandle } from 'koffi';

/** What a native function takes here: numbers, and pointers as addresses; strings only where it is declared so. */
export type NativeArgument = number | bigint | string | null;

/** A native function that answers an integer. */
export interface NativeFunction {
  (...values: NativeArgument[]): number;
  /** Runs on a thread of libuv's pool; memory behind the addresses must stay alive until the callback. */
  async(...values: [...NativeArgument[], (error: Error | null, result: number) => void]): void;
}

/**
 * Stack of a native call that runs off the event loop, in bytes: what a thread of Windows has. koffi's default is 128
 * KiB, and a provider that needs more would take the process down.
 */
const ASYNC_STACK_BYTES = 1024 * 1024;

/** koffi holds ready at most this many stacks; a call above it would allocate and free one each time. */
const MOST_THREADS = 32;

let loaded: typeof Koffi | undefined;

/**
 * How many native calls this process runs at once: one thread of libuv's pool (UV_THREADPOOL_SIZE, 4 by default) is left
 * to files and names, so that a domain controller that does not answer cannot stop those as well.
 */
export const asyncCallLimit = Math.max(
  1,
  Math.min(MOST_THREADS, Number(process.env['UV_THREADPOOL_SIZE'] ?? 4) || 4) - 1,
);

/**
 * The koffi module.
 *
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` where it is not installed or has no binary for this machine, and
 *   where a bundler took away what it is found by
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
    // The application loaded a library through koffi before and so fixed the settings: they are its own then.
  }
  loaded = module;
  return module;
}

/** @param url import.meta.url, which bundlers leave undefined where they make CommonJS of this module */
function loadFailure(url: string | undefined, cause: unknown): SspiAuthError {
  const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const why =
    url === undefined
      ? 'this code was bundled as CommonJS, where import.meta.url, by which koffi is found, is undefined. Mark sspi-auth ' +
        'and koffi as external in the bundler and install both beside the bundle, or bundle as an ES module'
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
 * Opens a library.
 *
 * @param path a name for the loader of the operating system, or a path
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY`
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
 * Keeps a library until the process has ended. koffi unloads it with its environment (at exit, or when a worker ends),
 * and then threads of libuv's pool, which end later or not at all, would run its thread-local destructors: a crash.
 */
function keepLoaded(path: string): void {
  const noDelete = RTLD_NODELETE[process.platform];
  if (noDelete === undefined) return;
  const dlopen = koffi().load(null).func('dlopen', 'void *', ['str', 'int']);
  dlopen(path, RTLD_NOW | noDelete);
}

/** How a native function is called: at once on this thread, or off the event loop. */
export type NativeCall = (native: NativeFunction, ...values: NativeArgument[]) => number | Promise<number>;

/** Calls at once. */
export const callAtOnce: NativeCall = (native, ...values) => native(...values);

let running = 0;
const waiting: (() => void)[] = [];
/**
 * How many calls wait at most: while every thread is stuck in a library (a domain controller that does not answer), clients
 * go on asking.
 */
export const MOST_WAITING = 1024;

/**
 * Runs a native function off the event loop, at most `asyncCallLimit` of them at once, the others in the order they came.
 *
 * @param values numbers and addresses; the caller keeps the memory behind them alive until the promise is settled
 * @returns what the function answered; rejects where too many calls wait already, so that an outage fills no memory
 */
export function callOffLoop(native: NativeFunction, ...values: NativeArgument[]): Promise<number> {
  return new Promise((resolve, reject) => {
    if (waiting.length >= MOST_WAITING) {
      reject(new Error(`${MOST_WAITING} native calls wait for a thread`));
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
