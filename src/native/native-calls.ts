/**
 * Calls of native functions off the event loop, on threads of libuv's pool. There are few threads, and a call may hang:
 * it may ask a domain controller that does not answer. So calls of different kinds have lanes of their own, and one kind
 * cannot hold up another. This file does not load koffi.
 */

/** An argument of a native function: a number, a pointer as an address, or a string if the function declares one. */
export type NativeArgument = number | bigint | string | null;

/** A native function that returns an integer. */
export interface NativeFunction {
  (...values: NativeArgument[]): number;
  /** Runs on a thread of libuv's pool. The memory behind the addresses must stay alive until the callback runs. */
  async(...values: [...NativeArgument[], (error: Error | null, result: number) => void]): void;
}

/**
 * The kind of a call. `ntlm`: the last leg of NTLM, for which Windows asks a domain controller. `names`: the names of
 * SIDs, for which it may ask one. `general`: everything else.
 */
export type Lane = 'general' | 'ntlm' | 'names';

/** What the queue has to know of a call. */
export interface CallPlan {
  readonly lane: Lane;
  /** Whether nobody wants the result any more. Asked when the call's turn comes: then it does not run. */
  readonly abandoned?: (() => boolean) | undefined;
}

/** A way to call a native function: on this thread, or off the event loop. */
export type NativeCall = (
  plan: CallPlan,
  native: NativeFunction,
  ...values: NativeArgument[]
) => number | Promise<number>;

/** Nobody wanted the result of a call when its turn came. The function was not called. */
export class AbandonedCallError extends Error {
  constructor() {
    super('the native call was abandoned before it ran');
    this.name = 'AbandonedCallError';
  }
}

/** Threads of libuv's pool where UV_THREADPOOL_SIZE does not say otherwise. */
const DEFAULT_POOL_THREADS = 4;
/** libuv's own limit. */
const MAX_POOL_THREADS = 1024;
/** Largest default for the number of calls at once, in a pool of any size. */
const MAX_DEFAULT_CALLS = 31;

/**
 * How many threads libuv's pool has.
 *
 * @param value of UV_THREADPOOL_SIZE, as libuv reads it: a number of 1 to 1024
 */
export function poolThreads(value: string | undefined): number {
  if (value === undefined) return DEFAULT_POOL_THREADS;
  return Math.min(MAX_POOL_THREADS, Math.max(1, Number.parseInt(value, 10) || 1));
}

/**
 * How many calls run at once by default: one thread stays free for file system and DNS, whatever hangs.
 *
 * On Windows libuv sees UV_THREADPOOL_SIZE only if it was set before node started (libuv issue 4887), and a process
 * cannot tell whether it was. There the variable does not count: a limit above the real size would leave no thread free.
 */
export function defaultCallLimit(platform: NodeJS.Platform, value: string | undefined): number {
  const threads = platform === 'win32' ? DEFAULT_POOL_THREADS : poolThreads(value);
  return Math.max(1, Math.min(MAX_DEFAULT_CALLS, threads - 1));
}

/** How many native calls may run at the same time in this process. */
export let asyncCallLimit = defaultCallLimit(process.platform, process.env['UV_THREADPOOL_SIZE']);
let limitWasSet = false;

/** Sets `asyncCallLimit`. It belongs to the process: of several limits that were set the greatest counts. */
export function setAsyncCallLimit(limit: number): void {
  asyncCallLimit = limitWasSet ? Math.max(asyncCallLimit, limit) : limit;
  limitWasSet = true;
  startNext();
}

/**
 * How many native calls may wait for a thread, in each lane. If a domain controller does not answer, all threads of a
 * lane hang while clients keep sending requests. Without this limit, the waiting calls would fill the memory.
 */
export const MAX_WAITING_CALLS = 1024;

interface WaitingCall {
  /** Position in the order of arrival, over all lanes. */
  readonly order: number;
  readonly abandoned: (() => boolean) | undefined;
  readonly start: () => void;
  readonly refuse: (error: Error) => void;
}

/** The calls of one kind. */
class LaneQueue {
  /** From which limit on a thread is kept for this lane. */
  readonly keepsThreadFrom: number;
  running = 0;
  /** Whether it ever had a call: for a lane that nobody uses no thread is kept. */
  used: boolean;
  readonly waiting: WaitingCall[] = [];

  constructor(keepsThreadFrom: number, used: boolean) {
    this.keepsThreadFrom = keepsThreadFrom;
    this.used = used;
  }

  /** Threads that other lanes must leave to this one. */
  get kept(): number {
    return this.used && this.running === 0 && asyncCallLimit >= this.keepsThreadFrom ? 1 : 0;
  }
}

/**
 * With two calls at once one is kept for the general lane, with three one for the last leg of NTLM as well, with four
 * one for names too.
 */
const lanes: Readonly<Record<Lane, LaneQueue>> = {
  general: new LaneQueue(2, true),
  ntlm: new LaneQueue(3, false),
  names: new LaneQueue(4, false),
};
const queues = Object.values(lanes);
let arrivals = 0;

/** Whether a lane may start a call now: a thread is free that is not kept for another lane. */
function mayStart(lane: LaneQueue): boolean {
  let taken = 0;
  for (const queue of queues) taken += queue.running + (queue === lane ? 0 : queue.kept);
  return taken < asyncCallLimit;
}

/** Starts waiting calls, oldest first, for as long as their lanes may. */
function startNext(): void {
  for (;;) {
    let next: LaneQueue | undefined;
    for (const queue of queues) {
      const [oldest] = queue.waiting;
      if (oldest === undefined || !mayStart(queue)) continue;
      if (next === undefined || oldest.order < (next.waiting[0]?.order ?? Infinity)) next = queue;
    }
    const call = next?.waiting.shift();
    if (call === undefined) return;
    if (call.abandoned?.() === true) call.refuse(new AbandonedCallError());
    else call.start();
  }
}

/** Gives up the calls whose result nobody wants, so that they hold no memory until their turn. */
function dropAbandoned(queue: LaneQueue): void {
  const kept: WaitingCall[] = [];
  for (const call of queue.waiting) {
    if (call.abandoned?.() === true) call.refuse(new AbandonedCallError());
    else kept.push(call);
  }
  queue.waiting.splice(0, Infinity, ...kept);
}

/** Calls a native function on this thread. */
export const callSynchronously: NativeCall = (_plan, native, ...values) => native(...values);

/**
 * Runs a native function on a thread of libuv's pool. At most `asyncCallLimit` calls run at the same time, and no lane
 * takes the last thread of another one. Further calls wait, and start in the order in which they came.
 *
 * @param values numbers and addresses. The caller keeps the memory behind the addresses alive until the promise settles
 * @returns the return value of the function. The promise is rejected if `MAX_WAITING_CALLS` calls of this lane are
 *   already waiting, or with AbandonedCallError if nobody wanted the result when the turn of the call came
 */
export function callInLane(
  { lane, abandoned }: CallPlan,
  native: NativeFunction,
  ...values: NativeArgument[]
): Promise<number> {
  return new Promise((resolve, reject) => {
    const queue = lanes[lane];
    queue.used = true;
    dropAbandoned(queue);
    if (queue.waiting.length >= MAX_WAITING_CALLS) {
      reject(new Error(`${MAX_WAITING_CALLS} native calls are already waiting for a thread`));
      return;
    }
    const ended = (): void => {
      queue.running--;
      startNext();
    };
    const start = (): void => {
      queue.running++;
      try {
        native.async(...values, (error, result) => {
          ended();
          if (error === null || error === undefined) resolve(result);
          else reject(error);
        });
      } catch (error) {
        ended();
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    queue.waiting.push({ order: arrivals++, abandoned, start, refuse: reject });
    startNext();
  });
}

/** `callInLane` in the general lane, for a call that is always wanted. */
export function callAsynchronously(native: NativeFunction, ...values: NativeArgument[]): Promise<number> {
  return callInLane({ lane: 'general' }, native, ...values);
}
