/* day.ts - one territory's service day as the board shows it: who works, what is to be done, and
 * who does it when.
 *
 * Times are milliseconds since 1970, places degrees; what the wire left out is a zero or null here.
 * A Day is never changed: a fresh one takes over what stayed the same, so that whoever draws can
 * compare by identity (I1: a Visit or Technician is the same object as before if and only if its
 * content is). `delta` names what differs from one Day before it, so that whoever saw that one
 * looks at no more than what changed (I2: everything else is the same object in both).
 */
import type {
  AppointmentStatus, ArrivalWindow, BoardReply, BoardTechnician, FeedAppointment, Fix, NeedKind, Pin, Policy,
  PlanBound, Rule, Skill, SolverState, Violation,
} from "@callout/shared/wire";
import { toNumber, toPlace, usToMs, type Place } from "@callout/shared/units";

export interface Span {
  startMs: number;
  endMs: number;
}

export interface Window extends Span {
  promised: boolean;
  preferred: boolean;
}

export interface Visit {
  id: string;
  orderId: string;
  version: string; // of the appointment: what an edit is based on
  status: AppointmentStatus;
  technicianId: string | null;
  startMs: number; // planned, as people were told; 0: not planned
  endMs: number;
  predictedMs: number; // as it would go from now; 0: nothing is predicted
  begunMs: number; // 0: not yet
  departedMs: number; // 0: not yet
  lateSeconds: number;
  serviceMs: number;
  dueMs: number; // 0: none
  windows: readonly Window[];
  pinned: boolean;
  pin: Pin | null;
  frozen: boolean;
  onHold: boolean; // nobody plans it for now
  needs: readonly NeedKind[]; // that its technician reported and are open
  unconfirmed: boolean; // an edit of this page's that nobody has answered yet
  tentative: boolean;
  emergency: boolean;
  priority: number;
  workType: string;
  customer: string;
  address: string;
  place: Place | null;
  skills: readonly Skill[];
  violations: readonly Violation[]; // of its rules, by the plan as it stands
  unservedRule: Rule;
  unservedText: string;
}

export interface Stop {
  visitId: string; // empty: the way to the end of his day
  departMs: number; // so that he is there at arrivalMs; before it he waits
  arrivalMs: number;
  startMs: number;
  endMs: number;
  breakMs: number; // 0: his break is not here
}

export interface Shift extends Span {
  breakEarliestMs: number;
  breakLatestMs: number;
  breakLengthMs: number; // 0: none
}

export interface Technician {
  id: string;
  name: string;
  skills: readonly Skill[];
  home: Place | null;
  shift: Shift | null;
  absent: boolean; // now
  absence: Span | null; // on that day
  currentVisitId: string | null;
  fixPlace: Place | null;
  fixMs: number; // 0: never heard of
  stops: readonly Stop[];
  violations: readonly Violation[]; // of his own rules, by his plan as it stands
}

/* How good the plan is, proved: no plan costs less than `lowerSeconds`. */
export interface Bound {
  costSeconds: number;
  lowerSeconds: number;
  gapPercent: number;
  ageSeconds: number; // of the proof's full computation
  certified: boolean; // it is of the very state that is shown
}

export interface Solver {
  publishedMs: number; // 0: no plan yet
  changes: number;
  stage: string;
  costSeconds: number;
  settled: boolean;
  bound: Bound | null; // null: nothing is known of it
  proposal: Proposal | null; // that waits for a person; null: none does
}

export interface Proposal {
  number: string;
  changes: number; // of visits, that it would make
}

/* What a Day has otherwise than the one with that serial number: gone, new or changed. */
export interface Delta {
  readonly base: number;
  readonly visits: ReadonlySet<string>;
  readonly technicians: ReadonlySet<string>;
}

export interface Day {
  serial: number; // of this page: no two Days have the same
  delta: Delta | null; // null: it is to be looked at as a whole
  territoryId: string;
  serviceDay: number; // that was asked for
  technicians: ReadonlyMap<string, Technician>;
  visits: ReadonlyMap<string, Visit>;
  planVersion: number;
  solver: Solver;
  policy: Policy | null;
  logSeq: string; // everything up to this fact is in it
  fixesUntilUs: string;
}

function toWindow(from: ArrivalWindow): Window {
  return {
    startMs: usToMs(from.startUs), endMs: usToMs(from.endUs),
    promised: from.promised === true, preferred: from.preferred === true,
  };
}

function toVisit(from: FeedAppointment): Visit {
  const it = from.appointment ?? {};
  const pin = it.pin ?? null;
  return {
    id: it.appointmentId ?? "",
    orderId: it.workOrderId ?? "",
    version: it.version ?? "0",
    status: it.status ?? "APPOINTMENT_STATUS_UNSPECIFIED",
    technicianId: it.assignment?.technicianId ?? null,
    startMs: usToMs(it.plannedStartUs),
    endMs: usToMs(it.plannedEndUs),
    predictedMs: usToMs(from.predictedStartUs),
    begunMs: usToMs(from.begunUs),
    departedMs: usToMs(from.departedUs),
    lateSeconds: from.lateSeconds ?? 0,
    serviceMs: (from.serviceSeconds ?? 0) * 1000,
    dueMs: usToMs(from.dueUs),
    windows: (from.windows ?? []).map(toWindow),
    pinned: pin !== null && (pin.technician === true || pin.time === true),
    pin,
    frozen: from.frozen === true,
    onHold: it.onHold === true,
    needs: from.needs ?? [],
    unconfirmed: false,
    tentative: it.assignment?.tentative === true,
    emergency: from.emergency === true,
    priority: from.priority ?? 0,
    workType: from.workType ?? "",
    customer: from.customerName ?? "",
    address: from.site?.address ?? "",
    place: toPlace(from.site?.point),
    skills: from.skills ?? [],
    violations: from.violations ?? [],
    unservedRule: from.unservedRule ?? "RULE_UNSPECIFIED",
    unservedText: from.unservedText ?? "",
  };
}

function toShift(from: BoardTechnician): Shift | null {
  const shift = from.shift;
  if (shift === undefined) return null;
  return {
    startMs: usToMs(shift.startUs), endMs: usToMs(shift.endUs),
    breakEarliestMs: usToMs(shift.breakEarliestUs), breakLatestMs: usToMs(shift.breakLatestUs),
    breakLengthMs: (shift.breakSeconds ?? 0) * 1000,
  };
}

function toAbsence(from: BoardTechnician): Span | null {
  const startMs = usToMs(from.absentStartUs), endMs = usToMs(from.absentEndUs);
  return endMs > startMs ? { startMs, endMs } : null;
}

function toTechnician(from: BoardTechnician): Technician {
  const it = from.technician ?? {};
  return {
    id: it.technicianId ?? "",
    name: it.name || (it.technicianId ?? ""),
    skills: it.skills ?? [],
    home: toPlace(it.home),
    shift: toShift(from),
    absent: from.absent === true,
    absence: toAbsence(from),
    currentVisitId: from.currentAppointmentId || null,
    fixPlace: toPlace(from.lastFix?.point),
    fixMs: usToMs(from.lastFix?.fixTimeUs),
    violations: from.violations ?? [],
    stops: (from.stops ?? []).map((stop) => ({
      visitId: stop.appointmentId ?? "",
      departMs: Math.max(usToMs(stop.leaveUs), usToMs(stop.arrivalUs) - (stop.travelSeconds ?? 0) * 1000),
      arrivalMs: usToMs(stop.arrivalUs),
      startMs: usToMs(stop.startUs), endMs: usToMs(stop.endUs), breakMs: usToMs(stop.breakStartUs),
    })),
  };
}

function toBound(from: PlanBound | undefined): Bound | null {
  if (from?.known !== true) return null;
  return {
    costSeconds: toNumber(from.costSeconds), lowerSeconds: toNumber(from.lowerBoundSeconds),
    gapPercent: toNumber(from.gapPpm) / 10_000, ageSeconds: toNumber(from.ageSeconds),
    certified: from.certified === true,
  };
}

function toProposal(from: SolverState | undefined): Proposal | null {
  const number = from?.proposalNumber ?? "0";
  return number === "0" ? null : { number, changes: from?.proposalChanges ?? 0 };
}

function toSolver(from: SolverState | undefined): Solver {
  return {
    publishedMs: usToMs(from?.publishedUs), changes: from?.changes ?? 0, stage: from?.stage ?? "",
    costSeconds: toNumber(from?.costSeconds), settled: from?.settled === true,
    bound: toBound(from?.bound), proposal: toProposal(from),
  };
}

function withFix(technician: Technician, fix: Fix): Technician {
  const fixMs = usToMs(fix.fixTimeUs);
  if (fixMs <= technician.fixMs) return technician;
  return { ...technician, fixMs, fixPlace: toPlace(fix.point) };
}

/* Plain data alone: what a Visit or Technician is made of. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((one, index) => isEqual(one, b[index]));
  const left = a as Record<string, unknown>, right = b as Record<string, unknown>;
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => isEqual(left[name], right[name]));
}

/* The old one if nothing differs; else the fresh one with all parts of the old that are equal. */
function takeOver<Value extends object>(old: Value, fresh: Value): Value {
  const made = { ...fresh };
  let same = true;
  for (const name of Object.keys(fresh) as (keyof Value)[])
    if (isEqual(old[name], fresh[name])) made[name] = old[name];
    else same = false;
  return same ? old : made;
}

let lastSerial = 0;

export function newSerial(): number {
  return ++lastSerial;
}

/* A Map that is being made of another one, and which of its names differ. */
class Change<Value extends object> {
  readonly all: Map<string, Value>;
  readonly names = new Set<string>();

  constructor(private readonly base: ReadonlyMap<string, Value> | undefined) {
    this.all = new Map(base);
  }

  put(name: string, value: Value): void {
    const old = this.base?.get(name);
    const made = old === undefined ? value : takeOver(old, value);
    this.all.set(name, made);
    if (made === old) this.names.delete(name);
    else this.names.add(name);
  }

  drop(name: string): void {
    if (this.all.delete(name)) this.names.add(name);
  }
}

function takeTechnician(technicians: Change<Technician>, from: BoardTechnician): void {
  const fresh = toTechnician(from);
  const old = technicians.all.get(fresh.id);
  /* A delta has a position only where it is newer. */
  technicians.put(fresh.id, fresh.fixMs === 0 && old !== undefined
    ? { ...fresh, fixMs: old.fixMs, fixPlace: old.fixPlace } : fresh);
}

function takeVisit(visits: Change<Visit>, from: FeedAppointment, serviceDay: number, isDelta: boolean): void {
  const fresh = toVisit(from);
  /* It may have moved to another day since. */
  const itsDay = toNumber(from.appointment?.serviceDay);
  if (isDelta && itsDay !== 0 && itsDay !== serviceDay) visits.drop(fresh.id);
  else visits.put(fresh.id, fresh);
}

/* Makes a Day of the pages of one answer, some items at a time, so that a large one need not hold up
 * the page. `before` is what a delta is about; a complete answer needs none. */
export class Merge {
  private readonly base: Day | null;
  private readonly technicians: Change<Technician>;
  private readonly visits: Change<Visit>;
  private readonly steps: Iterator<void>;

  constructor(
    private readonly territoryId: string, private readonly serviceDay: number,
    private readonly pages: readonly BoardReply[], before: Day | null,
  ) {
    this.base = pages[0]?.complete === true ? null : before;
    this.technicians = new Change(this.base?.technicians);
    this.visits = new Change(this.base?.visits);
    this.steps = this.take();
  }

  /* Goes on until `enough` says so, which is asked after each few items. True: all is taken. */
  work(enough: () => boolean): boolean {
    for (;;) {
      if (this.steps.next().done === true) return true;
      if (enough()) return false;
    }
  }

  private *take(): Iterator<void> {
    let items = 0;
    for (const page of this.pages) {
      for (const one of page.technicians ?? []) {
        takeTechnician(this.technicians, one);
        if (++items % itemsAtOnce === 0) yield;
      }
      for (const one of page.appointments ?? []) {
        takeVisit(this.visits, one, this.serviceDay, this.base !== null);
        if (++items % itemsAtOnce === 0) yield;
      }
      for (const { technicianId, fix } of page.fixes ?? []) {
        const technician = this.technicians.all.get(technicianId ?? "");
        if (technician !== undefined && fix !== undefined)
          this.technicians.put(technician.id, withFix(technician, fix));
      }
    }
  }

  /* After all is taken. */
  finish(): Day {
    const { base, technicians, visits } = this;
    const first = this.pages[0] ?? {};
    return {
      serial: newSerial(),
      delta: base === null ? null : { base: base.serial, visits: visits.names, technicians: technicians.names },
      territoryId: this.territoryId, serviceDay: this.serviceDay,
      /* A Map in which nothing differs is the one before. */
      technicians: base !== null && technicians.names.size === 0 ? base.technicians : technicians.all,
      visits: base !== null && visits.names.size === 0 ? base.visits : visits.all,
      planVersion: toNumber(first.plan?.version) || (base?.planVersion ?? 0),
      solver: first.solver === undefined && base !== null ? base.solver : toSolver(first.solver),
      policy: first.policy ?? base?.policy ?? null,
      logSeq: first.logSeq ?? base?.logSeq ?? "0",
      fixesUntilUs: first.fixesUntilUs ?? base?.fixesUntilUs ?? "0",
    };
  }
}
const itemsAtOnce = 8;

/* All at once. */
export function mergeBoard(
  territoryId: string, serviceDay: number, pages: readonly BoardReply[], before: Day | null,
): Day {
  const merge = new Merge(territoryId, serviceDay, pages, before);
  merge.work(() => false);
  return merge.finish();
}

/* The Visits to look at for whoever has seen the Day with the serial number `seen` (0: none) and
 * knows of those in `known`: all that may differ, gone ones too. */
export function visitsToLookAt(day: Day, seen: number, known: ReadonlyMap<string, unknown>): Iterable<string> {
  if (day.delta !== null && day.delta.base === seen) return day.delta.visits;
  return new Set([...known.keys(), ...day.visits.keys()]);
}
