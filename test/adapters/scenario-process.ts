/**
 * The application of a scenario in a process of its own, so that another runtime can be the server: Bun, Deno.
 *
 * `bun test/adapters/scenario-process.ts 'Express 5' COUNTS` reads numbers of scenarios on standard input, one a line,
 * starts a server for each, and prints `scenario 3 port: 40000`. Each run of a handler adds a byte to the file COUNTS.
 * In the place of a number, the path of a keytab starts one that verifies Kerberos by this library's own provider.
 */
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { allScenarios } from './all-scenarios.ts';
import { handling } from './application.ts';
import { accounts } from './scenarios.ts';
import { adapters } from './servers.ts';
import type { ScenarioOptions } from './servers.ts';

const [adapter = '', counts = ''] = process.argv.slice(2);
const start = adapters[adapter];
if (start === undefined) throw new Error(`no adapter ${adapter}`);
handling.listener = () => appendFileSync(counts, '.');

for await (const line of createInterface({ input: process.stdin })) {
  const { port } = await start(optionsOf(line));
  console.log(`scenario ${line} port: ${port}`);
}

function optionsOf(line: string): ScenarioOptions {
  if (line.startsWith('/')) return { keytab: line, provider: 'portable' };
  const scenario = allScenarios[Number(line)];
  if (scenario === undefined) throw new Error(`no scenario ${line}`);
  return scenario.options ?? { accounts };
}
