/* rows.ts - what the device keeps, table by table. Times are milliseconds of domain time. */
import type {
  Absence, ChangeCause, Command, CommandResult, Consent, FieldAppointment, Message, Sampling,
  Technician, Territory,
} from "@callout/shared/wire";

/* What a person or the app says; the engine adds number and clocks. */
export type CommandBody = Omit<Command, "seq" | "deviceTimeUs" | "monoUs" | "bootId" | "signature">;

/* meta */
export interface Identity {
  deviceId: string;
  epoch: number;
  technicianId: string;
  serverName: string;
}

/* How far the server is, as it last said. `logEpoch` "" is not known yet. */
export interface Mark {
  ackedSeq: number;
  lastSeq: number; // the last number that was used, here or, after a loss, as the server says
  logEpoch: string;
}

/* Where domain time stood at the last answer, to go on from after a restart without signal. */
export interface ClockRow {
  serverMs: number;
  wallMs: number;
  rate: number;
}

export type Life = "new" | "live" | "ending" | "ended" | "outdated" | "lost";

export interface Day {
  cursor: string; // "": a Snapshot is due
  seq: number; // of the last fact that this day is known to show
  technician: Technician | null;
  territory: Territory | null;
  sampling: Sampling | null;
  absences: readonly Absence[];
  consent: Consent | null;
}

/* command: the very bytes that are sent, however often. */
export interface CommandRow {
  seq: number;
  json: string;
  refused?: { json: string; why: string }; // what was said, where the server could not read it
  savedMs: number;
  result?: CommandResult;
  answeredMs?: number; // the server's time of the answer
  settled?: true; // a person has looked at what became of it
}

/* visit: as the server last said. */
export type VisitRow = FieldAppointment;

/* change: the newest one of each visit that is not answered for, and those of the day that are. */
export type ChangeKind = "added" | "removed" | "moved";
export interface ChangeRow {
  appointmentId: string;
  kind: ChangeKind;
  title: string;
  beforeMs: number; // planned starts; 0: none
  afterMs: number;
  cancelled: boolean;
  why: ChangeCause | null; // of its last step, where the server told it
  atMs: number;
  seq: number;
  urgent: boolean; // touches an appointment that starts soon
  accepted: boolean;
}

/* message: in both directions; those of one's own are in the outbox until they come back. */
export interface MessageRow extends Message {
  read?: true;
}

/* blob: the bytes of a photo or a signature, until the server has them. By their SHA-256 in hex. */
export interface BlobRow {
  sha256: string;
  bytes: ArrayBuffer;
  mediaType: string;
  appointmentId: string;
  received: number; // bytes that the server has
  refused?: string;
}
