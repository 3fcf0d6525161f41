// device.ts - a technician's device: enrols, reports, and follows its own part of the plan.
//
// What it knows is the replica (appointments and the cursor they are true for) and the outbox. Two
// lines go on at the same time: commands (Enroll, Hello, Snapshot, Push) and the held poll (Pull).
import { setTimeout as sleep } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import * as protobuf from "protobufjs";
import { Keeping } from "./keeping";
import { Line } from "./line";

const BATCH_COMMANDS_MAX = 200;
const BATCH_BYTES_MAX = 128 * 1024;
const COMMANDS_TAG = (1 << 3) | 2; // PushRequest.commands
const HOLD_MS = 25000;
const REPLY_BYTES = { longs: String, enums: String, bytes: Buffer, defaults: true } as const;

export interface Visit {
  id: string;
  status: string;
  plannedStartUs: bigint;
}

class Refused extends Error {
  constructor(readonly status: string, text: string, readonly retryAfterMs: number) {
    super(`${status}: ${text}`);
  }
}

export interface Counters {
  acknowledged: number;
  duplicates: number;
  rejected: number;
  hellos: number;
  snapshots: number;
  pulls: number;
}

export class Device {
  readonly visits = new Map<string, Visit>();
  readonly counters: Counters = {
    acknowledged: 0, duplicates: 0, rejected: 0, hellos: 0, snapshots: 0, pulls: 0,
  };
  onChange: () => void = () => {};
  cutAtPush = 0; // the connection is cut when this Push is on its way; 0: never

  private commands: Line;
  private polls: Line;
  private cursor = Buffer.alloc(0);
  private session = Buffer.alloc(0);
  private ackedSeq = 0;
  private pushes = 0;
  private logEpoch = "0";
  private clock = { serverUs: 0n, monoUs: 0n, rate: 1 };
  private bootId = randomUUID();
  private stopping = false;
  private wake: () => void = () => {};

  constructor(
    private types: protobuf.Root, private keeping: Keeping, url: URL, ca: string | undefined,
    private token: string | undefined,
  ) {
    this.commands = new Line(url, ca, 12000);
    this.polls = new Line(url, ca, HOLD_MS + 15000);
  }

  get unsent(): number {
    return this.keeping.lastSeq - this.ackedSeq;
  }

  // The command is on the disk when this returns; it is sent as soon as possible.
  save(body: object): void {
    const command = {
      seq: this.keeping.lastSeq + 1, deviceTimeUs: String(this.domainUs()),
      monoUs: String(monoUs()), bootId: this.bootId, ...body,
    };
    this.keeping.append(this.encode("Command", command));
    this.wake();
  }

  async run(): Promise<void> {
    await Promise.all([this.runCommands(), this.runPolls()]);
  }

  stop(): void {
    this.stopping = true;
    this.commands.close();
    this.polls.close();
    this.wake();
  }

  // --- asking -----------------------------------------------------------------------------------

  private encode(type: string, value: object): Uint8Array {
    const message = this.types.lookupType("callout." + type);
    return message.encode(message.fromObject(value)).finish();
  }

  private decode(type: string, bytes: Uint8Array): any {
    const message = this.types.lookupType("callout." + type);
    return message.toObject(message.decode(bytes), REPLY_BYTES);
  }

  private async ask(line: Line, method: string, body: Uint8Array): Promise<any> {
    const request = this.encode("Request", {
      protoMajor: 1, appBuild: "second client", sessionToken: this.session, method, body,
    });
    const reply = this.decode("Reply", await line.ask(request));
    this.learn(reply);
    if (reply.status !== "OK") throw new Refused(reply.status, reply.text, reply.retryAfterMs);
    return this.decode(method + "Reply", reply.body);
  }

  // Domain time is the server's, carried on by our monotonic clock. Another log is a restored
  // server: Hello tells what it lacks.
  private learn(reply: any): void {
    if (reply.serverTimeUs !== "0")
      this.clock = {
        serverUs: BigInt(reply.serverTimeUs), monoUs: monoUs(), rate: reply.clockRate || 1,
      };
    if (reply.logEpoch === "0" || reply.logEpoch === this.logEpoch) return;
    if (this.logEpoch !== "0") this.session = Buffer.alloc(0);
    this.logEpoch = reply.logEpoch;
  }

  private domainUs(): bigint {
    if (this.clock.serverUs === 0n) return BigInt(Date.now()) * 1000n;
    const passed = Number(monoUs() - this.clock.monoUs) * this.clock.rate;
    return this.clock.serverUs + BigInt(Math.round(passed));
  }

  // --- the command line -------------------------------------------------------------------------

  private async runCommands(): Promise<void> {
    for (let failures = 0; !this.stopping; ) {
      try {
        if (!(await this.step())) await new Promise<void>((done) => (this.wake = done));
        failures = 0;
      } catch (error) {
        failures = await this.bear(error, failures);
      }
    }
  }

  // The most urgent thing to ask next; false: there is none.
  private async step(): Promise<boolean> {
    if (!this.keeping.identity.deviceId) await this.enrol();
    else if (this.session.length === 0) await this.hello();
    else if (this.cursor.length === 0) await this.snapshot();
    else if (this.unsent > 0) await this.push();
    else return false;
    return true;
  }

  private async enrol(): Promise<void> {
    if (!this.token) throw new Error("not enrolled, and no token was given");
    const request = this.encode("EnrollRequest", {
      enrolToken: this.token, keyAlgorithm: "ed25519", publicKey: this.keeping.publicKey(),
      signature: this.keeping.sign(Buffer.from(this.token)), deviceName: "second client",
    });
    const reply = await this.ask(this.commands, "Enroll", request);
    Object.assign(this.keeping.identity, {
      deviceId: reply.deviceId, epoch: reply.epoch, technicianId: reply.technicianId,
      serverName: reply.serverName,
    });
    this.keeping.saveIdentity();
  }

  // Asked twice: the first answer is what the second one signs.
  private async hello(): Promise<void> {
    const { deviceId, epoch, serverName } = this.keeping.identity;
    const told = { deviceId, epoch, deviceTimeUs: String(this.domainUs()) };
    const first = await this.ask(this.commands, "Hello", this.encode("HelloRequest", told));
    const epochBytes = Buffer.alloc(4);
    const timeBytes = Buffer.alloc(8);
    epochBytes.writeUInt32LE(epoch!);
    timeBytes.writeBigInt64LE(BigInt(told.deviceTimeUs));
    const signed = signedText("callout hello", [
      first.nonce, Buffer.from(deviceId!), epochBytes, Buffer.from(serverName!), timeBytes,
    ]);
    const reply = await this.ask(this.commands, "Hello", this.encode("HelloRequest", {
      ...told, nonce: first.nonce, signature: this.keeping.sign(signed),
    }));
    this.session = reply.sessionToken;
    this.ackedSeq = Number(reply.lastSeq);
    this.counters.hellos++;
    this.pollsMayGoOn();
  }

  private async snapshot(): Promise<void> {
    const collected: any[] = [];
    for (let pageToken = ""; ; ) {
      const page = await this.ask(this.commands, "Snapshot",
        this.encode("SnapshotRequest", { pageToken }));
      collected.push(...page.appointments);
      pageToken = page.nextPageToken;
      if (pageToken !== "") continue;
      this.visits.clear();
      collected.forEach((entry) => this.put(entry));
      this.cursor = page.cursor;
      break;
    }
    this.counters.snapshots++;
    this.onChange();
    this.pollsMayGoOn();
  }

  // The bytes of a command never change once they are saved: the request is put together around them.
  private async push(): Promise<void> {
    const request = protobuf.Writer.create();
    const last = Math.min(this.keeping.lastSeq, this.ackedSeq + BATCH_COMMANDS_MAX);
    for (let seq = this.ackedSeq + 1; seq <= last && request.len < BATCH_BYTES_MAX; seq++)
      request.uint32(COMMANDS_TAG).bytes(this.keeping.command(seq));
    const clocks = this.encode("PushRequest", {
      deviceTimeUs: String(this.domainUs()), monoUs: String(monoUs()), bootId: this.bootId,
    });
    const body = Buffer.concat([request.finish(), clocks]);
    const asked = this.ask(this.commands, "Push", body);
    if (++this.pushes === this.cutAtPush) setImmediate(() => this.commands.cut());
    const reply = await asked;
    const before = this.ackedSeq;
    for (const result of reply.results) {
      this.counters.acknowledged++;
      if (result.duplicate) this.counters.duplicates++;
      if (result.outcome === "REJECTED") this.counters.rejected++;
      console.log(`acknowledged ${result.seq} ${result.outcome}`);
    }
    this.ackedSeq = Number(reply.lastSeq);
    if (this.ackedSeq === before) throw new Refused("RETRY", "nothing was taken", 0);
    this.onChange();
  }

  // --- the poll line ----------------------------------------------------------------------------

  private pollsMayGoOn: () => void = () => {};

  private async runPolls(): Promise<void> {
    for (let failures = 0; !this.stopping; ) {
      try {
        if (this.session.length === 0 || this.cursor.length === 0) {
          await new Promise<void>((done) => (this.pollsMayGoOn = done));
          continue;
        }
        const reply = await this.ask(this.polls, "Pull",
          this.encode("PullRequest", { cursor: this.cursor, holdMs: HOLD_MS }));
        this.counters.pulls++;
        reply.appointments.forEach((entry: any) => this.put(entry));
        reply.leftScope.forEach((id: string) => this.visits.delete(id));
        this.cursor = reply.cursor;
        this.onChange();
        failures = 0;
      } catch (error) {
        failures = await this.bear(error, failures);
      }
    }
  }

  private put(entry: any): void {
    const { appointmentId, status, plannedStartUs } = entry.appointment;
    this.visits.set(appointmentId, {
      id: appointmentId, status, plannedStartUs: BigInt(plannedStartUs),
    });
  }

  // --- what a status does -----------------------------------------------------------------------

  private async bear(error: unknown, failures: number): Promise<number> {
    if (!(error instanceof Refused)) throw error;
    if (error.status === "GONE" || error.status === "VERSION") throw error;
    if (error.status === "UNAUTH" || error.status === "GAP") this.session = Buffer.alloc(0);
    if (error.status === "RESET") this.cursor = Buffer.alloc(0);
    if (error.status === "UNAUTH" || error.status === "RESET") this.wake();
    const most = error.retryAfterMs || Math.min(60000, 1000 * 2 ** failures);
    await sleep(most / 2 + (Math.random() * most) / 2);
    return failures + 1;
  }
}

function monoUs(): bigint {
  return process.hrtime.bigint() / 1000n;
}

// A label and a zero byte, then each value with its length before it.
function signedText(label: string, values: Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(label + "\0")];
  for (const value of values) {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(value.length);
    parts.push(size, value);
  }
  return Buffer.concat(parts);
}
