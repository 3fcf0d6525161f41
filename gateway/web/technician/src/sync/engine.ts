/* engine.ts - a technician's device: what a person says goes up exactly once and in order, what the
 * server says comes down whole; whatever the network, the phone and the server do.
 *
 *   no identity --Enroll--> no session --Hello, Hello--> live: Snapshot, then Push and Pull together
 *                                ^---- UNAUTH, another log ----'     GONE anywhere: ended for good
 *
 * E1 A command is durable before anybody sees it as saved (`save` resolves), and has its number then.
 * E2 Memory follows the store: a change is written first, in one transaction, and seen afterwards.
 *    Changes go one after the other (`commit`), so each is made of what the one before left.
 * E3 Three lanes ask at the same time: commands (Enroll, Hello, Snapshot, Push), the held poll, and
 *    photos, which give way to commands at once and go on later from where they were.
 * E4 A device that was ended erases what it knows of customers before anything else, hands over the
 *    commands that the server lacks, and erases the rest.
 * Errors: what cannot be written is thrown by `save`, and shown (`trouble`); the lanes try again.
 * Waiting: retry_after_ms, or 1 s doubling to 60 s, half of it by chance; `nudge` tries at once.
 * Killed at any await it goes on from the store at the next start, since nothing else is believed.
 */
import type {
  EnrollReply, PullReply, PushReply, PutBlobReply, SnapshotReply, Status,
} from "@callout/shared/wire";
import { Blobs } from "./blobs.ts";
import { Domain } from "./domain.ts";
import { bodyOf, Outbox, wasApplied, type Change, type Clocks } from "./outbox.ts";
import {
  Stop, Unreachable, type Answer, type DeviceMethod, type Ports, type Table, type Write,
} from "./ports.ts";
import { emptyDay, Replica } from "./replica.ts";
import type {
  BlobRow, ChangeRow, ClockRow, CommandBody, CommandRow, Day, Identity, Life, Mark, MessageRow,
  VisitRow,
} from "./rows.ts";
import { enrollRequest, helloRequest, sessionOf, signedHello } from "./session.ts";

const holdMs = 25_000;
const commandDeadlineMs = 12_000;
const pollDeadlineMs = holdMs + 15_000;
const backoffMs = { least: 1_000, most: 60_000 };
const clockRowMs = 60_000; // the clock alone is written no more often

export class Refused extends Error {
  constructor(readonly method: DeviceMethod, readonly answer: Answer) {
    super(answer.text || answer.status);
  }
  get status(): Status {
    return this.answer.status ?? "OK";
  }
}

type LaneName = "commands" | "poll" | "photos";

class Lane {
  failures = 0;
  waiting: Stop | null = null; // of its back-off
  asking: Stop | null = null;
  private ring: (() => void) | null = null;

  /* Until somebody rings. The look at what is to do and this call must not be apart by an await. */
  wait(): Promise<void> {
    return new Promise((resolve) => {
      this.ring = resolve;
    });
  }
  wake(): void {
    this.ring?.();
    this.ring = null;
  }
}

/* When the server was last heard of, by the clock that only runs; null: not since the start. */
export interface Contact {
  answeredMonoMs: number | null;
  failing: boolean; // the last question got no answer
}

export class Engine {
  readonly contact: Contact = { answeredMonoMs: null, failing: false };
  enrolProblem: Status | "" = "";
  trouble = ""; // what the store refused
  syncedMs = 0; // domain time of the last complete answer about the day
  onChange: () => void = () => undefined;

  private session = "";
  private readonly lanes: Record<LaneName, Lane> = {
    commands: new Lane(), poll: new Lane(), photos: new Lane(),
  };
  private queue: Promise<unknown> = Promise.resolve();
  private stopped = false;
  private rounds = 0; // of Pull and Snapshot
  private readonly unseen = new Map<number, number>(); // command: the rounds begun when it was taken
  private clockWrittenMs = -Infinity;

  private constructor(
    readonly ports: Ports, public life: Life, private identity: Identity | null,
    private token: string, readonly domain: Domain, readonly outbox: Outbox,
    readonly replica: Replica, readonly blobs: Blobs,
  ) {
    for (const row of outbox.all()) if (row.result !== undefined) this.unseen.set(row.seq, 0);
  }

  static async open(ports: Ports): Promise<Engine> {
    const tables = await ports.store.all();
    const table = <Key, Row>(name: Table) => new Map((tables.get(name) ?? []) as [Key, Row][]);
    const meta = table<string, unknown>("meta");
    const life = (meta.get("life") as Life | undefined) ?? "new";
    const clockRow = (meta.get("clock") as ClockRow | undefined) ?? null;
    const engine = new Engine(
      ports, life === "outdated" ? "live" : life, // this may be the version that was asked for
      (meta.get("identity") as Identity | undefined) ?? null,
      (meta.get("token") as string | undefined) ?? "", new Domain(ports.clock, clockRow),
      new Outbox(table<number, CommandRow>("command"),
        (meta.get("mark") as Mark | undefined) ?? { ackedSeq: 0, lastSeq: 0, logEpoch: "" }),
      new Replica(table<string, VisitRow>("visit"), table<string, ChangeRow>("change"),
        table<number, MessageRow>("message"), (meta.get("day") as Day | undefined) ?? emptyDay),
      new Blobs(table<string, BlobRow>("blob"), ports.chunkBytes),
    );
    engine.syncedMs = clockRow?.serverMs ?? 0;
    return engine;
  }

  get technicianId(): string {
    return this.identity?.technicianId ?? "";
  }

  /* Goes online; never returns an error. */
  start(): void {
    void this.runLane(this.lanes.commands, () => this.nextCommandStep());
    void this.runLane(this.lanes.poll, () => this.nextPollStep());
    void this.runLane(this.lanes.photos, () => this.nextPhotoStep());
  }

  stop(): void {
    this.stopped = true;
    for (const lane of Object.values(this.lanes)) {
      lane.asking?.stop();
      lane.waiting?.stop();
      lane.wake();
    }
  }

  /* A person looks, or the network seems to be back: what waits tries now. `poll` also asks anew
   * for what is held, since a line may have died unnoticed. */
  nudge(poll = false): void {
    for (const lane of Object.values(this.lanes)) lane.waiting?.stop();
    if (poll) this.lanes.poll.asking?.stop();
    this.wake();
  }

  /* --- what a person does ------------------------------------------------------------------- */

  enrol(token: string): Promise<void> {
    this.enrolProblem = "";
    return this.commit(() => ({
      writes: [{ table: "meta", key: "token", value: token },
        { table: "meta", key: "life", value: "new" }],
      then: () => {
        this.token = token;
        this.life = "new";
      },
    }));
  }

  /* Saved once it resolved; resolves with the command's number. */
  async save(body: CommandBody, blobs: readonly BlobRow[] = []): Promise<number> {
    const [seq] = await this.saveAll([body], blobs);
    return seq ?? 0;
  }

  /* Several at once: all of them are saved, or none. */
  async saveAll(bodies: readonly CommandBody[], blobs: readonly BlobRow[] = []): Promise<number[]> {
    const seqs: number[] = [];
    await this.commit(() => {
      if (this.life !== "live") throw new Error(`this device is not in use: ${this.life}`);
      const nowMs = this.domain.nowMs();
      const added = this.outbox.addAll(bodies, this.clocks(), nowMs);
      seqs.push(...added.seqs);
      return both(added, this.blobs.add(blobs));
    });
    this.lanes.photos.asking?.stop();
    return seqs;
  }

  acceptChanges(ids: readonly string[]): Promise<void> {
    return this.commit(() => this.replica.acceptChanges(ids));
  }
  readMessages(): Promise<void> {
    return this.commit(() => this.replica.readMessages());
  }
  retryPhotos(): Promise<void> {
    return this.commit(() => this.blobs.retry());
  }
  settle(seq: number): Promise<void> {
    return this.commit(() => this.outbox.settle(seq));
  }

  /* Has the day shown by the server taken this command in? */
  shows(row: CommandRow, version: number): boolean {
    if (row.result === undefined) return false;
    if (!wasApplied(row.result)) return true;
    return Number(row.result.logSeq ?? 0) <= version || !this.unseen.has(row.seq);
  }

  /* --- one change after the other ------------------------------------------------------------ */

  private commit(prepare: () => Change): Promise<void> {
    return this.turn(async () => {
      const change = prepare();
      if (change.writes.length > 0) await this.write(() => this.ports.store.write(change.writes));
      change.then();
    });
  }

  private turn(work: () => Promise<void>): Promise<void> {
    const turn = this.queue.then(work);
    this.queue = turn.catch(() => undefined);
    return turn.finally(() => this.changed());
  }

  private async write(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.trouble = "";
    } catch (error) {
      this.trouble = String(error);
      throw error;
    }
  }

  private changed(): void {
    this.wake();
    this.onChange();
  }

  private wake(): void {
    for (const lane of Object.values(this.lanes)) lane.wake();
  }

  private clocks(): Clocks {
    const us = (ms: number) => String(Math.round(ms * 1000));
    return {
      deviceTimeUs: us(this.domain.nowMs()), monoUs: us(this.ports.clock.monoMs()),
      bootId: this.ports.bootId,
    };
  }

  private clockWrites(): Write[] {
    this.clockWrittenMs = this.ports.clock.monoMs();
    return [{ table: "meta", key: "clock", value: this.domain.row() }];
  }

  /* --- lanes ---------------------------------------------------------------------------------- */

  private async runLane(lane: Lane, next: () => (() => Promise<void>) | null): Promise<void> {
    while (!this.stopped) {
      const step = next();
      if (step === null) {
        await lane.wait();
        continue;
      }
      try {
        await step();
        lane.failures = 0;
      } catch (error) {
        await this.bear(lane, error);
      }
    }
  }

  private nextCommandStep(): (() => Promise<void>) | null {
    if (this.life === "new" && this.token !== "") return () => this.enroll();
    if (this.life !== "live" && this.life !== "ending") return null;
    if (this.session === "") return () => this.hello();
    if (this.life === "ending") return this.outbox.unsent > 0 ? () => this.push() : () => this.erase();
    if (this.replica.day.cursor === "") return () => this.snapshot();
    return this.outbox.unsent > 0 ? () => this.push() : null;
  }

  private nextPollStep(): (() => Promise<void>) | null {
    const ready = this.life === "live" && this.session !== "" && this.replica.day.cursor !== "";
    return ready ? () => this.pull() : null;
  }

  private nextPhotoStep(): (() => Promise<void>) | null {
    const ready = this.life === "live" && this.session !== "" && this.outbox.unsent === 0;
    const row = ready ? this.blobs.next() : null;
    return row === null ? null : () => this.putBlob(row);
  }

  private async ask<Body>(
    lane: LaneName, method: DeviceMethod, body: string, deadlineMs = commandDeadlineMs,
  ): Promise<Body> {
    const asking = new Stop();
    this.lanes[lane].asking = asking;
    const session = method === "Enroll" || method === "Hello" ? "" : this.session;
    try {
      const answer = await this.ports.line.ask(method, body, session, deadlineMs, asking);
      if (answer.status === "UNAUTH" && session === this.session) this.session = "";
      this.contact.answeredMonoMs = this.ports.clock.monoMs();
      this.contact.failing = false;
      this.domain.learn(answer);
      await this.noteLog(answer.logEpoch ?? "0");
      if ((answer.status ?? "OK") !== "OK") throw new Refused(method, answer);
      return (answer.body ?? {}) as Body;
    } catch (error) {
      if (error instanceof Unreachable && !asking.stopped) this.contact.failing = true;
      throw error;
    } finally {
      this.lanes[lane].asking = null;
    }
  }

  /* Another log is a restored server: Hello tells what it lacks, also when nothing new is to say. */
  private async noteLog(logEpoch: string): Promise<void> {
    const known = this.outbox.mark.logEpoch;
    if (this.identity === null || logEpoch === "0" || logEpoch === known) return;
    if (known !== "") this.session = "";
    await this.commit(() => this.outbox.noteLog(logEpoch));
  }

  /* --- steps ---------------------------------------------------------------------------------- */

  private async enroll(): Promise<void> {
    const token = this.token;
    const key = await this.ports.keys.deviceKey();
    const request = await enrollRequest(token, key, this.ports.deviceName);
    const reply = await this.ask<EnrollReply>("commands", "Enroll", request);
    const identity: Identity = {
      deviceId: reply.deviceId ?? "", epoch: reply.epoch ?? 0,
      technicianId: reply.technicianId ?? "", serverName: reply.serverName ?? "",
    };
    await this.commit(() => ({
      writes: [{ table: "meta", key: "identity", value: identity },
        { table: "meta", key: "token" }, { table: "meta", key: "life", value: "live" }],
      then: () => {
        this.identity = identity;
        this.token = "";
        this.life = "live";
      },
    }));
  }

  private async hello(): Promise<void> {
    const identity = this.identity;
    if (identity === null) throw new Error("no identity");
    const { deviceTimeUs } = this.clocks();
    const first = sessionOf(await this.ask("commands", "Hello", helloRequest(identity, deviceTimeUs)));
    const key = await this.ports.keys.deviceKey();
    const request = await signedHello(identity, deviceTimeUs, first.nonce ?? "", key);
    const reply = sessionOf(await this.ask("commands", "Hello", request));
    await this.resume(Number(reply.lastSeq ?? 0));
    this.session = reply.sessionToken ?? "";
    this.changed();
  }

  private resume(lastSeq: number): Promise<void> {
    return this.commit(() => {
      const change = this.outbox.resume(lastSeq);
      if (!change.lost) return change;
      return both(change, this.liveAs("lost"));
    });
  }

  private liveAs(life: Life): Change {
    return {
      writes: [{ table: "meta", key: "life", value: life }],
      then: () => void (this.life = life),
    };
  }

  private async push(): Promise<void> {
    const { text, after } = this.outbox.batch(this.clocks());
    const reply = await this.ask<PushReply>("commands", "Push", text);
    const rounds = this.rounds;
    let moved = true;
    await this.commit(() => {
      const change = this.outbox.take(reply, after, this.domain.nowMs());
      moved = change !== null;
      if (change === null) return { writes: [], then: () => undefined };
      return { writes: [...change.writes, ...this.clockWrites()], then: () => {
        change.then();
        for (const { seq } of reply.results ?? []) this.unseen.set(Number(seq), rounds);
      } };
    });
    if (!moved) throw new Unreachable("nothing was taken");
  }

  private async snapshot(): Promise<void> {
    const round = ++this.rounds;
    const pages: SnapshotReply[] = [];
    let pageToken = "";
    do {
      const page: SnapshotReply = await this.ask("commands", "Snapshot", JSON.stringify({ pageToken }));
      pages.push(page);
      pageToken = page.nextPageToken ?? "";
    } while (pageToken !== "");
    if (!pages[pages.length - 1]?.cursor) throw new Unreachable("a snapshot without a cursor");
    await this.takeDay(round, () => {
      const change = this.replica.takeSnapshot(pages, this.domain.nowMs());
      return { writes: [...change.writes, ...this.clockWrites()], then: change.then };
    });
  }

  private async pull(): Promise<void> {
    const round = ++this.rounds;
    const cursor = this.replica.day.cursor;
    const reply = await this.ask<PullReply>("poll", "Pull", JSON.stringify({ cursor, holdMs }),
      pollDeadlineMs);
    await this.takeDay(reply.more === true ? 0 : round, () => {
      if (this.replica.day.cursor !== cursor) return { writes: [], then: () => undefined };
      const quiet = !hasNews(reply) && reply.cursor === cursor;
      const clockDue = this.ports.clock.monoMs() > this.clockWrittenMs + clockRowMs;
      if (quiet) return { writes: clockDue ? this.clockWrites() : [], then: () => undefined };
      const change = this.replica.takePull(reply, this.domain.nowMs());
      return { writes: [...change.writes, ...this.clockWrites()], then: change.then };
    });
  }

  private async takeDay(round: number, prepare: () => Change): Promise<void> {
    await this.commit(prepare);
    this.syncedMs = this.domain.nowMs();
    for (const [seq, taken] of this.unseen) if (taken < round) this.unseen.delete(seq);
    this.changed();
  }

  private async putBlob(row: BlobRow): Promise<void> {
    const reply = await this.ask<PutBlobReply>("photos", "PutBlob", this.blobs.request(row));
    const received = Number(reply.received ?? 0), kept = reply.kept === true;
    await this.commit(() => this.blobs.take(row, received, kept));
    if (!kept && received >= row.bytes.byteLength) throw new Unreachable("not kept yet");
  }

  /* --- what a status asks for ----------------------------------------------------------------- */

  private async bear(lane: Lane, error: unknown): Promise<void> {
    if (this.stopped) return;
    const refused = error instanceof Refused ? error : null;
    try {
      if (refused !== null && (await this.heed(refused))) return;
    } catch {
      /* the store refused: as with any other failure, later again */
    }
    if (!(error instanceof Unreachable && error.stopped)) await this.backOff(lane, refused?.answer.retryAfterMs ?? 0);
  }

  /* True: go on at once. */
  private async heed({ method, status, answer }: Refused): Promise<boolean> {
    const repeat = ["SUPERSEDED", "RATE", "BUSY", "RETRY", "IO", "INTERNAL"].includes(status);
    if (status === "GONE" && method !== "Enroll") return this.end(method, answer);
    if (status === "VERSION") {
      await this.commit(() => this.liveAs("outdated"));
      return true;
    }
    if (method === "Enroll" && !repeat) {
      await this.commit(() => ({
        writes: [{ table: "meta", key: "token" }], then: () => void (this.token = ""),
      }));
      this.enrolProblem = status;
      this.changed();
      return true;
    }
    if (status === "UNAUTH" && method !== "Hello") {
      this.changed();
      return true;
    }
    if (status === "RESET") await this.commit(() => this.replica.forgetCursor());
    if (status === "GAP") {
      const last = (answer.body as PushReply | undefined)?.lastSeq;
      if (last !== undefined) await this.resume(Number(last));
      else this.session = "";
    }
    if (method === "Push" && (status === "INVALID" || status === "TOO_LARGE"))
      return this.makeWay(answer.text || status);
    if (!repeat && method === "Push") this.outbox.halve();
    if (!repeat && method === "PutBlob") await this.commit(() => this.blobs.refuse(status));
    return status === "RESET" && method === "Pull";
  }

  /* Fewer at once, or one less that the server cannot read. False: neither is left to try. */
  private async makeWay(why: string): Promise<boolean> {
    let moved = true;
    await this.commit(() => {
      const change = this.outbox.refuse(why);
      moved = change !== null;
      return change ?? { writes: [], then: () => undefined };
    });
    return moved;
  }

  /* Another device took this one's place, or it was revoked. */
  private async end(method: DeviceMethod, answer: Answer): Promise<boolean> {
    const { sessionToken, lastSeq } = sessionOf(method === "Hello" ? answer.body : undefined);
    const before = this.life;
    if (before !== "live" && method !== "Hello" && method !== "Push") return true; // known by now
    await this.commit(() => both(both(this.replica.erase(), this.blobs.erase()), this.liveAs("ending")));
    this.session = sessionToken ?? "";
    if (this.session !== "") await this.resume(Number(lastSeq ?? 0));
    else if (before === "ending") await this.erase();
    return true;
  }

  private erase(): Promise<void> {
    return this.turn(async () => {
      await this.write(() => this.ports.store.erase());
      this.session = "";
      this.identity = null;
      this.life = "ended";
      this.outbox.clear();
      this.unseen.clear();
    });
  }

  private async backOff(lane: Lane, retryAfterMs: number): Promise<void> {
    const grown = Math.min(backoffMs.most, backoffMs.least * 2 ** Math.min(lane.failures, 6));
    lane.failures += 1;
    const chance = this.ports.chance();
    const ms = retryAfterMs > 0 ? retryAfterMs * (1 + chance / 2) : grown * (0.5 + chance / 2);
    lane.waiting = new Stop();
    this.onChange();
    await this.ports.clock.sleep(ms, lane.waiting);
    lane.waiting = null;
  }
}

function both(one: Change, other: Change): Change {
  return {
    writes: [...one.writes, ...other.writes],
    then: () => {
      one.then();
      other.then();
    },
  };
}

function hasNews(reply: PullReply): boolean {
  return (reply.appointments?.length ?? 0) + (reply.leftScope?.length ?? 0) +
    (reply.messages?.length ?? 0) > 0 || reply.sampling !== undefined ||
    reply.technician !== undefined || reply.consent !== undefined;
}

export { bodyOf };
