/* schedules.test.ts - the sync engine without a browser against the running system: three devices
 * with random disconnects, losses, duplicates, kills and clocks that jump, fifty times as fast as
 * life. The thousand days of `npm test` have a model for a server; here the server is the real one.
 *
 * CALLOUT_ROUNDS=N has so many days of three devices each. What is judged: every message that was confirmed as saved is with the dispatchers once and in
 * order, none that nobody wrote; and each device shows the status that the server's board has.
 */
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { after, before, test } from "node:test";
import { webKeys } from "../../gateway/web/technician/src/device/web_keys.ts";
import { Engine } from "../../gateway/web/technician/src/sync/engine.ts";
import { idOf } from "../../gateway/web/technician/src/sync/replica.ts";
import type { DeviceMethod } from "../../gateway/web/technician/src/sync/ports.ts";
import {
  chanceOf, clockOf, Disk, lineOf, type Chance, type Start, type Time, type Weather,
} from "../../gateway/web/technician/test/world.ts";
import { ask, messagesOf, startSystem, type System } from "./system.ts";

if (!("crypto" in globalThis)) Object.assign(globalThis, { crypto: webcrypto });

const speed = 50;
const rounds = Number(process.env["CALLOUT_ROUNDS"] ?? (process.env["CALLOUT_SHORT"] === undefined ? 4 : 1));
const steps = 60;
const calm: Weather = { offline: false, lost: 0, lostAfterApply: 0, twice: 0, busy: 0, slow: 0.05 };
let system: System, key: string;

class RealTime implements Time {
  constructor(readonly chance: Chance) {}
  get nowMs(): number {
    return performance.now() * speed;
  }
  below(limit: number): number {
    return Math.floor(this.chance() * limit);
  }
  at(atMs: number, fire: () => void): () => void {
    const timer = setTimeout(fire, Math.max(0, (atMs - this.nowMs) / speed));
    return () => clearTimeout(timer);
  }
  after(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms / speed));
  }
}

const door = {
  async handle(method: DeviceMethod, body: string, session: string) {
    const shorter = body.replace(/"holdMs":(\d+)/, (_, ms: string) => `"holdMs":${Math.round(Number(ms) / speed)}`);
    const response = await fetch(`${system.base}/api/${method}`, {
      method: "POST", body: shorter,
      headers: {
        "Content-Type": "application/json",
        ...(session === "" ? {} : { Authorization: `Bearer ${session}` }),
      },
    });
    return (await response.json()) as object;
  },
};

class Device {
  readonly said: string[] = [];
  readonly murmured = new Set<string>();
  readonly disk: Disk;
  weather = calm;
  engine: Engine | null = null;
  private aheadMs = 0;
  private start: Start = { dead: true };
  private words = 0;

  constructor(
    readonly technician: string, private readonly name: string, private readonly token: string,
    private readonly time: Time,
  ) {
    this.disk = new Disk(time);
  }

  async open(): Promise<void> {
    this.start.dead = true;
    const start: Start = { dead: false };
    this.start = start;
    const store = this.disk.open(start), { time } = this;
    const engine = await Engine.open({
      store, line: lineOf(time, start, door, () => this.weather), keys: webKeys(store),
      clock: clockOf(time, start, () => this.aheadMs), chance: time.chance, chunkBytes: 65_536,
      bootId: String(time.below(1e9)), appBuild: "test", deviceName: "test",
    });
    if (start.dead) return;
    this.engine = engine;
    engine.start();
    if (engine.life === "new") await engine.enrol(this.token);
  }

  kill(): void {
    this.start.dead = true;
    this.engine?.stop();
    this.engine = null;
  }

  async say(): Promise<void> {
    const { engine, time, start } = this;
    if (engine === null || engine.life !== "live") return;
    const text = `${this.name} ${this.words++}`;
    const ids = [...engine.replica.visits.keys()], id = ids[time.below(ids.length)];
    this.murmured.add(text);
    const statuses = ["ACCEPTED", "EN_ROUTE", "ON_SITE", "COMPLETED"] as const;
    await engine.saveAll([{ message: { text } }, ...(id === undefined || time.chance() < 0.6 ? []
      : [{ status: { appointmentId: id, status: statuses[time.below(4)]! } }])]);
    if (start.dead) return;
    this.murmured.delete(text);
    this.said.push(text);
  }

  async live(): Promise<void> {
    const { time } = this;
    for (let step = 0; step < steps; step++) {
      await time.after(time.below(4_000));
      const luck = time.chance();
      if (luck < 0.5) void this.say();
      else if (luck < 0.75)
        this.weather = {
          offline: time.chance() < 0.4, lost: time.chance() * 0.3, busy: time.chance() * 0.2,
          lostAfterApply: time.chance() * 0.4, twice: time.chance() * 0.4, slow: 0.05,
        };
      else if (luck < 0.9) {
        this.kill();
        await time.after(time.below(3_000));
        await this.open();
      } else this.aheadMs = (time.chance() - 0.5) * 1e9;
    }
    this.weather = calm;
    await this.open();
    this.engine?.nudge(true);
    while (this.engine?.life !== "live" || this.engine.outbox.unsent > 0 || this.engine.replica.day.cursor === "")
      await time.after(1_000);
  }
}

before(async () => {
  system = await startSystem(3);
  key = await system.key();
});
after(() => system?.stop());

async function judge(device: Device): Promise<void> {
  const messages = await messagesOf(system, key, device.technician);
  const prefix = device.said[0]?.split(" ")[0] ?? "none";
  const heard = messages.filter((one) => one.fromTechnician === true && one.text?.startsWith(`${prefix} `))
    .sort((one, other) => Number(one.seq) - Number(other.seq)).map((one) => one.text ?? "");
  assert.equal(new Set(heard).size, heard.length, `${prefix}: twice`);
  assert.deepEqual(heard.filter((text) => !device.murmured.has(text)), device.said, `${prefix}: lost, or out of order`);
}

async function judgeBoard(devices: readonly Device[]): Promise<void> {
  interface Entry { appointment?: { appointmentId?: string; status?: string; version?: string; assignment?: { technicianId?: string } } }
  for (let tries = 0; ; tries++) {
    const { appointments } = await ask<{ appointments?: Entry[] }>(system, key, "Board", { territoryId: "north" });
    const differ = devices.flatMap((device) => [...(device.engine?.replica.visits ?? [])].filter(([id, visit]) => {
      const there = appointments?.find((one) => one.appointment?.appointmentId === id)?.appointment;
      return there !== undefined && there.status !== visit.appointment?.status;
    }).map(([, visit]) => idOf(visit)));
    if (differ.length === 0) return;
    assert.ok(tries < 200, `the board has another status of ${differ.join()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("three devices on a bad network: nothing lost, nothing twice, in order", { timeout: 300_000 }, async () => {
  for (let round = 1; round <= rounds; round++) {
    const seed = Number(process.env["CALLOUT_SEED"] ?? round);
    const time = new RealTime(chanceOf(seed));
    const devices: Device[] = [];
    for (const technician of ["T01", "T02", "T03"]) {
      const token = await system.admin("enrol", technician);
      devices.push(new Device(technician, `${technician}.${round}`, token, time));
    }
    await Promise.all(devices.map((device) => device.open()));
    try {
      await Promise.all(devices.map((device) => device.live()));
      for (const device of devices) await judge(device);
      await judgeBoard(devices);
    } catch (error) {
      throw new Error(`CALLOUT_SEED=${seed}: ${String(error)}`, { cause: error });
    } finally {
      for (const device of devices) device.kill();
    }
  }
});
