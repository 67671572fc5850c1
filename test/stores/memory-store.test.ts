import { memoryStore } from '../../src/index.ts';
import { storeContract } from './store-contract.ts';

let time = 0;
const store = memoryStore({ clock: { now: () => 0, elapsed: () => time } });
const pass = (milliseconds: number): void => void (time += milliseconds);

storeContract('memoryStore', () => ({ store, other: store, pass }));
