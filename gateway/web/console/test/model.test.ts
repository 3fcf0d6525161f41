import { test } from "node:test";
import assert from "node:assert/strict";
import type { BoardReply, FeedAppointment } from "@callout/shared/wire";
import { Attention, countKinds, findExceptions, lateMsOf, type Exception, type Kind } from "../src/model/attention.ts";
import { Merge, mergeBoard, type Day } from "../src/model/day.ts";
import { clusterOf } from "../src/board/map_clusters.ts";
import { Rows, spanOf } from "../src/board/gantt_rows.ts";

const noon = Date.UTC(2026, 10, 23, 12);
const minute = 60_000;
const us = (ms: number) => String(ms * 1000);
const serviceDay = 20780;
const none = new Map<string, Kind>();

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

test("a plan that waits for a person is known by its number, and gone with it", () => {
  const first = board({ complete: true, solver: { proposalNumber: "3", proposalChanges: 4 } });
  assert.deepEqual(first.solver.proposal, { number: "3", changes: 4 });
  assert.equal(board({ solver: { changes: 1 } }, first).solver.proposal, null);
});

test("a board taken in slices is the board taken at once", () => {
  const ids = Array.from({ length: 50 }, (_, i) => `T${i}`);
  const reply = { complete: true, technicians: ids.map(technician), appointments: ids.map((id) => visit(`W${id}.1`, { technician: id })) };
  const merge = new Merge("north", serviceDay, [reply], null);
  let slices = 1;
  while (!merge.work(() => true)) slices++;
  assert.ok(slices > 10);
  const { serial: first, ...sliced } = merge.finish(), { serial: second, ...whole } = board(reply);
  assert.notEqual(first, second);
  assert.deepEqual(sliced, whole);
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
  assert.equal(lateMsOf(found[0] ?? assert.fail(), noon), 11 * minute);
  assert.equal(lateMsOf(found[2] ?? assert.fail(), noon), 10 * minute);
});

test("who needs a part or help is told, before that nobody has it, and after that he is late", () => {
  const waits = { ...visit("part.1"), needs: ["NEED_PART" as const] };
  const helps = { ...visit("help.1", { technician: "T1", startMs: noon - 20 * minute }), needs: ["NEED_HELP" as const] };
  const late = { ...visit("late.1", { technician: "T1", startMs: noon + minute, windows: [window(-60, -10)] }), needs: ["NEED_PART" as const] };
  const day = board({ complete: true, technicians: [technician("T1")], appointments: [waits, helps, late] });
  const found = findExceptions(day, noon, new Map([["T1", noon]]));
  assert.deepEqual(found.map((one) => `${one.key} ${one.kind}`), ["late.1 lateNow", "help.1 waiting", "part.1 waiting"]);
  assert.equal(countKinds(found).waiting, 2);
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
  const before = rows.make(first, false, none);
  assert.deepEqual(before.map((row) => row.technician.id), ["T2", "T10"]);
  const after = rows.make(board({ appointments: [visit("W2.1", { technician: "T10", startMs: noon + minute })] }, first), false, none);
  assert.equal(after[0], before[0]);
  assert.notEqual(after[1], before[1]);
});

/* A day of twenty technicians with ten visits each, of which only one is touched. */
function manyVisits(): Day {
  const ids = Array.from({ length: 20 }, (_, i) => `T${i}`);
  return board({ complete: true, technicians: ids.map(technician), appointments: ids.flatMap((id, i) =>
    Array.from({ length: 10 }, (_, j) => visit(`W${i}-${j}.1`, {
      technician: id, startMs: noon + j * 20 * minute, windows: [window(-30, j * 20 - 5)] }))) });
}

test("what is sent again but is the same is the same object, and its parts are", () => {
  const first = manyVisits();
  const again = board({ technicians: [technician("T3")], appointments: [
    visit("W3-1.1", { technician: "T3", startMs: noon + 20 * minute, windows: [window(-30, 15)] }),
    visit("W3-2.1", { technician: "T3", startMs: noon + 41 * minute, windows: [window(-30, 35)] })] }, first);
  assert.deepEqual([...again.delta?.visits ?? []], ["W3-2.1"]);
  assert.deepEqual([...again.delta?.technicians ?? []], []);
  assert.equal(again.technicians, first.technicians);
  assert.equal(again.visits.get("W3-1.1"), first.visits.get("W3-1.1"));
  assert.equal(again.visits.get("W3-2.1")?.windows, first.visits.get("W3-2.1")?.windows);
  assert.equal(again.delta?.base, first.serial);
});

test("a change of one visit has one visit looked at and one row made, of two hundred", () => {
  const rows = new Rows(), attention = new Attention(), heard = new Map<string, number>();
  const first = manyVisits();
  const before = rows.make(first, false, attention.update(first, noon, heard, 1e9).kinds);
  const [looks, made] = [attention.looks, rows.made];
  assert.deepEqual([looks, made], [200, 20]);
  const second = board({ appointments: [visit("W7-4.1", { technician: "T7", startMs: noon + 81 * minute, windows: [window(-30, 75)] })] }, first);
  const after = rows.make(second, false, attention.update(second, noon, heard, 1e9).kinds);
  assert.deepEqual([attention.looks - looks, rows.made - made], [1, 1]);
  assert.equal(after.filter((row, index) => row !== before[index]).length, 1);
  /* A position is no change of a row. */
  const third = board({ fixes: [{ technicianId: "T9", fix: { fixTimeUs: us(noon), point: { latE7: 472000000, lonE7: 95000000 } } }] }, second);
  assert.equal(rows.make(third, false, attention.update(third, noon, heard, 1e9).kinds), after);
  assert.deepEqual([attention.looks - looks, rows.made - made], [1, 1]);
  /* A delta that was not seen has all of it looked at, and no more made than differ. */
  const unseen = board({ appointments: [visit("W8-4.1", { technician: "T8", startMs: noon + 82 * minute, windows: [window(-30, 75)] })] }, third);
  const last = board({ appointments: [visit("W9-4.1", { technician: "T9", startMs: noon + 82 * minute, windows: [window(-30, 75)] })] }, unseen);
  rows.make(last, false, attention.update(last, noon, heard, 1e9).kinds);
  assert.equal(rows.made - made, 3);
});

test("time alone has those looked at whose window ends, and finds what a fresh look finds", () => {
  const attention = new Attention(), heard = new Map<string, number>();
  const day = manyVisits();
  attention.update(day, noon - 60 * minute, heard, 1e9);
  const looks = attention.looks;
  const same = attention.update(day, noon - 50 * minute, heard, 1e9);
  assert.equal(attention.looks, looks);
  assert.equal(attention.update(day, noon - 49 * minute, heard, 1e9), same);
  for (const at of [-6, -4, 14, 16, 40, -20, 200]) {
    const now = noon + at * minute;
    const names = (found: readonly Exception[]) => found.map((one) => `${one.key} ${one.kind}`);
    const kept = attention.update(day, now, heard, 1e9);
    assert.deepEqual(names(kept.exceptions), names(findExceptions(day, now, heard, 1e9)), String(at));
    assert.equal(kept.kinds.size, kept.exceptions.length);
  }
});

test("places near to each other are one, wherever the grid's lines are, and each place is in one", () => {
  const spots = [{ x: -0.5, y: 9.9 }, { x: 0.5, y: 10.1 }, { x: 40, y: 40 }, { x: 49, y: 49 }, { x: 60, y: 40 }];
  const found = clusterOf(spots, 10);
  assert.deepEqual(found.map((one) => one.members.length), [2, 2, 1]);
  assert.deepEqual([found[0]?.x, found[0]?.y], [0, 10]);
  assert.equal(clusterOf(spots, 0.01).length, 5);
  assert.equal(clusterOf(spots, 1000).length, 1);
});

test("the hours shown hold every shift, whole, and no more than the day can have", () => {
  const hour = 60 * minute;
  const bounds = { startMs: noon - 12 * hour, endMs: noon + 12 * hour };
  const rows = new Rows();
  const day = board({ complete: true, technicians: [technician("T1")],
    appointments: [visit("W1.1", { technician: "T1", startMs: noon + 400 * hour })] });
  const span = spanOf(rows.make(day, false, none), bounds);
  assert.ok(span.startMs <= noon - 4 * hour && (span.startMs - bounds.startMs) % hour === 0);
  assert.equal(span.endMs, bounds.endMs + 12 * hour);
  assert.ok(spanOf([], bounds).endMs > spanOf([], bounds).startMs);
});

test("what the server says the plan breaks stands in the list: of a visit, and of a technician", () => {
  const lacks = { rule: "RULE_SKILL" as const, appointmentId: "W1.1", amount: "1", skill: "gas" };
  const over = { rule: "RULE_SHIFT" as const, amount: "900" };
  const first = board({ complete: true, technicians: [technician("T1"), { ...technician("T2"), violations: [over] }],
    appointments: [visit("W1.1", { technician: "T1", startMs: noon, violations: [lacks] }), visit("W2.1", { technician: "T2", startMs: noon })] });
  const attention = new Attention(), heard = new Map([["T1", noon], ["T2", noon]]);
  const keys = (day: Day) => attention.update(day, noon, heard).exceptions.map(({ key, kind }) => `${key} ${kind}`);
  assert.deepEqual(keys(first), ["W1.1 ruleBroken", "technician T2 ruleBroken"].sort(
    (a, b) => (a < b ? -1 : 1)));
  const next = board({ appointments: [visit("W1.1", { technician: "T1", startMs: noon })], technicians: [technician("T2")] }, first);
  assert.deepEqual(keys(next), []);
});
