/* schedule.ts - one random day of three devices, and the oracle that judges it.
 *
 * A person's word counts as said when `save` resolved. At the end, when all is well again, the
 * server must have every one of them once, at its number, in order; nothing that nobody said; and
 * each device must show what the server holds. What was being saved when the app was killed may
 * have become part of it, or not. What the server cannot read stops nothing that comes after it, and
 * waits on the device for its person to see.
 */
import assert from "node:assert/strict";
import { Engine } from "../src/sync/engine.ts";
import type { DeviceKey, Ports } from "../src/sync/ports.ts";
import { idOf } from "../src/sync/replica.ts";
import type { BlobRow, CommandBody } from "../src/sync/rows.ts";
import { bodyOf, needsLook } from "../src/sync/outbox.ts";
import { chunkBytes, isUnreadable, madeUnreadable, ModelServer } from "./model_server.ts";
import { chanceOf, clockOf, Disk, lineOf, World, type Start, type Weather } from "./world.ts";

const dayMs = 720_000;
const wellMs = 3_600_000;

export interface Figures {
  commands: number;
  kills: number;
  restores: number;
  revoked: number;
  unreadable: number;
}

class Phone {
  readonly disk: Disk;
  readonly said: string[] = []; // texts, in the order in which they were confirmed
  readonly unreadable: string[] = []; // those of them that no server can read
  readonly murmured = new Set<string>(); // being saved when the app was killed, or refused
  weather: Weather = calm;
  clockAheadMs = 0;
  engine: Engine | null = null;
  kills = 0;
  private start: Start = { dead: true };
  private words = 0;

  constructor(
    readonly technician: string, private readonly world: World, private readonly server: ModelServer,
  ) {
    this.disk = new Disk(world);
  }

  async open(): Promise<void> {
    this.start.dead = true; // one window at a time
    const start: Start = { dead: false };
    this.start = start;
    const { world } = this;
    const store = this.disk.open(start);
    const ports: Ports = {
      store, line: lineOf(world, start, this.server, () => this.weather),
      clock: clockOf(world, start, () => this.clockAheadMs), chance: world.chance,
      keys: { deviceKey: () => key(store, this.technician) },
      bootId: String(world.below(1e9)), appBuild: "test", deviceName: "test",
      chunkBytes,
    };
    const engine = await Engine.open(ports);
    if (start.dead) return;
    this.engine = engine;
    engine.start();
    const token = `token${this.technician}`;
    if (engine.life === "new" && !this.ended) await engine.enrol(token).catch(() => undefined);
  }

  kill(): void {
    this.start.dead = true;
    this.engine = null;
    this.kills++;
  }

  /* Says something about a visit that he sees, or something at all; with a photo now and then. */
  async say(): Promise<void> {
    const { engine, world } = this;
    if (engine === null || engine.life !== "live") return;
    const start = this.start;
    const plain = `${this.technician}.${this.words++}`;
    const text = world.chance() < 0.03 ? madeUnreadable(plain) : plain;
    const ids = [...engine.replica.visits.keys()];
    const id = ids[world.below(ids.length)];
    const body: CommandBody = id === undefined || world.chance() < 0.3
      ? { message: { text } }
      : { status: { appointmentId: id, status: "ON_SITE", reason: text } };
    this.murmured.add(text);
    const photos = world.chance() < 0.04 ? [photo(text, world.below(1_000) + 1)] : [];
    try {
      await engine.save(body, photos);
      if (start.dead) return;
      this.murmured.delete(text);
      (isUnreadable(text) ? this.unreadable : this.said).push(text);
    } catch {
      /* not saved, and he was told so */
    }
  }

  /* It was revoked, and has erased itself. */
  get ended(): boolean {
    return this.disk.rows === 0 && this.server.devicesOf(this.technician).some((one) => one.revoked);
  }

  get quiet(): boolean {
    const { engine } = this;
    if (engine === null) return false;
    if (this.ended) return true;
    return engine.life === "live" && engine.outbox.unsent === 0 && engine.blobs.next() === null &&
      engine.replica.day.cursor !== "";
  }
}

async function key(store: Ports["store"], technician: string): Promise<DeviceKey> {
  const kept = await store.get("meta", "key");
  if (kept === undefined) await store.write([{ table: "meta", key: "key", value: technician }]);
  return { publicKey: new TextEncoder().encode(technician), sign: async () => new Uint8Array(64) };
}

function photo(text: string, size: number): BlobRow {
  const sha256 = [...text].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, "0")).join("");
  return {
    sha256, bytes: new ArrayBuffer(size), mediaType: "image/jpeg", appointmentId: "", received: 0,
  };
}

const calm: Weather = { offline: false, lost: 0, lostAfterApply: 0, twice: 0, busy: 0, slow: 0.05 };
const bad = (world: World): Weather => ({
  offline: world.chance() < 0.35, lost: world.chance() * 0.3,
  lostAfterApply: world.chance() * 0.4, twice: world.chance() * 0.4, busy: world.chance() * 0.2,
  slow: world.chance() * 0.2,
});

/* What dispatchers, the network, phones and the machine room do to a day, at random. */
async function trouble(world: World, server: ModelServer, phones: Phone[], figures: Figures) {
  let backup = server.backup();
  let backups = 0;
  const statuses = ["DISPATCHED", "SCHEDULED", "CANCELLED", "EN_ROUTE"] as const;
  while (world.nowMs < dayMs) {
    await world.after(world.below(18_000));
    const phone = phones[world.below(phones.length)]!;
    const visit = `V${world.below(12)}`;
    const luck = world.chance();
    if (luck < 0.3) void phone.say();
    else if (luck < 0.45)
      server.put(visit, phone.technician, statuses[world.below(4)]!, world.below(1e6) * 1e6);
    else if (luck < 0.6) phone.weather = bad(world);
    else if (luck < 0.74) restart(world, phone);
    else if (luck < 0.78) phone.clockAheadMs = (world.chance() - 0.5) * 1e9;
    else if (luck < 0.81) server.compact();
    else if (luck < 0.85) server.restarted();
    else if (luck < 0.88) phone.disk.failing = !phone.disk.failing;
    else if (luck < 0.93) for (let more = world.below(30); more > 0; more--) void phone.say();
    else if (luck < 0.96) phone.engine?.nudge(true);
    else if (luck < 0.965 && figures.revoked === 0 && world.chance() < 0.5) {
      await revokeBusy(world, server, phone, visit);
      figures.revoked++;
      backups = -Infinity; // what it hands over is nowhere else: no backup from before comes back
    } else if (luck < 0.985) {
      backup = server.backup();
      backups++;
    } else if (backups > 0) {
      server.restore(backup);
      figures.restores++;
    }
  }
  /* After the last word of all: who has nothing more to say must notice it, too. */
  if (backups > 0 && world.chance() < 0.4) {
    server.restore(backup);
    figures.restores++;
  }
}

/* Just then something new is on the way to it, slowly, and it says something itself: what comes
 * after the end must not be kept. */
async function revokeBusy(world: World, server: ModelServer, phone: Phone, visit: string) {
  phone.weather = { ...calm, slow: 1 };
  server.put(visit, phone.technician, "SCHEDULED", 0);
  await world.after(1);
  phone.weather = { ...calm, slow: 0 };
  server.revoke(phone.technician);
  void phone.say();
}

function restart(world: World, phone: Phone): void {
  phone.kill();
  void world.after(world.below(world.chance() < 0.2 ? 100_000 : 5_000)).then(() => {
    if (phone.engine === null) return phone.open();
  });
}

/* Some are started anew. Those that run on must find out by themselves what they missed. */
async function makeWell(world: World, phones: Phone[]): Promise<void> {
  for (const phone of phones) {
    phone.weather = calm;
    phone.disk.failing = false;
    if (phone.engine !== null && world.chance() < 0.6) continue;
    phone.kill();
    void phone.open();
  }
  await world.run(world.nowMs + 180_000); // what is held comes, too, after the longest back-off
  const all = await world.run(world.nowMs + wellMs, () => phones.every((phone) => phone.quiet));
  assert.ok(all, `not quiet: ${phones.map((phone) => `${phone.technician} ${phone.engine?.life} ` +
    `${phone.engine?.outbox.unsent} unsent`).join(", ")}`);
  await world.run(world.nowMs + 60_000);
}

/* "": a number that was given up. */
function textOf(body: CommandBody): string {
  return body.message?.text ?? body.status?.reason ?? "";
}

/* Nothing lost, nothing twice, in order, and nothing that nobody said. */
function judgeCommands(server: ModelServer, phone: Phone): number {
  const devices = server.devicesOf(phone.technician);
  assert.ok(devices.length <= 1, "one device each");
  const device = devices[0];
  const payloads = Object.entries(device?.payloads ?? {});
  assert.deepEqual(payloads.map(([seq]) => Number(seq)), payloads.map((_, index) => index + 1));
  assert.equal(device?.lastSeq ?? 0, payloads.length);
  const texts = payloads.map(([, payload]) => textOf(JSON.parse(payload) as CommandBody))
    .filter((text) => text !== "");
  assert.equal(new Set(texts).size, texts.length, "twice");
  const confirmed = texts.filter((text) => !phone.murmured.has(text));
  const place = phone.said.findIndex((text, index) => confirmed[index] !== text);
  assert.deepEqual(confirmed, phone.said,
    `${phone.technician}: lost, or out of order at ${place}: ${phone.said.slice(place, place + 3).join()}, the server ` +
    `has ${confirmed.slice(place, place + 3).join()}`);
  return payloads.length;
}

/* What could not be read is with its person, and its number is used. */
function judgeUnreadable(server: ModelServer, phone: Phone): number {
  const rows = (phone.engine?.outbox.all() ?? []).filter((row) => row.refused !== undefined);
  if (phone.ended) return 0;
  const texts = rows.map((row) => textOf(bodyOf(row)));
  assert.deepEqual(texts.filter((text) => !phone.murmured.has(text)), phone.unreadable);
  assert.ok(rows.every((row) => needsLook(row) && row.refused?.why !== ""), "nobody sees them");
  const empty = server.devicesOf(phone.technician).flatMap((one) => Object.values(one.payloads))
    .filter((payload) => textOf(JSON.parse(payload) as CommandBody) === "");
  assert.equal(empty.length, rows.length, "a number that nobody gave up");
  return rows.length;
}

function judgeDay(server: ModelServer, phone: Phone): void {
  const { engine } = phone;
  if (engine === null) throw new Error("not open");
  const revoked = server.devicesOf(phone.technician).some((one) => one.revoked);
  assert.equal(phone.ended, revoked, "nothing stays on a device that was ended, and on no other");
  if (revoked) {
    assert.equal(engine.replica.visits.size, 0);
    return;
  }
  const shown = [...engine.replica.visits.values()]
    .map((one) => [idOf(one), one.appointment?.status, one.appointment?.version] as const);
  const held = server.visitsOf(phone.technician)
    .map((one) => [one.id, one.status, String(one.version)] as const);
  assert.deepEqual(shown.sort(), held.sort(), `${phone.technician}: shows another day`);
  assert.deepEqual(new Map(phone.disk.table("visit")), engine.replica.visits, "memory and disk");
  for (const row of engine.outbox.all()) assert.ok(row.result, "a command without its result");
}

/* Throws what is wrong; the seed repeats it. */
export async function runSchedule(seed: number): Promise<Figures> {
  const world = new World(chanceOf(seed));
  const server = new ModelServer(world);
  const phones = ["A", "B", "C"].map((name) => new Phone(name, world, server));
  const figures: Figures = { commands: 0, kills: 0, restores: 0, revoked: 0, unreadable: 0 };
  for (const phone of phones) server.addToken(`token${phone.technician}`, phone.technician);
  for (const phone of phones) void phone.open();
  for (let visit = 0; visit < 8; visit++)
    server.put(`V${visit}`, "ABC"[visit % 3]!, "SCHEDULED", visit * 1e9);
  await world.run(60_000);
  const day = trouble(world, server, phones, figures);
  await world.run(dayMs + 300_000);
  await day;
  await makeWell(world, phones);
  for (const phone of phones) {
    figures.commands += judgeCommands(server, phone);
    figures.kills += phone.kills;
    figures.unreadable += judgeUnreadable(server, phone);
    judgeDay(server, phone);
    phone.kill();
  }
  return figures;
}
