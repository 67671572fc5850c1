/**
 * A server in a process of its own, for another clock or another user than the test has. Prints its port, then each line
 * of its log as JSON. Arguments: options as JSON.
 */
import { createServer } from 'node:http';
import { sspiAuth } from '../../../adapters/node.ts';
import { listen } from '../../lab/ports.ts';

const print = (record: object, message: string): void => console.log(JSON.stringify({ ...record, message }));
try {
  const options = JSON.parse(process.argv[2] ?? '{}') as object;
  const protect = sspiAuth({ ...options, logger: { info: print, warn: print, error: print } });
  const { port } = await listen(createServer(protect((_, response) => void response.end('in'))));
  console.log(`port ${port}`);
} catch (error) {
  console.log(`failed ${error instanceof Error ? error.message : String(error)}`);
}
