import { test } from "node:test";
import assert from "node:assert/strict";
import type { BoardReply, FeedAppointment } from "@callout/shared/wire";
import { countKinds, findExceptions } from "../src/model/attention.ts";
import { mergeBoard, type Day } from "../src/model/day.ts";
import { Rows, spanOf } from "../src/board/gantt_rows.ts";

const noon = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const us = (ms: number) => String(ms * 1000);
const serviceDay = 20780;

function visit(id: string, more: FeedAppointment & { technician?: string; startMs?: number } = {}): FeedAppointment {
  const { technician, startMs, ...rest } = more;
  return {
    appointment: {
      appointmentId: id, workOrderId: id.split(".")[0] ?? "", status: technician === undefined ? "UNSCHEDULED" : "SCHEDULED",
      serviceDay: String(serviceDay), version: "5",
      ...(technician === undefined ? {} : {
        assignment: { technicianId: technician, tentative: true },
        plannedStartUs: us(startMs ?? noon), plannedEndUs: us((startMs ?? noon) + 30 * minute),
      }),
    },
    serviceSeconds: 1800, ...rest,
  };
}
const window = (fromMin: number, untilMin: number, promised = true) =>
  ({ startUs: us(noon + fromMin * minute), endUs: us(noon + untilMin * minute), promised });
const technician = (id: string) => ({
  technician: { technicianId: id, name: id },
  shift: { startUs: us(noon - 240 * minute), endUs: us(noon + 240 * minute) },
});
const board = (reply: BoardReply, before: Day | null = null) => mergeBoard("north", serviceDay, [reply], before);

test("a delta takes over what it does not name, as the same object", () => {
  const first = board({ complete: true, logSeq: "10", technicians: [technician("T1")],
    appointments: [visit("W1.1"), visit("W2.1", { technician: "T1" })] });
  const next = board({ logSeq: "12", appointments: [visit("W1.1", { technician: "T1" })],
    fixes: [{ technicianId: "T1", fix: { fixTimeUs: us(noon), point: { latE7: 472000000, lonE7: 95000000 } } }] }, first);
  assert.equal(next.visits.get("W2.1"), first.visits.get("W2.1"));
  assert.equal(next.visits.get("W1.1")?.technicianId, "T1");
  assert.deepEqual(next.technicians.get("T1")?.fixPlace, { lat: 47.2, lon: 9.5 });
  assert.equal(next.logSeq, "12");
  assert.equal(first.visits.get("W1.1")?.technicianId, null);
});

test("an old position does not undo a new one, and a complete answer forgets", () => {
  const fix = (ms: number, lat: number) => ({ technicianId: "T1", fix: { fixTimeUs: us(ms), point: { latE7: lat * 1e7, lonE7: 1 } } });
  const first = board({ complete: true, technicians: [technician("T1"), technician("T2")], fixes: [fix(noon, 48)] });
  assert.equal(board({ fixes: [fix(noon - 1, 47)] }, first).technicians.get("T1")?.fixPlace?.lat, 48);
  assert.equal(board({ technicians: [technician("T1")] }, first).technicians.get("T1")?.fixPlace?.lat, 48);
  assert.deepEqual([...board({ complete: true, technicians: [technician("T2")] }, first).technicians.keys()], ["T2"]);
});

test("a visit that went to another day leaves this one", () => {
  const first = board({ complete: true, appointments: [visit("W1.1"), visit("W2.1")] });
  const moved = visit("W1.1");
  if (moved.appointment !== undefined) moved.appointment.serviceDay = String(serviceDay + 1);
  assert.deepEqual([...board({ appointments: [moved] }, first).visits.keys()], ["W2.1"]);
});

test("each kind of trouble is found, and the list is by when the promise is broken", () => {
  const day = board({ complete: true, technicians: [technician("T1")], appointments: [
    visit("late.1", { technician: "T1", startMs: noon + minute, windows: [window(-60, -10)] }),
    visit("soon.1", { technician: "T1", startMs: noon + 50 * minute, windows: [window(0, 40)] }),
    visit("fine.1", { technician: "T1", startMs: noon + 50 * minute, windows: [window(0, 60)] }),
    visit("nobody.1", { windows: [window(0, 20)] }),
    visit("free.1"),
    visit("night.1", { technician: "T1", startMs: noon + 300 * minute }),
  ] });
  const found = findExceptions(day, noon, new Map([["T1", noon]]));
  assert.deepEqual(found.map((one) => `${one.key} ${one.kind}`), [
    "late.1 lateNow", "nobody.1 noTechnician", "soon.1 willBeLate", "free.1 noTechnician", "night.1 ruleBroken"]);
  assert.deepEqual(countKinds(found), { lateNow: 1, willBeLate: 1, noTechnician: 2, ruleBroken: 1, noContact: 0, waiting: 0 });
  assert.equal(found[0]?.lateMs, 11 * minute);
  assert.equal(found[2]?.lateMs, 10 * minute);
});

test("a promised window counts before a wish, and who is there already is not late now", () => {
  const windows = [window(45, 48, false), window(0, 60)];
  const working = visit("W1.1", { technician: "T1", startMs: noon - 20 * minute, windows: [window(-60, -10)] });
  if (working.appointment !== undefined) working.appointment.status = "WORKING";
  const day = board({ complete: true, technicians: [technician("T1")],
    appointments: [visit("W2.1", { technician: "T1", startMs: noon + 50 * minute, windows }), working] });
  assert.deepEqual(findExceptions(day, noon, new Map([["T1", noon]])), []);
});

test("a phone at work that is silent for long is worth a call, one that rests is not", () => {
  const fixes = [{ technicianId: "T1", fix: { fixTimeUs: us(noon - 60 * minute), point: {} } }];
  const day = board({ complete: true, technicians: [technician("T1")], fixes });
  const heard = new Map([["T1", noon]]);
  assert.equal(findExceptions(day, noon + 19 * minute, heard).length, 0);
  assert.equal(findExceptions(day, noon + 21 * minute, heard)[0]?.kind, "noContact");
  assert.equal(findExceptions(day, noon + 21 * minute, heard, 30 * minute).length, 0);
  assert.equal(findExceptions(day, noon + 500 * minute, heard).length, 0);
  assert.equal(findExceptions(day, noon - 230 * minute, new Map()).length, 0);
});

test("a row that nothing changed in is the same object", () => {
  const rows = new Rows();
  const first = board({ complete: true, technicians: [technician("T10"), technician("T2")],
    appointments: [visit("W1.1", { technician: "T2" }), visit("W2.1", { technician: "T10" })] });
  const before = rows.make(first, false);
  assert.deepEqual(before.map((row) => row.technician.id), ["T2", "T10"]);
  const after = rows.make(board({ appointments: [visit("W2.1", { technician: "T10", startMs: noon + minute })] }, first), false);
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
});

test("the hours shown hold every shift, whole, and no more than the day can have", () => {
  const hour = 60 * minute;
  const bounds = { startMs: noon - 12 * hour, endMs: noon + 12 * hour };
  const rows = new Rows();
  const day = board({ complete: true, technicians: [technician("T1")],
    appointments: [visit("W1.1", { technician: "T1", startMs: noon + 400 * hour })] });
  const span = spanOf(rows.make(day, false), bounds);
  assert.ok(span.startMs <= noon - 4 * hour && (span.startMs - bounds.startMs) % hour === 0);
  assert.equal(span.endMs, bounds.endMs + 12 * hour);
  assert.ok(spanOf([], bounds).endMs > spanOf([], bounds).startMs);
});
