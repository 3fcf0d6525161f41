/* model_server.ts - the server's side of the contract in memory, small enough to be believed:
 * (device, epoch, seq) once, a log with cursors, snapshots, restored backups, revocation.
 *
 * It decides nothing about field service but whose an appointment is, when, and in which state: that
 * is what has to come down whole while commands go up. tests/technician runs the same schedules
 * against the real one.
 */
import type {
  AppointmentStatus, Command, CommandResult, FieldAppointment, PushRequest,
} from "@callout/shared/wire";
import type { Answer, DeviceMethod } from "../src/sync/ports.ts";
import type { Server, World } from "./world.ts";

interface Device {
  id: string;
  key: string;
  technician: string;
  token: string;
  lastSeq: number;
  payloads: Record<number, string>;
  results: Record<number, CommandResult>;
  revoked: boolean;
}

interface Visit {
  id: string;
  technician: string;
  status: AppointmentStatus;
  startUs: number;
  version: number;
}

/* All that a backup holds. */
interface State {
  seq: number;
  devices: Record<string, Device>;
  tokens: Record<string, string>; // token: technician
  visits: Record<string, Visit>;
  log: { seq: number; visit: string; before: string; after: string }[];
  oldest: number; // log entries at or before this are gone
  blobs: Record<string, number>; // sha256: bytes that are there, without a gap
}

const pageSize = 3;
export const chunkBytes = 300; // a shorter piece is the last one
const unreadable = "%%";

/* Is it a text of the kind that this server cannot read? */
export function isUnreadable(text: string): boolean {
  return text.includes(unreadable);
}
export function madeUnreadable(text: string): string {
  return text + unreadable;
}

export class ModelServer implements Server {
  private state: State = {
    seq: 0, devices: {}, tokens: {}, visits: {}, log: [], oldest: 0, blobs: {},
  };
  private epoch = 1;
  private readonly sessions = new Map<string, string>();
  private readonly nonces = new Set<string>();
  private readonly polls = new Map<string, () => void>(); // device: answers its held poll
  private readonly pages = new Map<string, { seq: number; visits: FieldAppointment[] }>();
  private counter = 0;

  constructor(private readonly world: World) {}

  /* --- what dispatchers and the oracle do --- */

  addToken(token: string, technician: string): void {
    this.state.tokens[token] = technician;
  }
  backup(): string {
    return JSON.stringify(this.state);
  }
  restore(backup: string): void {
    this.state = JSON.parse(backup) as State;
    this.epoch += 1;
    if (this.world.chance() < 0.5) this.restarted(); // sessions may be in a backup, too
    else this.wakePolls();
  }
  /* The same data, but nobody is known any more. */
  restarted(): void {
    this.sessions.clear();
    this.nonces.clear();
    this.pages.clear();
    this.wakePolls();
  }
  compact(): void {
    this.state.oldest = this.state.seq;
    this.state.log = [];
  }
  revoke(technician: string): void {
    const forgets = this.world.chance() < 0.5; // then only a Hello tells the device
    for (const device of this.devicesOf(technician)) {
      device.revoked = true;
      for (const [token, id] of this.sessions) if (forgets && id === device.id) this.sessions.delete(token);
    }
    this.wakePolls();
  }
  put(id: string, technician: string, status: AppointmentStatus, startUs: number): void {
    const before = this.state.visits[id];
    const seq = ++this.state.seq;
    this.state.visits[id] = { id, technician, status, startUs, version: seq };
    this.state.log.push({ seq, visit: id, before: before?.technician ?? "", after: technician });
    this.wakePolls();
  }
  visits(): Visit[] {
    return Object.values(this.state.visits);
  }
  visitsOf(technician: string): Visit[] {
    return this.visits().filter((visit) => visit.technician === technician);
  }
  blobs(): Record<string, number> {
    return this.state.blobs;
  }
  devicesOf(technician: string): Device[] {
    return Object.values(this.state.devices).filter((one) => one.technician === technician);
  }

  /* --- the door --- */

  async handle(method: DeviceMethod, body: string, session: string): Promise<Answer> {
    const request = JSON.parse(body) as Record<string, string>;
    if (method === "Enroll") return this.enroll(request);
    if (method === "Hello") return this.hello(request);
    const device = this.state.devices[this.sessions.get(session) ?? ""];
    if (device === undefined) return this.say({ status: "UNAUTH" });
    if (method === "Push") return this.push(device, JSON.parse(body) as PushRequest);
    if (device.revoked) return this.say({ status: "GONE" });
    if (method === "Snapshot") return this.snapshot(device, request["pageToken"] ?? "");
    if (method === "PutBlob") return this.putBlob(JSON.parse(body) as BlobPart);
    return this.pull(device, request["cursor"] ?? "", Number(request["holdMs"]));
  }

  private say(answer: Answer): Answer {
    return {
      ...answer, logEpoch: String(this.epoch), logSeq: String(this.state.seq),
      serverTimeUs: String((1_700_000_000_000 + Math.round(this.world.nowMs)) * 1000), clockRate: 1,
    };
  }

  private unique(name: string): string {
    return btoa(`${name}${this.epoch}.${this.counter++}`);
  }

  private enroll(request: Record<string, string>): Answer {
    const token = request["enrolToken"] ?? "", key = request["publicKey"] ?? "";
    const technician = this.state.tokens[token];
    if (technician === undefined) return this.say({ status: "UNAUTH" });
    let device = Object.values(this.state.devices).find((one) => one.token === token);
    if (device !== undefined && (device.key !== key || device.revoked))
      return this.say({ status: "UNAUTH" });
    if (device === undefined) {
      device = {
        id: `D${token}`, key, technician, token, lastSeq: 0, payloads: {}, results: {},
        revoked: false,
      };
      this.state.devices[device.id] = device;
    }
    return this.say({
      body: { deviceId: device.id, epoch: 1, technicianId: technician, serverName: "model" },
    });
  }

  private hello(request: Record<string, string>): Answer {
    const nonce = request["nonce"] ?? "";
    if (nonce === "") {
      const fresh = this.unique("n");
      this.nonces.add(fresh);
      return this.say({ body: { nonce: fresh } });
    }
    const device = this.state.devices[request["deviceId"] ?? ""];
    if (!this.nonces.delete(nonce) || device === undefined) return this.say({ status: "UNAUTH" });
    for (const [token, id] of this.sessions) if (id === device.id) this.sessions.delete(token);
    const session = this.unique("s");
    this.sessions.set(session, device.id);
    return this.say({
      status: device.revoked ? "GONE" : "OK",
      body: { sessionToken: session, lastSeq: String(device.lastSeq), wipe: device.revoked },
    });
  }

  /* A batch that holds something unreadable is not read at all. */
  private push(device: Device, request: PushRequest): Answer {
    if (request.commands?.some((command) => isUnreadable(JSON.stringify(command))))
      return this.say({ status: "INVALID", text: "commands: unreadable" });
    const results = (request.commands ?? []).map((command) => this.applyOnce(device, command));
    return this.say({ body: { results, lastSeq: String(device.lastSeq) } });
  }

  private applyOnce(device: Device, command: Command): CommandResult {
    const seq = Number(command.seq), payload = JSON.stringify(command);
    const stored = device.results[seq];
    if (stored !== undefined && device.payloads[seq] !== payload)
      return { seq: String(seq), outcome: "PAYLOAD_MISMATCH" };
    if (stored !== undefined) return { ...stored, duplicate: true };
    if (seq !== device.lastSeq + 1) return { seq: String(seq), outcome: "OUTCOME_GAP" };
    device.lastSeq = seq;
    device.payloads[seq] = payload;
    const result = this.apply(device, command);
    device.results[seq] = result;
    return result;
  }

  private apply(device: Device, command: Command): CommandResult {
    const seq = String(command.seq), status = command.status;
    const visit = this.state.visits[status?.appointmentId ?? ""];
    const empty = status === undefined && command.message === undefined;
    if (empty || (status !== undefined && visit === undefined)) return { seq, outcome: "REJECTED" };
    if (visit?.technician === device.technician)
      this.put(visit.id, visit.technician, status?.status ?? "ACCEPTED", visit.startUs);
    else this.state.seq++;
    const clash = visit !== undefined && visit.technician !== device.technician;
    return { seq, outcome: clash ? "CONFLICT_RECORDED" : "APPLIED", logSeq: String(this.state.seq) };
  }

  private snapshot(device: Device, pageToken: string): Answer {
    let token = pageToken, page = this.pages.get(token);
    if (token === "") {
      const visits = this.visitsOf(device.technician).map(shown);
      token = this.unique("p");
      page = { seq: this.state.seq, visits };
      this.pages.set(token, page);
    }
    if (page === undefined) return this.say({ status: "RESET" });
    const rest = page.visits.slice(pageSize), next = this.unique("p");
    this.pages.set(next, { seq: page.seq, visits: rest });
    return this.say({
      body: {
        appointments: page.visits.slice(0, pageSize),
        technician: { technicianId: device.technician },
        ...(rest.length > 0 ? { nextPageToken: next } : { cursor: this.cursor(page.seq) }),
      },
    });
  }

  private cursor(seq: number): string {
    return `${this.epoch}-${seq}`;
  }

  private async pull(device: Device, cursor: string, holdMs: number): Promise<Answer> {
    const [epoch, from] = cursor.split("-").map(Number);
    if (epoch !== this.epoch || from === undefined || from < this.state.oldest)
      return this.say({ status: "RESET" });
    if (this.newsFor(device, from).length > 0) return this.answerPull(device, from);
    const superseded = this.polls.get(device.id);
    const woken = new Promise<void>((resolve) => {
      this.polls.set(device.id, resolve);
      this.world.at(this.world.nowMs + holdMs, resolve);
    });
    superseded?.();
    await woken;
    if (!this.sessions.size || device !== this.state.devices[device.id])
      return this.say({ status: "UNAUTH" });
    if (device.revoked) return this.say({ status: "GONE" });
    if (from < this.state.oldest) return this.say({ status: "RESET" });
    return this.answerPull(device, from);
  }

  private newsFor(device: Device, from: number): string[] {
    const touched = this.state.log.filter(({ seq, before, after }) =>
      seq > from && (before === device.technician || after === device.technician));
    return [...new Set(touched.map(({ visit }) => visit))];
  }

  private answerPull(device: Device, from: number): Answer {
    const visits = this.newsFor(device, from).map((id) => this.state.visits[id]!);
    return this.say({
      body: {
        cursor: this.cursor(this.state.seq),
        appointments: visits.filter(({ technician }) => technician === device.technician).map(shown),
        leftScope: visits.filter(({ technician }) => technician !== device.technician)
          .map(({ id }) => id),
      },
    });
  }

  private putBlob(part: BlobPart): Answer {
    const have = this.state.blobs[part.sha256] ?? 0, bytes = atob(part.bytes).length;
    if (Number(part.offset) === have)
      this.state.blobs[part.sha256] = have + bytes;
    const received = this.state.blobs[part.sha256] ?? 0;
    return this.say({ body: { received: String(received), kept: bytes < chunkBytes && received > 0 } });
  }

  private wakePolls(): void {
    const polls = [...this.polls.values()];
    this.polls.clear();
    for (const answer of polls) answer();
  }
}

interface BlobPart {
  sha256: string;
  offset: string;
  bytes: string;
}

function shown(visit: Visit): FieldAppointment {
  return {
    appointment: {
      appointmentId: visit.id, status: visit.status, plannedStartUs: String(visit.startUs),
      version: String(visit.version), assignment: { technicianId: visit.technician },
    },
  };
}
