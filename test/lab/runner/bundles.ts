/**
 * Test files as JavaScript: bundled once before they run, because the loader of TypeScript costs each process that reads
 * 250 modules more than a second.
 *
 * What several test files import stands in chunks beside them, so that files that share a process share its state. Each
 * module has the `import.meta` of its own file: what it finds beside itself, it still finds.
 */
import { chmod, mkdir, mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, stop } from 'esbuild';
import type { Plugin } from 'esbuild';
import { bundlePath, programFolderVariable } from '../program.ts';
import { root } from './test-files.ts';

/** Preloaded into every test process. */
const countMutations = fileURLToPath(new URL('../count-mutations.ts', import.meta.url));

/** What test files start or load by `programOf`: files, and folders with nothing but programs. */
const startedByTests = [
  'examples',
  'src/cli/sspi-auth.ts',
  'test/adapters/draining-process.ts',
  'test/lab/delegated-file-holder.ts',
  'test/lab/plants/plant-server.ts',
  'test/live/credssp/password-holder.ts',
  'test/live/fleets/fleet.ts',
  'test/live/kerberos/acceptor.ts',
  'test/live/kerberos/logged-server.ts',
  'test/live/kerberos/no-library-server.ts',
  'test/live/sessions/browser-site.ts',
  'test/live/stores/cluster.ts',
  'test/windows',
];

async function programs(): Promise<string[]> {
  const found = startedByTests.map(async (name) => {
    if (name.endsWith('.ts')) return [join(root, name)];
    return (await readdir(join(root, name)))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(root, name, file));
  });
  return (await Promise.all(found)).flat();
}

/** How test files are started. */
export interface RunnableTests extends AsyncDisposable {
  /** What node is to run for a test file, by the absolute path of its source; another path is given back. */
  readonly programOf: (source: string) => string;
  /** The source of what node ran; a path that is no program of these is given back. */
  readonly sourceOf: (program: string) => string;
  /** Options of node that a test process needs, in the place of those that load TypeScript. */
  readonly execArgv: readonly string[];
}

/** Test files as they stand, for a process that runs under tsx itself. */
export const asTheyStand: RunnableTests = {
  programOf: (source) => source,
  sourceOf: (program) => program,
  execArgv: [...process.execArgv, '--import', pathToFileURL(countMutations).href],
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** What stands for `import.meta` in a bundle; each module declares its own. */
const metaNames = {
  'import.meta.url': '__sourceUrl',
  'import.meta.filename': '__sourceFilename',
  'import.meta.dirname': '__sourceDirname',
} as const;

/** Declares the constants of `metaNames` in the first line of a module, so that its lines keep their numbers. */
export function withOwnMeta(text: string, path: string): string {
  const values = {
    'import.meta.url': pathToFileURL(path).href,
    'import.meta.filename': path,
    'import.meta.dirname': dirname(path),
  };
  const declared = Object.entries(metaNames).map(
    ([name, constant]) => `${constant} = ${JSON.stringify(values[name as keyof typeof values])}`,
  );
  const line = `const ${declared.join(', ')};`;
  return text.startsWith('#!') ? text.replace(/^.*/, () => line) : line + text;
}

/** An import of a source by its URL, which no bundle replaces: another copy of a module, or one that a test writes. */
const importsByUrl = /\bawait import\([\w`]/;

const sourceModules: Plugin = {
  name: 'source-modules',
  setup(bundler) {
    bundler.onLoad({ filter: /\.(ts|js|mjs)$/ }, async ({ path }) => {
      if (path.includes('node_modules')) return undefined;
      const text = await readFile(path, 'utf8');
      const contents = text.includes('import.meta.') ? withOwnMeta(text, path) : text;
      const loader = path.endsWith('.ts') ? 'ts' : 'js';
      return { contents: importsByUrl.test(text) ? `import 'tsx';${contents}` : contents, loader };
    });
  },
};

/**
 * Bundles test files into a folder of the repository, from where they find its packages.
 *
 * Where one of them cannot be bundled, it says so and gives them all as they stand: the one that is wrong fails as a
 * test then.
 *
 * @param sources absolute paths of test files
 */
export async function bundleTests(sources: readonly string[]): Promise<RunnableTests> {
  const scratch = join(root, '.scratch');
  await mkdir(scratch, { recursive: true });
  await removeForgotten(scratch);
  const folder = await mkdtemp(join(scratch, `tests-${process.pid}-`));
  // Some programs give up the rights they were started with.
  await chmod(folder, 0o755);
  const remove = (): Promise<void> => {
    Reflect.deleteProperty(process.env, programFolderVariable);
    return rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const programPath = (source: string): string => bundlePath(folder, source);
  try {
    await build({
      absWorkingDir: root,
      entryPoints: [...new Set([...sources, countMutations, ...(await programs())])],
      outbase: root,
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      chunkNames: 'chunks/[name]-[hash]',
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      packages: 'external',
      // Nothing is left out: a module of tests may be there for what it does.
      ignoreAnnotations: true,
      keepNames: true,
      sourcemap: 'linked',
      sourcesContent: false,
      define: metaNames,
      plugins: [sourceModules],
      logLevel: 'silent',
    });
  } catch (error) {
    await remove();
    console.log(`test ground: not bundled: ${error instanceof Error ? error.message : String(error)}`);
    return asTheyStand;
  } finally {
    // Its memory is the tests' now.
    await stop();
  }
  process.env[programFolderVariable] = folder;
  const programsOf = new Map(sources.map((source) => [source, programPath(source)]));
  const sourcesOf = new Map(sources.map((source) => [programPath(source), source]));
  return {
    programOf: (source) => programsOf.get(source) ?? source,
    sourceOf: (program) => sourcesOf.get(program) ?? program,
    execArgv: [
      ...withoutLoader(process.execArgv),
      '--enable-source-maps',
      '--import',
      pathToFileURL(programPath(countMutations)).href,
    ],
    [Symbol.asyncDispose]: remove,
  };
}

/** Removes the bundles of runs that were killed. */
async function removeForgotten(scratch: string): Promise<void> {
  for (const name of await readdir(scratch)) {
    const [, pid] = /^tests-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(scratch, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Options of node without `--import tsx`. */
function withoutLoader(words: readonly string[]): string[] {
  const isLoader = (index: number): boolean =>
    words[index] === '--import' && words[index + 1]?.includes('tsx') === true;
  return words.filter((_, index) => !isLoader(index) && !isLoader(index - 1));
}
