import { test } from "node:test";
import assert from "node:assert/strict";
import { Zone } from "@callout/shared/zone";
import { changeOf, problemOf, rowOf, rowsOf, shiftOf, usualDay, type DayRow } from "../src/admin/week.ts";

const zone = new Zone("Europe/Vaduz", "en-GB");
const monday = 20780; // 2026-11-23
const springDay = 20540; // 2026-03-28, before the clocks go forward
const row = (day: number, more: Partial<DayRow> = {}): DayRow => ({ ...usualDay, day, works: true, ...more });

test("a shift becomes a row and the same shift again, over midnight and over a change of the clock", () => {
  for (const it of [row(monday), row(monday, { from: "22:00", until: "06:00", breakFrom: "01:00", breakUntil: "02:00" }),
    row(springDay, { from: "22:00", until: "06:00", breakMinutes: 0 })]) {
    const shift = shiftOf(it, "T1", undefined, null, zone);
    assert.deepEqual(shiftOf(rowOf(shift, it.day, zone), "T1", undefined, null, zone), shift);
    assert.equal(rowOf(shift, it.day, zone).until, it.until);
  }
  const spring = shiftOf(row(springDay, { from: "22:00", until: "06:00", breakMinutes: 0 }), "T1", undefined, null, zone);
  assert.equal((BigInt(spring.endUs ?? "0") - BigInt(spring.startUs ?? "0")) / 3_600_000_000n, 7n);
});

test("only what was touched is sent; a day that is taken away is a day off", () => {
  const shifts = [shiftOf(row(monday), "T1", undefined, null, zone), shiftOf(row(monday + 1), "T1", undefined, null, zone)];
  const before = rowsOf(shifts, monday, 7, zone);
  assert.deepEqual(changeOf(before, before, "T1", shifts, null, zone), { shifts: [], daysOff: [] });
  const after = before.map((it) => it.day === monday ? { ...it, until: "15:00" } : it.day === monday + 1 ? { ...it, works: false } : it);
  const change = changeOf(before, after, "T1", shifts, null, zone);
  assert.deepEqual(change.daysOff, [String(monday + 1)]);
  assert.deepEqual(change.shifts.map((one) => one.serviceDay), [String(monday)]);
});

test("a place that is not his home stays; his home is left to the server", () => {
  const home = { lat: 47.1, lon: 9.5 };
  const before = { start: { latE7: 471000000, lonE7: 95000000 }, end: { latE7: 472000000, lonE7: 95000000 } };
  const shift = shiftOf(row(monday), "T1", before, home, zone);
  assert.equal(shift.start, undefined);
  assert.deepEqual(shift.end, before.end);
});

test("times that cannot be are told", () => {
  assert.equal(problemOf(row(monday)), null);
  assert.equal(problemOf(row(monday, { from: "" })), "week.badTime");
  assert.equal(problemOf(row(monday, { until: "08:00" })), "week.badTime");
  assert.equal(problemOf(row(monday, { breakFrom: "07:00" })), "week.badBreak");
  assert.equal(problemOf(row(monday, { breakUntil: "16:45" })), "week.badBreak");
  assert.equal(problemOf(row(monday, { from: "22:00", until: "06:00", breakFrom: "23:00", breakUntil: "02:00" })), null);
  assert.equal(problemOf(row(monday, { works: false, from: "" })), null);
});
