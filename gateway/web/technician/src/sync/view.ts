/* view.ts - the day as its technician sees it: what the server says, with his own word on top as
 * long as the server has not taken it in.
 */
import type {
  AppointmentStatus, ArrivalWindow, Attachment, AttachmentKind, ChecklistItem, NeedKind, Shift,
  Technician, WorkOrder,
} from "@callout/shared/wire";
import { toPlace, usToMs, type Place } from "@callout/shared/units";
import { fromBase64, toHex } from "./bytes.ts";
import type { Engine } from "./engine.ts";
import { bodyOf } from "./outbox.ts";
import { idOf, isOver, titleOf } from "./replica.ts";
import type { CommandBody, CommandRow, VisitRow } from "./rows.ts";

export interface Shown {
  id: string;
  visit: VisitRow;
  order: WorkOrder;
  title: string;
  status: AppointmentStatus;
  startMs: number;
  endMs: number;
  place: Place | null;
  window: { startMs: number; endMs: number; promised: boolean } | null;
  tentative: boolean;
  late: boolean;
  unsent: boolean; // something about it is not with the server yet
}

export type Step = "accept" | "go" | "checkIn" | "checkOut" | "resume";

const steps: Partial<Record<AppointmentStatus, Step>> = {
  SCHEDULED: "accept", DISPATCHED: "accept", ACCEPTED: "go", EN_ROUTE: "checkIn",
  ON_SITE: "checkOut", WORKING: "checkOut", PAUSED: "resume",
};

/* What the one big button does; null: there is nothing to do. */
export function nextStep(status: AppointmentStatus): Step | null {
  return steps[status] ?? null;
}

const underWay: ReadonlySet<AppointmentStatus> =
  new Set<AppointmentStatus>(["EN_ROUTE", "ON_SITE", "WORKING", "PAUSED"]);

export function isUnderWay(status: AppointmentStatus): boolean {
  return underWay.has(status);
}

type Said = { row: CommandRow; body: ReturnType<typeof bodyOf> };

/* What he said about each visit and the server does not show yet, oldest first. */
function wordsOf(engine: Engine): Map<string, Said[]> {
  const words = new Map<string, Said[]>();
  for (const row of engine.outbox.all()) {
    if (row.seq <= engine.outbox.mark.ackedSeq && row.result === undefined) continue;
    const body = bodyOf(row), id = subjectOf(body);
    const version = Number(engine.replica.visits.get(id)?.appointment?.version ?? 0);
    if (id === "" || engine.shows(row, version)) continue;
    words.set(id, [...(words.get(id) ?? []), { row, body }]);
  }
  return words;
}

/* The appointment that a command is about; "": none. */
export function subjectOf(body: CommandBody): string {
  for (const part of Object.values(body) as unknown[])
    if (typeof part === "object" && part !== null && "appointmentId" in part)
      return String(part.appointmentId);
  return "";
}

function windowOf(windows: readonly ArrivalWindow[] | undefined, startMs: number): Shown["window"] {
  const all = (windows ?? []).map((one) => ({
    startMs: usToMs(one.startUs), endMs: usToMs(one.endUs), promised: one.promised === true,
  }));
  const told = all.filter((one) => one.promised);
  const usable = told.length > 0 ? told : all;
  return usable.find((one) => one.endMs >= startMs) ?? usable[0] ?? null;
}

function show(visit: VisitRow, said: readonly Said[]): Shown {
  const appointment = visit.appointment ?? {}, order = visit.workOrder ?? {};
  const startMs = usToMs(appointment.plannedStartUs);
  let status = appointment.status ?? "UNSCHEDULED";
  for (const { body } of said) {
    if (body.status?.status !== undefined) status = body.status.status;
    if (body.decline !== undefined) status = "UNSCHEDULED";
  }
  return {
    id: idOf(visit), visit, order, title: titleOf(visit), status, startMs,
    endMs: usToMs(appointment.plannedEndUs), place: toPlace(order.site?.point),
    window: windowOf(order.windows, startMs), tentative: appointment.assignment?.tentative === true,
    late: appointment.late === true,
    unsent: said.some(({ row }) => row.result === undefined),
  };
}

export interface Item extends ChecklistItem {
  value: string;
}
export interface Line {
  text: string;
  timeMs: number;
  mine: boolean;
}
export interface Proof {
  sha256: string; // in hex
  kind: AttachmentKind;
  name: string;
  timeMs: number;
  kept: boolean; // the server has its bytes
}

/* What is known of a visit beyond its row on the list. */
export interface Details {
  items: Item[];
  missing: Item[]; // required, and not answered
  notes: Line[];
  proofs: Proof[];
  needs: readonly NeedKind[];
}

export function detailsOf(engine: Engine, visit: Shown): Details {
  const said = wordsOf(engine).get(visit.id) ?? [];
  const { answers, notes, attachments, needs } = visit.visit;
  const values = new Map((answers ?? []).map((one) => [one.itemId ?? "", one.value ?? ""]));
  const lines = (notes ?? []).map(({ text, timeUs, technicianId }): Line => ({
    text: text ?? "", timeMs: usToMs(timeUs), mine: technicianId === engine.technicianId,
  }));
  const proofs = new Map((attachments ?? []).map((one) => [one.sha256 ?? "", proofOf(one)]));
  const open = new Set(needs ?? []);
  for (const { body } of said) {
    if (body.answer !== undefined) values.set(body.answer.itemId ?? "", body.answer.value ?? "");
    if (body.note !== undefined) addLine(lines, body.note.text ?? "", body.happenedMs);
    if (body.attachment !== undefined)
      proofs.set(body.attachment.sha256 ?? "", { ...proofOf(body.attachment), timeMs: body.happenedMs });
    if (body.need?.kind !== undefined) open.add(body.need.kind);
  }
  const items = (visit.order.checklist ?? [])
    .map((item): Item => ({ ...item, value: values.get(item.itemId ?? "") ?? "" }));
  return {
    items, missing: items.filter((item) => item.required === true && item.value === ""),
    notes: lines, proofs: [...proofs.values()], needs: [...open],
  };
}

/* One's own note, unless the server has told it already: it corrects the time of it. */
function addLine(lines: Line[], text: string, timeMs: number): void {
  const told = lines.some((one) => one.mine && one.text === text && Math.abs(one.timeMs - timeMs) < 60_000);
  if (!told) lines.push({ text, timeMs, mine: true });
}

function proofOf({ sha256, kind, name, timeUs, kept }: Attachment): Proof {
  return {
    sha256: toHex(fromBase64(sha256 ?? "")), kind: kind ?? "PHOTO", name: name ?? "",
    timeMs: usToMs(timeUs), kept: kept === true,
  };
}

/* All visits by their planned start; who is under way comes first. */
export function shownVisits(engine: Engine): Shown[] {
  const words = wordsOf(engine);
  const shown = [...engine.replica.visits].map(([id, visit]) => show(visit, words.get(id) ?? []));
  return shown.sort((one, other) => one.startMs - other.startMs || (one.id < other.id ? -1 : 1));
}

export interface Route {
  next: Shown | null;
  open: Shown[]; // of today, behind the next one
  done: Shown[]; // of today
  later: Shown[]; // of the days after
}

export function routeOf(shown: readonly Shown[], today: number, dayOf: (ms: number) => number): Route {
  const mine = shown.filter((one) => one.status !== "UNSCHEDULED" && one.startMs > 0);
  const open = mine.filter((one) => !isOver(one.status) && dayOf(one.startMs) <= today);
  const next = open.find((one) => isUnderWay(one.status)) ?? open[0] ?? null;
  return {
    next, open: open.filter((one) => one !== next),
    done: mine.filter((one) => isOver(one.status) && dayOf(one.startMs) === today),
    later: mine.filter((one) => !isOver(one.status) && dayOf(one.startMs) > today),
  };
}

export function shiftAt(technician: Technician | null, nowMs: number, today: number): Shift | null {
  const shifts = technician?.shifts ?? [];
  return shifts.find((one) => usToMs(one.startUs) <= nowMs && nowMs < usToMs(one.endUs)) ??
    shifts.find((one) => Number(one.serviceDay ?? 0) === today) ?? null;
}

export function isInShift(technician: Technician | null, nowMs: number): boolean {
  return (technician?.shifts ?? [])
    .some((one) => usToMs(one.startUs) <= nowMs && nowMs < usToMs(one.endUs));
}
