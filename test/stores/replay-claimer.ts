/** A process or a worker thread that claims Authenticators in a replay folder, and tells how many were new. */
import cluster from 'node:cluster';
import { createHash } from 'node:crypto';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../src/foundation/clock.ts';
import { ReplayFolder } from '../../src/stores/replay-folder.ts';

/** What to claim. */
export interface Claims {
  readonly path: string;
  readonly count: number;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly ctime: number;
}

function run({ path, count, ctime }: Claims): string {
  try {
    const folder = new ReplayFolder({ path, skew: 300_000, clock: systemClock, option: 'replayCache' });
    let isNew = 0;
    for (let index = 0; index < count; index++) {
      if (folder.claim(createHash('sha256').update(`${index}`).digest(), ctime)) isNew++;
    }
    folder.close();
    return String(isNew);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Starts cluster workers that claim the same; gives what each answers. */
async function runCluster(claims: string, workers: number): Promise<string> {
  cluster.setupPrimary({ args: ['claim', claims] });
  const answers = Array.from({ length: workers }, () => {
    const worker = cluster.fork();
    return new Promise((resolve) => worker.once('message', resolve));
  });
  return (await Promise.all(answers)).join(' ');
}

if (!isMainThread) {
  parentPort?.postMessage(run(workerData as Claims));
} else {
  const [, , command, claims = '', workers = '2'] = process.argv;
  if (command === 'cluster') console.log(await runCluster(claims, Number(workers)));
  if (command === 'claim') {
    const answer = run(JSON.parse(claims) as Claims);
    if (process.send === undefined) console.log(answer);
    else process.send(answer, () => process.disconnect());
  }
}
