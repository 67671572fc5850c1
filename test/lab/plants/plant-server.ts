/**
 * A planted server in a process of its own: `node --import tsx plant-server.ts JSON`. It prints `port NUMBER` or
 * `refused JSON`, and then `log LINE` for each line of its log.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { sspiAuth } from '../../../adapters/node.ts';
import { memoryAccounts, recommendedServerOptions } from '../../../src/index.ts';
import type { MemoryAccount } from '../../../src/index.ts';
import { plantLogger } from './plant-log.ts';

interface Order {
  readonly options: Readonly<Record<string, unknown>> & { readonly accounts?: readonly MemoryAccount[] };
  readonly uid?: number;
  readonly withoutLogger?: boolean;
}

const { options, uid, withoutLogger } = JSON.parse(process.argv[2] ?? '') as Order;
if (uid !== undefined) {
  process.setgroups?.([]);
  process.setgid?.(uid);
  process.setuid?.(uid);
}
const { accounts, ...rest } = options;
const lines: string[] = [];
let print = (line: string): void => void lines.push(line);
// Where the operator gives no logger, warnings are Node's.
process.on('warning', ({ name, message }) => print(`${name} ${message}`));
try {
  const protect = sspiAuth({
    ...(withoutLogger === true ? undefined : { logger: plantLogger((line) => print(line)) }),
    ...rest,
    ...(accounts === undefined ? undefined : { accounts: memoryAccounts(accounts) }),
  });
  const server = createServer(
    recommendedServerOptions,
    protect((request, response) => response.end(request.user?.name ?? 'nobody')),
  );
  server.listen(Number(process.env['PLANT_PORT'] ?? 0), '127.0.0.1');
  await once(server, 'listening');
  console.log(`port ${(server.address() as AddressInfo).port}`);
  print = (line) => console.log(`log ${line}`);
  for (const line of lines) print(line);
} catch (error) {
  console.log(`refused ${JSON.stringify((error as Error).message)}`);
}
