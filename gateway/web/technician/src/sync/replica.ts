/* replica.ts - the technician's visits as the server last said, and what changed about them.
 *
 * The visits, the cursor that they are true for and the changes to show move together, in one
 * transaction from one complete reply to the next. The device's own unsent word is not in here
 * (view.ts puts it on top).
 */
import type {
  AppointmentStatus, ChangeCause, FieldAppointment, PullReply, SnapshotReply,
} from "@callout/shared/wire";
import { usToMs } from "@callout/shared/units";
import type { Change } from "./outbox.ts";
import type { Write } from "./ports.ts";
import type { ChangeRow, Day, MessageRow, VisitRow } from "./rows.ts";

const movedMs = 60_000; // less is not worth a word
const soonSeconds = 3_600; // where the policy does not say

export const emptyDay: Day = {
  cursor: "", seq: 0, technician: null, territory: null, sampling: null, absences: [],
  consent: null,
};

const ended: ReadonlySet<AppointmentStatus> =
  new Set<AppointmentStatus>(["COMPLETED", "INCOMPLETE", "NO_ACCESS", "CANCELLED"]);

export function isOver(status: AppointmentStatus | undefined): boolean {
  return status !== undefined && ended.has(status);
}

export function idOf(visit: FieldAppointment): string {
  return visit.appointment?.appointmentId ?? "";
}

export function titleOf(visit: FieldAppointment): string {
  const order = visit.workOrder;
  return order?.customer?.name || order?.site?.address || order?.externalId || idOf(visit);
}

const startOf = (visit: FieldAppointment | undefined) =>
  usToMs(visit?.appointment?.plannedStartUs);

const isOpen = (visit: FieldAppointment | undefined) =>
  visit !== undefined && !isOver(visit.appointment?.status);

export class Replica {
  constructor(
    readonly visits: Map<string, VisitRow>,
    readonly changes: Map<string, ChangeRow>,
    readonly messages: Map<number, MessageRow>,
    public day: Day,
  ) {}

  takePull(reply: PullReply, nowMs: number): Change {
    const fresh = new Map((reply.appointments ?? []).map((visit) => [idOf(visit), visit]));
    const left = (reply.leftScope ?? []).filter((id) => !fresh.has(id));
    const seq = Math.max(this.day.seq, ...(reply.causeSeqs ?? []).map(Number), newest(fresh));
    const { technician, consent } = reply;
    const day: Day = {
      ...this.day, seq, cursor: reply.cursor ?? "", sampling: reply.sampling ?? this.day.sampling,
      consent: consent ?? this.day.consent,
      ...(technician === undefined ? {} : { technician, absences: reply.absences ?? [] }),
    };
    return this.take(fresh, left, day, reply.messages ?? [], nowMs, reply.causes);
  }

  /* All pages of it. The first one on a device is no news. */
  takeSnapshot(pages: readonly SnapshotReply[], nowMs: number): Change {
    const last = pages[pages.length - 1] ?? {};
    const fresh = new Map(pages.flatMap((page) => page.appointments ?? [])
      .map((visit) => [idOf(visit), visit]));
    const left = [...this.visits.keys()].filter((id) => !fresh.has(id));
    const known = <Name extends keyof SnapshotReply>(name: Name) =>
      pages.find((page) => page[name] !== undefined)?.[name];
    const day: Day = {
      cursor: last.cursor ?? "", seq: Math.max(this.day.seq, newest(fresh)),
      technician: known("technician") ?? null, territory: known("territory") ?? null,
      sampling: known("sampling") ?? null, consent: known("consent") ?? null,
      absences: known("absences") ?? [],
    };
    return this.take(fresh, left, day, [], this.day.technician === null ? null : nowMs);
  }

  /* The cursor is void; the visits stay until a Snapshot is complete. */
  forgetCursor(): Change {
    return this.withDay({ ...this.day, cursor: "" });
  }

  acceptChanges(ids: readonly string[]): Change {
    const rows = ids.flatMap((id) => {
      const row = this.changes.get(id);
      return row === undefined ? [] : [{ ...row, accepted: true }];
    });
    return {
      writes: rows.map((row): Write => ({ table: "change", key: row.appointmentId, value: row })),
      then: () => rows.forEach((row) => this.changes.set(row.appointmentId, row)),
    };
  }

  readMessages(): Change {
    const rows = [...this.messages.values()].filter((row) => row.read !== true)
      .map((row): MessageRow => ({ ...row, read: true }));
    return {
      writes: rows.map((row): Write => ({ table: "message", key: Number(row.seq), value: row })),
      then: () => rows.forEach((row) => this.messages.set(Number(row.seq), row)),
    };
  }

  /* Nothing of customers stays; the caller's transaction says so of the tables, too. */
  erase(): Change {
    const gone = (table: Write["table"], keys: Iterable<string | number>): Write[] =>
      [...keys].map((key) => ({ table, key }));
    const change = this.withDay(emptyDay);
    return {
      writes: [...gone("visit", this.visits.keys()), ...gone("change", this.changes.keys()),
        ...gone("message", this.messages.keys()), ...change.writes],
      then: () => {
        this.visits.clear();
        this.changes.clear();
        this.messages.clear();
        change.then();
      },
    };
  }

  private withDay(day: Day): Change {
    return {
      writes: [{ table: "meta", key: "day", value: day }],
      then: () => void (this.day = day),
    };
  }

  /* nowMs null: nothing of it is news to anybody. */
  private take(
    fresh: Map<string, VisitRow>, left: readonly string[], day: Day,
    messages: NonNullable<PullReply["messages"]>, nowMs: number | null,
    causes: readonly ChangeCause[] = [],
  ): Change {
    const news = nowMs === null ? [] : this.news(fresh, left, day, nowMs, causes);
    const old = nowMs === null ? [] : this.oldChanges(nowMs, news);
    const rows = messages.map((message): MessageRow => ({ ...message }));
    const base = this.withDay(day);
    const writes: Write[] = [
      ...[...fresh].map(([key, value]): Write => ({ table: "visit", key, value })),
      ...left.map((key): Write => ({ table: "visit", key })),
      ...old.map((key): Write => ({ table: "change", key })),
      ...news.map((row): Write => ({ table: "change", key: row.appointmentId, value: row })),
      ...rows.map((row): Write => ({ table: "message", key: Number(row.seq), value: row })),
      ...base.writes,
    ];
    return {
      writes,
      then: () => {
        left.forEach((id) => this.visits.delete(id));
        fresh.forEach((visit, id) => this.visits.set(id, visit));
        old.forEach((id) => this.changes.delete(id));
        news.forEach((row) => this.changes.set(row.appointmentId, row));
        rows.forEach((row) => this.messages.set(Number(row.seq), row));
        base.then();
      },
    };
  }

  private news(
    fresh: Map<string, VisitRow>, left: readonly string[], day: Day, nowMs: number,
    causes: readonly ChangeCause[],
  ): ChangeRow[] {
    const rows: ChangeRow[] = [];
    const soonMs = (day.territory?.policy?.dispatchAheadSeconds || soonSeconds) * 1000;
    const compare = (id: string, after: VisitRow | undefined) => {
      const row = this.compare(id, this.visits.get(id), after, day.seq, nowMs, soonMs);
      const why = causes.find((one) => one.appointmentId === id) ?? null;
      /* What follows from his own word needs no OK of his. */
      const urgent = row?.urgent === true && why?.reason !== "CHANGE_OWN_REPORT";
      if (row !== null) rows.push({ ...row, why: why ?? row.why, urgent });
    };
    fresh.forEach((visit, id) => compare(id, visit));
    left.forEach((id) => compare(id, undefined));
    return rows;
  }

  private compare(
    id: string, before: VisitRow | undefined, after: VisitRow | undefined, seq: number,
    nowMs: number, soonMs: number,
  ): ChangeRow | null {
    const was = isOpen(before), is = isOpen(after), kept = this.changes.get(id);
    const cancelled = after?.appointment?.status === "CANCELLED";
    if (!was && !is) return null;
    if (was && after !== undefined && !is && !cancelled) // it is done: nothing about it is news
      return kept === undefined || kept.accepted ? null : { ...kept, accepted: true };
    if (was && is && Math.abs(startOf(after) - startOf(before)) < movedMs) return null;
    const open = kept !== undefined && !kept.accepted ? kept : undefined;
    const beforeMs = open?.beforeMs ?? (was ? startOf(before) : 0);
    const afterMs = is ? startOf(after) : 0;
    const kind = beforeMs === 0 ? "added" : afterMs === 0 ? "removed" : "moved";
    const shown = after ?? before;
    const soon = (ms: number) => ms !== 0 && ms > nowMs - soonMs && ms < nowMs + soonMs;
    return {
      appointmentId: id, kind, title: shown === undefined ? id : titleOf(shown), beforeMs, afterMs,
      cancelled, why: null, atMs: nowMs, seq, urgent: soon(beforeMs) || soon(afterMs),
      accepted: Math.abs(afterMs - beforeMs) < movedMs, // back where he last saw it
    };
  }

  /* What was answered for, and has been for half a day. */
  private oldChanges(nowMs: number, news: readonly ChangeRow[]): string[] {
    const again = new Set(news.map((row) => row.appointmentId));
    return [...this.changes.values()]
      .filter((row) => row.accepted && row.atMs < nowMs - 12 * 3_600_000)
      .map((row) => row.appointmentId).filter((id) => !again.has(id));
  }
}

function newest(visits: Map<string, VisitRow>): number {
  let seq = 0;
  for (const visit of visits.values()) seq = Math.max(seq, Number(visit.appointment?.version ?? 0));
  return seq;
}
