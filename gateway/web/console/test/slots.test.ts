import { test } from "node:test";
import assert from "node:assert/strict";
import type { Move } from "@callout/shared/wire";
import { slotsOf } from "../src/edit/slots.ts";

const hour = 3_600_000, noon = 1_795_435_200_000;
const move = (technicianId: string, hours: number, total: number, more: Move = {}): Move =>
  ({ technicianId, startUs: String((noon + hours * hour) * 1000), costDelta: { total: String(total) }, ...more });

test("each window has its cheapest place and how many are free, the cheapest window first", () => {
  const within = { startMs: noon + 0.5 * hour, endMs: noon + 7.25 * hour };
  const slots = slotsOf([move("T1", 1, 300), move("T2", 1.9, 200), move("T3", 2, 100), move("T4", 7, 400),
    move("T5", 3, 1, { violations: [{ rule: "RULE_SKILL" }] }), move("T6", 0.4, 1), move("T7", 7.5, 1)], within, 2 * hour);
  assert.deepEqual(slots.map((one) => [(one.startMs - noon) / hour, (one.endMs - noon) / hour, one.move.technicianId, one.free]),
    [[2, 4, "T3", 1], [0.5, 2, "T2", 2], [6, 7.25, "T4", 1]]);
  assert.deepEqual(slotsOf([], within, hour), []);
});

test("no more than five are offered", () => {
  const moves = Array.from({ length: 9 }, (_, at) => move(`T${at}`, at, 10 - at));
  assert.deepEqual(slotsOf(moves, { startMs: noon, endMs: noon + 10 * hour }, hour).map((one) => one.move.technicianId),
    ["T8", "T7", "T6", "T5", "T4"]);
});
