/* attention.ts - what a dispatcher must look at, worst first.
 *
 * A visit stands in the list once, under the first kind that it is; its chip counts it there only,
 * so the chips add up to the list. `brokenMs` is when its promise is broken, or was: the list is
 * sorted by it. What has no promise comes last, by priority.
 */
import { endOf, isBegun, isOver, isServing, startOf, windowOf } from "./status.ts";
import type { Day, Technician, Visit } from "./day.ts";

export const kinds = [
  "lateNow", "willBeLate", "noTechnician", "ruleBroken", "noContact", "waiting",
] as const;
export type Kind = (typeof kinds)[number];

export interface Exception {
  key: string;
  kind: Kind;
  visit: Visit | null; // null: it is about the technician alone
  technician: Technician | null;
  brokenMs: number; // Infinity: no promise is at stake
  lateMs: number; // so long after its window, as far as is known; 0: it is not late
}

/* A phone asks for changes all the time; one at work that is silent for so long is worth a call. */
export const silentMs = 20 * 60_000;

/* When each technician's phone was heard of last; who is missing was not heard of at all. */
export type Heard = ReadonlyMap<string, number>;

function visitKind(visit: Visit, technician: Technician | null, nowMs: number): Kind | null {
  if (isOver(visit)) return null;
  if (technician === null) return "noTechnician";
  const window = windowOf(visit);
  if (window !== null && !isServing(visit)) {
    if (nowMs > window.endMs) return "lateNow";
    if (startOf(visit) > window.endMs || visit.lateSeconds > 0) return "willBeLate";
  }
  return breaksRule(visit, technician) ? "ruleBroken" : null;
}

/* What anybody can see in the plan: a shift that is over, an absence, work that is due. */
function breaksRule(visit: Visit, technician: Technician): boolean {
  if (isBegun(visit)) return false;
  const start = startOf(visit), end = endOf(visit);
  if (start === 0) return false;
  const { shift, absence } = technician;
  if (shift !== null && (start < shift.startMs - 60_000 || start > shift.endMs)) return true;
  if (absence !== null && start < absence.endMs && end > absence.startMs) return true;
  return visit.dueMs !== 0 && end > visit.dueMs;
}

function ofVisit(visit: Visit, day: Day, nowMs: number): Exception | null {
  const technician = day.technicians.get(visit.technicianId ?? "") ?? null;
  const kind = visitKind(visit, technician, nowMs);
  if (kind === null) return null;
  const window = windowOf(visit);
  const begins = Math.max(startOf(visit), kind === "lateNow" ? nowMs : 0);
  const lateMs = window === null || begins === 0 ? 0 : Math.max(0, begins - window.endMs);
  const brokenMs = window?.endMs ?? (visit.dueMs || Infinity);
  return { key: visit.id, kind, visit, technician, brokenMs, lateMs };
}

export function isSilent(technician: Technician, heard: Heard, nowMs: number, patienceMs = silentMs): boolean {
  const { shift } = technician;
  if (technician.absent || shift === null || nowMs < shift.startMs || nowMs > shift.endMs) return false;
  const heardMs = Math.max(heard.get(technician.id) ?? 0, technician.fixMs);
  return nowMs - Math.max(heardMs, shift.startMs) > patienceMs;
}

function compare(a: Exception, b: Exception): number {
  if (a.brokenMs !== b.brokenMs) return a.brokenMs < b.brokenMs ? -1 : 1;
  const more = (b.visit?.priority ?? 0) - (a.visit?.priority ?? 0);
  return more !== 0 ? more : a.key < b.key ? -1 : 1;
}

/* `patienceMs`: how long a phone may be silent. */
export function findExceptions(day: Day, nowMs: number, heard: Heard, patienceMs = silentMs): Exception[] {
  const out: Exception[] = [];
  for (const visit of day.visits.values()) {
    const found = ofVisit(visit, day, nowMs);
    if (found !== null) out.push(found);
  }
  for (const technician of day.technicians.values())
    if (isSilent(technician, heard, nowMs, patienceMs))
      out.push({
        key: `technician ${technician.id}`, kind: "noContact", visit: null, technician,
        brokenMs: Infinity, lateMs: 0,
      });
  return out.sort(compare);
}

export function countKinds(exceptions: readonly Exception[]): Record<Kind, number> {
  const counts = { lateNow: 0, willBeLate: 0, noTechnician: 0, ruleBroken: 0, noContact: 0, waiting: 0 };
  for (const exception of exceptions) counts[exception.kind]++;
  return counts;
}
