/** The workflows of GitHub: they parse, and they agree with package.json and with the tests. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { nodeMajors } from '../lab/node-binary.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly needs?: string;
  readonly 'runs-on'?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: { readonly os: readonly string[]; readonly node: readonly number[] } };
  readonly container?: { readonly image: string };
  readonly env?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = `${root}.github/workflows/`;
const names = readdirSync(folder);
const text = (name: string): string => readFileSync(folder + name, 'utf8');
const workflow = (name: string): Workflow => parse(text(name)) as Workflow;
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { scripts: Record<string, string> };

const stepsOf = (name: string): readonly Step[] =>
  Object.values(workflow(name).jobs).flatMap(({ steps = [] }) => steps);
const commandsOf = ({ steps = [] }: Job): string[] => steps.flatMap(({ run }) => run ?? []);
const job = (name: string, id: string): Job => {
  const found = workflow(name).jobs[id];
  assert.ok(found, `${name} has a job ${id}`);
  return found;
};

describe('.github/workflows', () => {
  it('has a workflow for every change, one for releases, and one for sign-ins on Windows', () => {
    assert.deepEqual([...names].sort(), ['ci.yml', 'release.yml', 'windows.yml']);
  });

  for (const name of names) {
    it(`${name} calls npm scripts that exist`, () => {
      const commands = stepsOf(name).flatMap(({ run }) => run ?? []);
      const called = commands.flatMap((run) => /\bnpm (?:run ([\w:]+)|(test)\b)/.exec(run)?.slice(1) ?? []);
      const wanted = called.filter((script) => script !== undefined);
      assert.ok(wanted.length > 0);
      for (const script of wanted) assert.ok(script in scripts, `npm run ${script}`);
    });

    it(`${name} takes actions by the hash of a commit, and says which version that is`, () => {
      const used = [...text(name).matchAll(/^\s*(?:- )?uses: (.*)$/gm)].map(([, value]) => value ?? '');
      assert.ok(used.length > 0);
      for (const value of used)
        assert.match(value, /^(\.\/\.github\/workflows\/\S+|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
    });

    it(`${name} may read the repository, and no more than that by itself`, () => {
      assert.deepEqual(workflow(name).permissions, { contents: 'read' });
    });
  }

  it('ci.yml runs unit tests and packed-consumer tests on every Node that is supported, on three systems', () => {
    const { strategy, steps = [], ...rest } = job('ci.yml', 'node');
    assert.deepEqual(strategy?.matrix.node, nodeMajors);
    assert.deepEqual(strategy.matrix.os, ['ubuntu-latest', 'windows-latest', 'macos-latest']);
    assert.equal(
      steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'))?.with?.['node-version'],
      '${{ matrix.node }}',
    );
    assert.deepEqual(commandsOf({ ...rest, steps }), ['npm ci', 'npm run test:unit', 'npm run test:package']);
  });

  it('ci.yml runs everything as .ci/run does, on Debian', () => {
    const everything = job('ci.yml', 'everything');
    assert.match(everything.container?.image ?? '', /^node:\d+-bookworm$/);
    assert.equal(everything.env?.['CI'], 'true');
    const own = readFileSync(`${root}.ci/run`, 'utf8').trim().split('\n').at(-1) ?? '';
    assert.deepEqual(commandsOf(everything).slice(-2), own.split(' && '));
  });

  it('windows.yml makes a local account and runs the kit with it, whichever script fails', () => {
    const { strategy, steps = [], ...rest } = job('windows.yml', 'sign-in');
    assert.ok(strategy);
    for (const os of strategy.matrix.os) assert.match(os, /^windows-\d{4}$/);
    for (const major of strategy.matrix.node) assert.ok(nodeMajors.includes(major), `Node ${major}`);
    const commands = commandsOf({ ...rest, steps });
    const account = commands.find((run) => run.includes('New-LocalUser')) ?? '';
    // The password is made in the run, is masked in its log, and reaches the scripts by their environment alone.
    assert.match(account, /\[guid\]::NewGuid\(\)/);
    assert.match(account, /::add-mask::\$password/);
    assert.match(account, /SSPI_AUTH_KIT_PASSWORD=\$password" >> \$env:GITHUB_ENV/);
    const run = steps.filter((step) => step.run?.includes('test/windows/'));
    const scripts = run.map((step) => /^node --import tsx (test\/windows\/[\w-]+\.ts)/.exec(step.run ?? '')?.[1] ?? '');
    for (const script of scripts) assert.ok(existsSync(root + script), script);
    for (const wanted of ['local-account', 'channel-bindings', 'native-values', 'impersonation']) {
      assert.ok(scripts.includes(`test/windows/${wanted}.ts`), wanted);
    }
    assert.ok(run.slice(1).every((step) => step.if === '${{ !cancelled() }}'));
  });

  it('release.yml publishes a version tag after all tests, with provenance', () => {
    assert.deepEqual(workflow('release.yml').on, { push: { tags: ['v*.*.*'] } });
    assert.equal(job('release.yml', 'test').uses, './.github/workflows/ci.yml');
    assert.ok('workflow_call' in workflow('ci.yml').on);
    const publish = job('release.yml', 'publish');
    assert.equal(publish.needs, 'test');
    assert.deepEqual(publish.permissions, { contents: 'read', 'id-token': 'write' });
    const commands = commandsOf(publish);
    assert.match(commands.at(-1) ?? '', /^npm publish --provenance --access public /);
    // What is published is checked first.
    assert.equal(commands.at(-2), 'npm run check:release -- "$GITHUB_REF_NAME"');
    assert.doesNotMatch(text('release.yml'), /secrets\./);
  });
});

describe('package.json', () => {
  it('supports every Node that is tested', () => {
    const { engines } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { engines: { node: string } };
    const least = Number(/^>=(\d+)/.exec(engines.node)?.[1]);
    for (const major of nodeMajors) assert.ok(major >= least, `Node ${major}`);
  });
});
