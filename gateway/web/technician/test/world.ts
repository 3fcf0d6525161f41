/* world.ts - virtual time, chance by seed, a disk and a network that fail, for one schedule.
 *
 * Nothing here waits for real time: the next event is taken when all that follows from the former
 * one has settled, so a seed repeats a schedule. Every use of the disk and of the network takes some
 * virtual time, with its effect somewhere in between; who is killed meanwhile never hears of it.
 */
import type {
  Answer, Clock, DeviceMethod, Line, RowKey, Store, Table, Write,
} from "../src/sync/ports.ts";
import { tables, Unreachable } from "../src/sync/ports.ts";

export type Chance = () => number;

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Event {
  atMs: number;
  order: number;
  fire: (() => void) | null;
}

/* What a disk and a network need of a world; tests/technician has one that is real. */
export interface Time {
  readonly nowMs: number;
  readonly chance: Chance;
  below(limit: number): number;
  at(atMs: number, fire: () => void): () => void;
  after(ms: number): Promise<void>;
}

export class World implements Time {
  nowMs = 0;
  private readonly heap: Event[] = [];
  private order = 0;

  constructor(readonly chance: Chance) {}

  below(limit: number): number {
    return Math.floor(this.chance() * limit);
  }

  at(atMs: number, fire: () => void): () => void {
    const event: Event = { atMs, order: this.order++, fire };
    const heap = this.heap;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = event;
    return () => void (event.fire = null);
  }

  after(ms: number): Promise<void> {
    return new Promise((resolve) => void this.at(this.nowMs + ms, resolve));
  }

  /* Until `done` says so, or nothing happens any more, or the time is over: then false. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<boolean> {
    for (;;) {
      await settle();
      if (done()) return true;
      const next = this.pop();
      if (next === null || next.atMs > untilMs) {
        if (next !== null) this.at(next.atMs, next.fire ?? (() => undefined));
        this.nowMs = Math.max(this.nowMs, untilMs);
        return false;
      }
      this.nowMs = next.atMs;
      next.fire?.();
    }
  }

  private pop(): Event | null {
    for (;;) {
      const top = this.heap[0], last = this.heap.pop();
      if (top === undefined || last === undefined) return null;
      if (this.heap.length > 0) this.sink(last);
      if (top.fire !== null) return top;
    }
  }

  private sink(event: Event): void {
    const heap = this.heap;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, event)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = event;
  }
}

const before = (one: Event, other: Event) =>
  one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);

/* All promises that can go on have gone on. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

const never = new Promise<never>(() => undefined);

/* A start of the app: what it began ends with it. */
export interface Start {
  dead: boolean;
}

export class Disk {
  readonly tables = new Map<Table, Map<RowKey, unknown>>();
  failing = false; // it is full

  constructor(private readonly world: Time) {}

  table(name: Table): Map<RowKey, unknown> {
    let table = this.tables.get(name);
    if (table === undefined) this.tables.set(name, (table = new Map()));
    return table;
  }

  get rows(): number {
    return [...this.tables.values()].reduce((sum, table) => sum + table.size, 0);
  }

  open(start: Start): Store {
    const use = async <Value>(work: () => Value): Promise<Value> => {
      await this.world.after(this.world.below(12));
      if (start.dead) return never;
      const value = work();
      await this.world.after(this.world.below(8));
      return start.dead ? never : value;
    };
    return {
      all: () => use(() => new Map(tables.map((name) => [name, [...this.table(name)].sort(byKey)]))),
      get: (name, key) => use(() => this.table(name).get(key)),
      write: (writes) => use(() => this.apply(writes)),
      erase: () => use(() => this.tables.forEach((table) => table.clear())),
    };
  }

  private apply(writes: readonly Write[]): void {
    if (this.failing) throw new Error("the disk is full");
    for (const { table, key, fresh } of writes)
      if (fresh === true && this.table(table).has(key)) throw new Error(`${table} ${key} is there`);
    for (const { table, key, value } of writes)
      if (value === undefined) this.table(table).delete(key);
      else this.table(table).set(key, value);
  }
}

const byKey = ([one]: [RowKey, unknown], [other]: [RowKey, unknown]) =>
  one < other ? -1 : one > other ? 1 : 0;

export function clockOf(world: Time, start: Start, aheadMs: () => number): Clock {
  const bornMs = world.nowMs;
  return {
    monoMs: () => world.nowMs - bornMs,
    wallMs: () => 1_700_000_000_000 + world.nowMs + aheadMs(),
    sleep: (ms, stop) => new Promise((resolve) => {
      if (start.dead) return;
      const wake = () => void (start.dead || resolve());
      const cancel = world.at(world.nowMs + ms, wake);
      stop.whenStopped(() => {
        cancel();
        wake();
      });
    }),
  };
}

export interface Server {
  handle(method: DeviceMethod, body: string, session: string): Promise<Answer>;
}

/* How bad the network is, each between 0 and 1. */
export interface Weather {
  offline: boolean;
  lost: number; // on the way there
  lostAfterApply: number; // on the way back
  twice: number; // arrives two times
  busy: number; // told to come again
  slow: number; // seconds on its way
}

export function lineOf(world: Time, start: Start, server: Server, weather: () => Weather): Line {
  return {
    ask: (method, body, session, deadlineMs, stop) => new Promise((resolve, reject) => {
      if (start.dead) return;
      const end = (act: () => void) => {
        cancel();
        if (!start.dead) act();
      };
      const fail = (why: string) => end(() => reject(new Unreachable(why, stop.stopped)));
      const cancel = world.at(world.nowMs + deadlineMs, () => fail("no answer in time"));
      stop.whenStopped(() => fail("stopped"));
      void travel(world, server, weather, method, body, session).then(
        (answer) => end(() => resolve(answer)),
        (error: unknown) => (error === silence ? undefined : fail(String(error))));
    }),
  };
}

const silence = new Error("nothing comes");

async function travel(
  world: Time, server: Server, weather: () => Weather, method: DeviceMethod, body: string,
  session: string,
): Promise<Answer> {
  const way = () => 5 + world.below(world.chance() < weather().slow ? 4_000 : 150);
  await world.after(way());
  if (weather().offline) {
    if (world.chance() < 0.5) throw new Error("no network");
    throw silence;
  }
  if (world.chance() < weather().lost) throw silence;
  if (world.chance() < weather().busy)
    return { status: world.chance() < 0.5 ? "BUSY" : "RETRY", retryAfterMs: world.below(3_000) };
  /* The second copy comes at any time, also long after the first one was answered, and when the
     server has gone: nobody waits for its answer. */
  if (world.chance() < weather().twice)
    void world.after(world.below(20_000)).then(() => server.handle(method, body, session))
      .catch(() => undefined);
  const answer = await server.handle(method, body, session);
  if (world.chance() < weather().lostAfterApply || weather().offline) throw silence;
  await world.after(way());
  return answer;
}
