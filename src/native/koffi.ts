/**
 * Access to native libraries through koffi. No other file of this package imports koffi. It is loaded on first use: a
 * server without a native provider does not need it installed.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { SspiAuthError } from '../foundation/errors.ts';
import { bindsDeep } from './deep-binding.ts';
import { asyncCallLimit } from './native-calls.ts';

export type { LibraryHandle } from 'koffi';
export { asyncCallLimit, callAsynchronously, MAX_WAITING_CALLS } from './native-calls.ts';
export type { NativeArgument, NativeFunction } from './native-calls.ts';

/**
 * Stack of a native call off the event loop, in bytes: the default of a Windows thread. koffi's default is 128 KiB. A
 * provider that needs more stack than it gets crashes the process.
 */
const ASYNC_STACK_BYTES = 1024 * 1024;

/** koffi keeps at most this many stacks for reuse. Any further concurrent call would allocate and free its own. */
const MAX_STACKS = 32;

let loaded: typeof Koffi | undefined;

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
      resident_async_pools: Math.max(resident_async_pools, Math.min(MAX_STACKS, asyncCallLimit)),
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

/** MAX_PATH of windef.h, in UTF-16 units. */
const MAX_PATH = 260;

let windowsSystemDirectory: string | undefined;

/** GetSystemDirectoryW. kernel32.dll is part of every process, so its own name cannot lead to another file. */
function systemDirectory(): string {
  if (windowsSystemDirectory === undefined) {
    const parameters = ['void *', 'uint32'];
    const GetSystemDirectoryW = koffi()
      .load('kernel32.dll')
      .func('__stdcall', 'GetSystemDirectoryW', 'uint32', parameters);
    const memory = Buffer.alloc(2 * MAX_PATH);
    const units = GetSystemDirectoryW(memory, MAX_PATH) as number;
    if (units === 0 || units >= MAX_PATH) throw new Error('GetSystemDirectoryW gives no directory');
    windowsSystemDirectory = memory.toString('utf16le', 0, 2 * units);
  }
  return windowsSystemDirectory;
}

/**
 * Where a library is opened. On Windows a name without a folder is a library of the system: Windows would look beside
 * node.exe first, and a file that somebody has put there must not verify clients.
 *
 * @param directory returns the system directory of Windows
 */
export function libraryLocation(path: string, platform: NodeJS.Platform, directory: () => string): string {
  return platform !== 'win32' || /[\\/:]/.test(path) ? path : `${directory()}\\${path}`;
}

let deep: boolean | undefined;

/**
 * Opens a native library. It stays loaded until the process ends. Where it can be, it is bound to its own dependencies
 * rather than to symbols of node (deep-binding.ts).
 *
 * @param path path of the library, or a name that the loader of the operating system finds; on Windows a name is looked
 *   for in the system directory and nowhere else
 * @throws SspiAuthError `ERR_SSPI_AUTH_NATIVE_LIBRARY` if koffi or the library cannot be loaded
 */
export function openLibrary(path: string): Koffi.LibraryHandle {
  const { load, address } = koffi();
  try {
    deep ??= bindsDeep({ load, address });
    const library = load(libraryLocation(path, process.platform, systemDirectory), { deep });
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
