/* ports.ts - what the sync engine stands on: a store, a line to the gateway, a clock, chance, a key.
 *
 * In a browser these are IndexedDB, fetch, performance.now, crypto and a CryptoKey that cannot be
 * read (device/); in tests they are memory and a simulated world. The engine has no other contact to
 * the world, so a seed repeats a schedule exactly.
 */
import type { Status } from "@callout/shared/wire";

export const tables = ["meta", "command", "visit", "change", "message", "blob"] as const;
export type Table = (typeof tables)[number];
export type RowKey = string | number;

/* One row of a transaction: put, or removed where value is undefined. `fresh` rows must not exist:
 * that is what keeps two windows of one device from using a number twice. */
export interface Write {
  table: Table;
  key: RowKey;
  value?: unknown;
  fresh?: true;
}

export interface Store {
  /* All rows of all tables as of one moment, each table in the order of its keys. */
  all(): Promise<Map<Table, [RowKey, unknown][]>>;
  get(table: Table, key: RowKey): Promise<unknown>;
  /* All or nothing, and on the disk when it resolves. */
  write(writes: readonly Write[]): Promise<void>;
  /* Nothing stays, the key included. */
  erase(): Promise<void>;
}

export type DeviceMethod = "Enroll" | "Hello" | "Push" | "Pull" | "Snapshot" | "PutBlob";

/* A reply in the canonical JSON of wire.proto. */
export interface Answer {
  status?: Status;
  text?: string;
  retryAfterMs?: number;
  logEpoch?: string;
  logSeq?: string;
  serverTimeUs?: string;
  clockRate?: number;
  body?: unknown;
}

/* No answer came; `stopped`: because nobody waits for it any more. */
export class Unreachable extends Error {
  constructor(text: string, readonly stopped = false) {
    super(text);
  }
}

/* Ends something early, once. */
export class Stop {
  stopped = false;
  private act: (() => void) | null = null;

  /* For the one who works: called at the stop, and at once if that was already. */
  whenStopped(act: () => void): void {
    if (this.stopped) act();
    else this.act = act;
  }
  stop(): void {
    if (this.stopped) return;
    this.stopped = true;
    this.act?.();
  }
}

export interface Line {
  /* The body is JSON as it goes out. Rejects with Unreachable when no answer came. */
  ask(method: DeviceMethod, body: string, session: string, deadlineMs: number,
    stop: Stop): Promise<Answer>;
}

export interface Clock {
  monoMs(): number; // only runs; since this start
  wallMs(): number; // may be set by anybody
  sleep(ms: number, stop: Stop): Promise<void>; // a stop is no error
}

export interface DeviceKey {
  publicKey: Uint8Array; // the P-256 point: 04, x, y
  sign(bytes: Uint8Array): Promise<Uint8Array>; // ECDSA with SHA-256: r, s
}

export interface Keys {
  /* The device's key, made and kept at the first call; its private half never leaves the device. */
  deviceKey(): Promise<DeviceKey>;
}

export interface Ports {
  store: Store;
  line: Line;
  clock: Clock;
  keys: Keys;
  chance(): number; // 0 to below 1
  bootId: string; // another one at each start
  appBuild: string;
  deviceName: string;
  chunkBytes: number; // of a photo in one request
}
