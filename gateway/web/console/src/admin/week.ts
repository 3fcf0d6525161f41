/* week.ts - a technician's shifts as rows of a form: one for each day, in the territory's wall time.
 *
 * A shift that ends at or before its beginning ends on the next day; so do the bounds of its break.
 * What was not touched is not sent, so that nobody's plan becomes stale by it. */
import { msToUs, usToMs, type Place } from "@callout/shared/units";
import type { Point, Shift } from "@callout/shared/wire";
import type { Zone } from "@callout/shared/zone";

const dayMs = 86_400_000, minuteMs = 60_000, dayMinutes = 1440;

export interface DayRow {
  day: number;
  works: boolean;
  from: string; // "08:00"
  until: string;
  breakFrom: string; // bounds of its start
  breakUntil: string;
  breakMinutes: number; // 0: none
  overtimeMinutes: number;
}

export const usualDay = { from: "08:00", until: "17:00", breakFrom: "11:30", breakUntil: "13:00",
  breakMinutes: 30, overtimeMinutes: 60 } as const;

const two = (value: number) => String(value).padStart(2, "0");

function textOf(ms: number, zone: Zone): string {
  const minutes = Math.floor(((ms + zone.offset(ms)) % dayMs) / minuteMs);
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

/* Minutes of the day; null: that is no time. */
export function minutesOf(text: string): number | null {
  const match = /^(\d{2}):(\d{2})$/.exec(text);
  if (match === null) return null;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return minutes < dayMinutes ? minutes : null;
}

export function rowOf(shift: Shift | undefined, day: number, zone: Zone): DayRow {
  if (shift === undefined) return { ...usualDay, day, works: false };
  const breakMinutes = Math.round((shift.breakSeconds ?? 0) / 60);
  return {
    day, works: true, from: textOf(usToMs(shift.startUs), zone), until: textOf(usToMs(shift.endUs), zone),
    breakFrom: breakMinutes === 0 ? usualDay.breakFrom : textOf(usToMs(shift.breakEarliestUs), zone),
    breakUntil: breakMinutes === 0 ? usualDay.breakUntil : textOf(usToMs(shift.breakLatestUs), zone),
    breakMinutes, overtimeMinutes: Math.round((shift.overtimeSecondsMax ?? 0) / 60),
  };
}

export function rowsOf(shifts: readonly Shift[], firstDay: number, days: number, zone: Zone): DayRow[] {
  return Array.from({ length: days }, (_, index) =>
    rowOf(shifts.find((one) => Number(one.serviceDay ?? 0) === firstDay + index), firstDay + index, zone));
}

/* What is wrong with it, as the name of a text; null: nothing. */
export function problemOf(row: DayRow): "week.badTime" | "week.badBreak" | null {
  if (!row.works) return null;
  const from = minutesOf(row.from), until = minutesOf(row.until);
  if (from === null || until === null || from === until) return "week.badTime";
  if (row.breakMinutes === 0) return null;
  const early = minutesOf(row.breakFrom), late = minutesOf(row.breakUntil);
  if (early === null || late === null) return "week.badBreak";
  const behind = (minutes: number) => (minutes - from + dayMinutes) % dayMinutes;
  const length = behind(until) === 0 ? dayMinutes : behind(until);
  const fits = behind(early) <= behind(late) && behind(late) + row.breakMinutes <= length;
  return fits ? null : "week.badBreak";
}

function samePoint(a: Point | undefined, home: Place | null): boolean {
  return a !== undefined && home !== null &&
    Math.round(home.lat * 1e7) === (a.latE7 ?? 0) && Math.round(home.lon * 1e7) === (a.lonE7 ?? 0);
}

/* `before`: the shift of that day so far, whose places stay; those that are his home follow it. */
export function shiftOf(row: DayRow, technicianId: string, before: Shift | undefined, home: Place | null, zone: Zone): Shift {
  const from = minutesOf(row.from) ?? 0;
  const at = (text: string) => {
    const minutes = minutesOf(text) ?? 0;
    return msToUs(zone.instant(row.day, minutes < from ? minutes + dayMinutes : minutes));
  };
  const end = minutesOf(row.until) === from ? msToUs(zone.instant(row.day, from + dayMinutes)) : at(row.until);
  return {
    technicianId, serviceDay: String(row.day), startUs: at(row.from), endUs: end,
    overtimeSecondsMax: row.overtimeMinutes * 60, breakSeconds: row.breakMinutes * 60,
    ...(row.breakMinutes === 0 ? {} : { breakEarliestUs: at(row.breakFrom), breakLatestUs: at(row.breakUntil) }),
    ...(before?.start === undefined || samePoint(before.start, home) ? {} : { start: before.start }),
    ...(before?.end === undefined || samePoint(before.end, home) ? {} : { end: before.end }),
  };
}

const same = (a: DayRow, b: DayRow) => JSON.stringify(a) === JSON.stringify(b);

export interface WeekChange {
  shifts: Shift[];
  daysOff: string[];
}

export function changeOf(
  before: readonly DayRow[], after: readonly DayRow[], technicianId: string, shifts: readonly Shift[],
  home: Place | null, zone: Zone,
): WeekChange {
  const change: WeekChange = { shifts: [], daysOff: [] };
  after.forEach((row, index) => {
    const was = before[index];
    if (was !== undefined && (same(was, row) || (!was.works && !row.works))) return;
    if (!row.works) change.daysOff.push(String(row.day));
    else change.shifts.push(shiftOf(row, technicianId,
      shifts.find((one) => Number(one.serviceDay ?? 0) === row.day), home, zone));
  });
  return change;
}
