/**
 * What importing an entry point adds to the start of a Node process: the one reason why dist/ is bundled. Not bundled it is
 * three times as much, minified not less (docs/releasing.md has the figures).
 */
import { fileURLToPath } from 'node:url';
import { runChecked } from '../test/lab/process.ts';
import { interleaved, median } from './measurement.ts';
import type { Benchmark } from './measurement.ts';

const entries = ['sspi-auth', 'sspi-auth/sspi', 'sspi-auth/express', 'sspi-auth/fastify', 'sspi-auth/node'];
const rounds = 21;
const mostMilliseconds = 25;
const root = fileURLToPath(new URL('..', import.meta.url));

async function startMilliseconds(entry: string | undefined): Promise<number> {
  const program = entry === undefined ? '' : `import '${entry}';`;
  const start = performance.now();
  await runChecked(process.execPath, ['--input-type=module', '-e', program], { cwd: root });
  return performance.now() - start;
}

const benchmark: Benchmark = {
  name: 'import time',
  async run(progress) {
    progress(`${entries.length} entry points, ${rounds} process starts each`);
    const [bare = [], ...results] = await interleaved([undefined, ...entries], rounds, startMilliseconds);
    return results.map((values, index) => {
      const over = median(values) - median(bare);
      return {
        name: entries[index] ?? '',
        remark: `${over.toFixed(1)} ms over an empty module`,
        value: median(values),
        baseline: median(bare),
        unit: 'ms',
        aim: { text: `over bare <= ${mostMilliseconds} ms`, met: over <= mostMilliseconds },
        rounds: values,
        baselineRounds: bare,
      };
    });
  },
};
export default benchmark;
