/* gantt_rows.ts - the Gantt's rows as data: who, with what, how full his shift is.
 *
 * A row that nothing changed in is the same object as before, so the grid compares by identity. */
import type { Day, Technician, Visit } from "../model/day.ts";
import { endOf, startOf } from "../model/status.ts";

export interface Row {
  readonly technician: Technician;
  readonly visits: readonly Visit[]; // in the order of their starts
  readonly loadPermille: number; // work and travel of the shift; 0: no shift
}

function loadOf(technician: Technician, visits: readonly Visit[]): number {
  const { shift } = technician;
  if (shift === null || shift.endMs <= shift.startMs) return 0;
  let busyMs = 0;
  for (const visit of visits) busyMs += Math.max(0, endOf(visit) - startOf(visit));
  for (const stop of technician.stops) busyMs += Math.max(0, stop.arrivalMs - stop.departMs);
  return Math.round((1000 * busyMs) / (shift.endMs - shift.startMs - shift.breakLengthMs));
}

function isSame(row: Row | undefined, technician: Technician, visits: readonly Visit[]): row is Row {
  return row !== undefined && row.technician === technician && row.visits.length === visits.length &&
    row.visits.every((visit, index) => visit === visits[index]);
}

export class Rows {
  private known = new Map<string, Row>();
  private readonly byName = new Intl.Collator(undefined, { numeric: true });
  private last: { day: Day; everybody: boolean; rows: Row[] } | null = null;

  /* Those with a shift or a visit, or everybody, by name. */
  make(day: Day, everybody: boolean): Row[] {
    if (this.last === null || this.last.day !== day || this.last.everybody !== everybody)
      this.last = { day, everybody, rows: this.makeNew(day, everybody) };
    return this.last.rows;
  }

  private makeNew(day: Day, everybody: boolean): Row[] {
    const visits = new Map<string, Visit[]>();
    for (const visit of day.visits.values()) {
      if (visit.technicianId === null || startOf(visit) === 0) continue;
      const list = visits.get(visit.technicianId);
      if (list === undefined) visits.set(visit.technicianId, [visit]);
      else list.push(visit);
    }
    const known = new Map<string, Row>();
    const rows: Row[] = [];
    for (const technician of day.technicians.values()) {
      const his = visits.get(technician.id) ?? [];
      if (!everybody && technician.shift === null && his.length === 0) continue;
      his.sort((a, b) => startOf(a) - startOf(b) || (a.id < b.id ? -1 : 1));
      const before = this.known.get(technician.id);
      const row = isSame(before, technician, his) ? before
        : { technician, visits: his, loadPermille: loadOf(technician, his) };
      known.set(technician.id, row);
      rows.push(row);
    }
    this.known = known;
    return rows.sort((a, b) => this.byName.compare(a.technician.name, b.technician.name));
  }
}

/* Where the day's rows begin and end; nothing: the day's working hours. */
export function spanOf(rows: readonly Row[], day: { startMs: number; endMs: number }): {
  startMs: number; endMs: number;
} {
  let startMs = Infinity, endMs = -Infinity;
  for (const { technician, visits } of rows) {
    const { shift } = technician;
    if (shift !== null) {
      startMs = Math.min(startMs, shift.startMs);
      endMs = Math.max(endMs, shift.endMs);
    }
    for (const visit of visits) {
      startMs = Math.min(startMs, startOf(visit));
      endMs = Math.max(endMs, endOf(visit));
    }
  }
  const hour = 3_600_000;
  if (startMs === Infinity) return { startMs: day.startMs + 6 * hour, endMs: day.startMs + 20 * hour };
  /* Whole hours of the territory, at most two days, whatever somebody planned. */
  const floor = (ms: number) => day.startMs + Math.floor((ms - day.startMs) / hour) * hour;
  startMs = Math.max(floor(startMs - hour / 3), day.startMs - 6 * hour);
  endMs = Math.min(floor(endMs + hour * 1.5), day.endMs + 12 * hour);
  return { startMs, endMs: Math.max(endMs, startMs + 4 * hour) };
}
