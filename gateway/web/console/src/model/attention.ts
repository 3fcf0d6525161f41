/* attention.ts - what a dispatcher must look at, worst first.
 *
 * A visit stands in the list once, under the first kind that it is; its chip counts it there only,
 * so the chips add up to the list. `brokenMs` is when its promise is broken, or was: the list is
 * sorted by it. What has no promise comes last, by priority.
 */
import { endOf, isBegun, isOver, isServing, startOf, windowOf } from "./status.ts";
import { visitsToLookAt, type Day, type Technician, type Visit } from "./day.ts";

export const kinds = [
  "lateNow", "willBeLate", "noTechnician", "ruleBroken", "noContact", "waiting",
] as const;
export type Kind = (typeof kinds)[number];

export interface Exception {
  readonly key: string;
  readonly kind: Kind;
  readonly visit: Visit | null; // null: it is about the technician alone
  readonly technician: Technician | null;
  readonly brokenMs: number; // Infinity: no promise is at stake
  readonly windowEndMs: number; // 0: nothing is known that it could be late for
}

/* So long after its window, as far as is known; 0: it is not late. */
export function lateMsOf(exception: Exception, nowMs: number): number {
  const { visit, kind, windowEndMs } = exception;
  if (visit === null || windowEndMs === 0) return 0;
  const begins = Math.max(startOf(visit), kind === "lateNow" ? nowMs : 0);
  return begins === 0 ? 0 : Math.max(0, begins - windowEndMs);
}

/* A phone asks for changes all the time; one at work that is silent for so long is worth a call. */
export const silentMs = 20 * 60_000;

/* When each technician's phone was heard of last; who is missing was not heard of at all. */
export type Heard = ReadonlyMap<string, number>;

function visitKind(visit: Visit, technician: Technician | null, nowMs: number): Kind | null {
  if (isOver(visit)) return null;
  if (technician === null) return visit.needs.length > 0 ? "waiting" : "noTechnician";
  const window = windowOf(visit);
  if (window !== null && !isServing(visit)) {
    if (nowMs > window.endMs) return "lateNow";
    if (startOf(visit) > window.endMs || visit.lateSeconds > 0) return "willBeLate";
  }
  if (visit.needs.length > 0) return "waiting";
  return visit.violations.length > 0 || breaksRule(visit, technician) ? "ruleBroken" : null;
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

/* `untilMs`: until then, with the same Visit and the same technician's hours, it stays so. */
interface Finding {
  readonly exception: Exception | null;
  readonly untilMs: number;
}

function ofVisit(visit: Visit, technician: Technician | null, nowMs: number): Finding {
  const kind = visitKind(visit, technician, nowMs);
  const window = windowOf(visit);
  const turns = technician !== null && window !== null && nowMs <= window.endMs && !isOver(visit) && !isServing(visit);
  const untilMs = turns ? window.endMs : Infinity;
  if (kind === null) return { exception: null, untilMs };
  /* A broken rule is no broken promise: whoever overrode it knows. */
  const brokenMs = kind === "ruleBroken" ? Infinity : window?.endMs ?? (visit.dueMs || Infinity);
  return { exception: { key: visit.id, kind, visit, technician, brokenMs, windowEndMs: window?.endMs ?? 0 }, untilMs };
}

export function isSilent(technician: Technician, heard: Heard, nowMs: number, patienceMs = silentMs): boolean {
  const { shift } = technician;
  if (technician.absent || shift === null || nowMs < shift.startMs || nowMs > shift.endMs) return false;
  const heardMs = Math.max(heard.get(technician.id) ?? 0, technician.fixMs);
  return nowMs - Math.max(heardMs, shift.startMs) > patienceMs;
}

/* What is about him and none of his visits. */
function technicianKind(technician: Technician, heard: Heard, nowMs: number, patienceMs: number): Kind | null {
  if (isSilent(technician, heard, nowMs, patienceMs)) return "noContact";
  return technician.violations.length > 0 ? "ruleBroken" : null;
}

function compare(a: Exception, b: Exception): number {
  if (a.brokenMs !== b.brokenMs) return a.brokenMs < b.brokenMs ? -1 : 1;
  const more = (b.visit?.priority ?? 0) - (a.visit?.priority ?? 0);
  return more !== 0 ? more : a.key < b.key ? -1 : 1;
}

export function countKinds(exceptions: readonly Exception[]): Record<Kind, number> {
  const counts = { lateNow: 0, willBeLate: 0, noTechnician: 0, ruleBroken: 0, noContact: 0, waiting: 0 };
  for (const exception of exceptions) counts[exception.kind]++;
  return counts;
}

/* What was found; the same object as long as nothing else is found. */
export interface Findings {
  readonly exceptions: readonly Exception[];
  readonly kinds: ReadonlyMap<string, Kind>; // of visits
  readonly counts: Readonly<Record<Kind, number>>;
}

/* All that a visit's kind depends on of its technician. */
function sameHours(a: Technician, b: Technician | undefined): boolean {
  return b !== undefined && a.shift === b.shift && a.absence === b.absence && a.name === b.name;
}

/* Keeps what needs attention as the day goes on: looks at what a Day has changed and at what time
 * alone has changed, not at the rest (I: its findings are those of a fresh one). */
export class Attention {
  private readonly known = new Map<string, Finding>();
  private technicians: ReadonlyMap<string, Technician> = new Map();
  private ofTechnicians = new Map<string, Exception>();
  private seen = 0;
  private seenMs = -Infinity;
  private untilMs = Infinity; // the soonest of all
  findings: Findings = { exceptions: [], kinds: new Map(), counts: countKinds([]) };
  looks = 0; // visits looked at, ever

  /* `patienceMs`: how long a phone may be silent. */
  update(day: Day, nowMs: number, heard: Heard, patienceMs = silentMs): Findings {
    let changed = this.lookAtVisits(day, nowMs);
    if (this.lookAtTechnicians(day, nowMs, heard, patienceMs)) changed = true;
    this.seen = day.serial;
    this.seenMs = nowMs;
    if (changed) this.findings = this.collect();
    return this.findings;
  }

  private lookAtVisits(day: Day, nowMs: number): boolean {
    const back = nowMs < this.seenMs; // a clock was set: nothing that was said of time holds
    const others = this.seen !== day.serial && this.takeTechnicians(day);
    let ids: Iterable<string> = [];
    if (back || others) ids = visitsToLookAt(day, 0, this.known);
    else if (this.seen !== day.serial) ids = visitsToLookAt(day, this.seen, this.known);
    let changed = false;
    for (const id of ids) if (this.look(id, day, nowMs)) changed = true;
    if (nowMs > this.untilMs)
      for (const [id, { untilMs }] of this.known)
        if (nowMs > untilMs && this.look(id, day, nowMs)) changed = true;
    if (nowMs > this.untilMs) {
      this.untilMs = Infinity;
      for (const { untilMs } of this.known.values()) this.untilMs = Math.min(this.untilMs, untilMs);
    }
    return changed;
  }

  /* True: somebody's hours are others, or he is gone. */
  private takeTechnicians(day: Day): boolean {
    let others = this.technicians.size !== day.technicians.size;
    if (this.technicians !== day.technicians && !others)
      for (const [id, technician] of day.technicians)
        if (!sameHours(technician, this.technicians.get(id))) others = true;
    this.technicians = day.technicians;
    return others;
  }

  private look(id: string, day: Day, nowMs: number): boolean {
    this.looks++;
    const before = this.known.get(id)?.exception ?? null;
    const visit = day.visits.get(id);
    if (visit === undefined) {
      this.known.delete(id);
      return before !== null;
    }
    const found = ofVisit(visit, day.technicians.get(visit.technicianId ?? "") ?? null, nowMs);
    this.known.set(id, found);
    this.untilMs = Math.min(this.untilMs, found.untilMs);
    return before !== null || found.exception !== null;
  }

  private lookAtTechnicians(day: Day, nowMs: number, heard: Heard, patienceMs: number): boolean {
    let changed = false;
    const found = new Map<string, Exception>();
    for (const technician of day.technicians.values()) {
      const kind = technicianKind(technician, heard, nowMs, patienceMs);
      if (kind === null) continue;
      const before = this.ofTechnicians.get(technician.id);
      if (before?.technician === technician && before.kind === kind) found.set(technician.id, before);
      else {
        found.set(technician.id, { key: `technician ${technician.id}`, kind, visit: null, technician,
          brokenMs: Infinity, windowEndMs: 0 });
        changed = true;
      }
    }
    changed ||= found.size !== this.ofTechnicians.size;
    this.ofTechnicians = found;
    return changed;
  }

  private collect(): Findings {
    const exceptions: Exception[] = [];
    const kinds = new Map<string, Kind>();
    for (const [id, { exception }] of this.known)
      if (exception !== null) {
        exceptions.push(exception);
        kinds.set(id, exception.kind);
      }
    exceptions.push(...this.ofTechnicians.values());
    return { exceptions: exceptions.sort(compare), kinds, counts: countKinds(exceptions) };
  }
}

/* Of one moment. */
export function findExceptions(day: Day, nowMs: number, heard: Heard, patienceMs = silentMs): readonly Exception[] {
  return new Attention().update(day, nowMs, heard, patienceMs).exceptions;
}
