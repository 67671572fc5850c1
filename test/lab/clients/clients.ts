/** Every real client. */
import { commandLineClients } from './command-line.ts';
import { compiledClients } from './compiled.ts';
import { interpretedClients } from './interpreted.ts';
import type { RealClient } from './client.ts';

/** In the order of docs/clients.md. */
export const realClients: readonly RealClient[] = [...commandLineClients, ...interpretedClients, ...compiledClients];
