/* gantt_rows.ts - the Gantt's rows as data: who, with what, how full his shift is.
 *
 * A row that nothing changed in is the same object as before, so the grid compares by identity; and
 * only the rows of what changed are looked at. Where a technician is, is nothing of his row. */
import { visitsToLookAt, type Day, type Technician, type Visit } from "../model/day.ts";
import type { Kind } from "../model/attention.ts";
import { endOf, isServing, startOf } from "../model/status.ts";

export interface Row {
  readonly technician: Technician;
  readonly visits: readonly Visit[]; // in the order of their starts
  readonly kinds: readonly (Kind | undefined)[]; // of the visits
  readonly isServing: boolean; // one of them is being worked at: its bar may grow with time
  readonly loadPermille: number; // work and travel of the shift; 0: no shift
  readonly startMs: number; // of shift and visits; Infinity: there is neither
  readonly endMs: number;
}

export type Kinds = ReadonlyMap<string, Kind>;

function loadOf(technician: Technician, visits: readonly Visit[]): number {
  const { shift } = technician;
  if (shift === null || shift.endMs <= shift.startMs) return 0;
  let busyMs = 0;
  for (const visit of visits) busyMs += Math.max(0, endOf(visit) - startOf(visit));
  for (const stop of technician.stops) busyMs += Math.max(0, stop.arrivalMs - stop.departMs);
  return Math.round((1000 * busyMs) / (shift.endMs - shift.startMs - shift.breakLengthMs));
}

function makeRow(technician: Technician, visits: Visit[], kinds: Kinds): Row {
  visits.sort((a, b) => startOf(a) - startOf(b) || (a.id < b.id ? -1 : 1));
  let startMs = technician.shift?.startMs ?? Infinity, endMs = technician.shift?.endMs ?? -Infinity;
  for (const visit of visits) {
    startMs = Math.min(startMs, startOf(visit));
    endMs = Math.max(endMs, endOf(visit));
  }
  return { technician, visits, kinds: visits.map((visit) => kinds.get(visit.id)), isServing: visits.some(isServing),
    loadPermille: loadOf(technician, visits), startMs, endMs };
}

/* All of him that his row shows. */
function looksSame(a: Technician, b: Technician): boolean {
  return a === b || (a.name === b.name && a.shift === b.shift && a.stops === b.stops && a.absent === b.absent &&
    a.absence === b.absence && a.skills === b.skills);
}

export class Rows {
  private readonly byName = new Intl.Collator(undefined, { numeric: true });
  private readonly owners = new Map<string, string>(); // of visits that stand in a row
  private readonly members = new Map<string, Set<string>>(); // the same, the other way round
  private readonly known = new Map<string, Row>();
  private seen = 0;
  private kinds: Kinds = new Map();
  private everybody = false;
  private rows: readonly Row[] = [];
  made = 0; // rows made, ever

  /* Those with a shift or a visit, or everybody, by name: the same array if nothing differs. */
  make(day: Day, everybody: boolean, kinds: Kinds): readonly Row[] {
    const stale = new Set<string>();
    if (day.serial !== this.seen) {
      this.takeVisits(day, stale);
      this.takeTechnicians(day, stale);
    }
    if (kinds !== this.kinds) this.takeKinds(kinds, stale);
    if (everybody !== this.everybody) for (const id of day.technicians.keys()) stale.add(id);
    this.seen = day.serial;
    this.kinds = kinds;
    this.everybody = everybody;
    if (stale.size > 0) this.rows = this.remake(day, stale);
    return this.rows;
  }

  private takeVisits(day: Day, stale: Set<string>): void {
    for (const id of visitsToLookAt(day, this.seen, this.owners)) {
      const visit = day.visits.get(id);
      const before = this.owners.get(id);
      const owner = visit === undefined || startOf(visit) === 0 ? null : visit.technicianId;
      if (before !== undefined) stale.add(before);
      if (before !== undefined && before !== owner) {
        this.owners.delete(id);
        this.members.get(before)?.delete(id);
      }
      if (owner === null) continue;
      stale.add(owner);
      this.owners.set(id, owner);
      const his = this.members.get(owner);
      if (his === undefined) this.members.set(owner, new Set([id]));
      else his.add(id);
    }
  }

  private takeTechnicians(day: Day, stale: Set<string>): void {
    const ids = day.delta !== null && day.delta.base === this.seen ? day.delta.technicians
      : new Set([...this.known.keys(), ...day.technicians.keys()]);
    for (const id of ids) {
      const before = this.known.get(id)?.technician, now = day.technicians.get(id);
      if (before === undefined || now === undefined || !looksSame(before, now)) stale.add(id);
    }
  }

  private takeKinds(kinds: Kinds, stale: Set<string>): void {
    const look = (id: string) => {
      const owner = this.owners.get(id);
      if (owner !== undefined && kinds.get(id) !== this.kinds.get(id)) stale.add(owner);
    };
    for (const id of kinds.keys()) look(id);
    for (const id of this.kinds.keys()) look(id);
  }

  private remake(day: Day, stale: ReadonlySet<string>): readonly Row[] {
    let others = false; // is another in the list, or called otherwise
    for (const id of stale) {
      const before = this.known.get(id), row = this.rowOf(day, id);
      if (row === null) this.known.delete(id);
      else this.known.set(id, row);
      others ||= before?.technician.name !== row?.technician.name;
    }
    const order = others ? [...this.known.values()].sort((a, b) =>
      this.byName.compare(a.technician.name, b.technician.name) || (a.technician.id < b.technician.id ? -1 : 1))
      : this.rows;
    const rows = order.map((row) => this.known.get(row.technician.id) ?? row);
    return rows.length === this.rows.length && rows.every((row, index) => row === this.rows[index]) ? this.rows : rows;
  }

  /* The one before if it would be the same. */
  private rowOf(day: Day, id: string): Row | null {
    const technician = day.technicians.get(id);
    const visits: Visit[] = [];
    for (const one of this.members.get(id) ?? []) {
      const visit = day.visits.get(one);
      if (visit !== undefined) visits.push(visit);
    }
    if (technician === undefined || (!this.everybody && technician.shift === null && visits.length === 0)) return null;
    const fresh = makeRow(technician, visits, this.kinds), before = this.known.get(id);
    if (before !== undefined && looksSame(before.technician, technician) && before.visits.length === visits.length &&
        before.visits.every((visit, at) => visit === fresh.visits[at] && before.kinds[at] === fresh.kinds[at])) return before;
    this.made++;
    return fresh;
  }
}

/* Where the day's rows begin and end; nothing: the day's working hours. */
export function spanOf(rows: readonly Row[], day: { startMs: number; endMs: number }): {
  startMs: number; endMs: number;
} {
  let startMs = Infinity, endMs = -Infinity;
  for (const row of rows) {
    startMs = Math.min(startMs, row.startMs);
    endMs = Math.max(endMs, row.endMs);
  }
  const hour = 3_600_000;
  if (startMs === Infinity) return { startMs: day.startMs + 6 * hour, endMs: day.startMs + 20 * hour };
  /* Whole hours of the territory, at most two days, whatever somebody planned. */
  const floor = (ms: number) => day.startMs + Math.floor((ms - day.startMs) / hour) * hour;
  startMs = Math.max(floor(startMs - hour / 3), day.startMs - 6 * hour);
  endMs = Math.min(floor(endMs + hour * 1.5), day.endMs + 12 * hour);
  return { startMs, endMs: Math.max(endMs, startMs + 4 * hour) };
}
