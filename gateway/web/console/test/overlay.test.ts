import { test } from "node:test";
import assert from "node:assert/strict";
import type { BoardReply } from "@callout/shared/wire";
import { mergeBoard, visitsToLookAt, type Day } from "../src/model/day.ts";
import { Rows } from "../src/board/gantt_rows.ts";
import { forgetSeen, lay, overlaid, type Lay } from "../src/edit/overlay.ts";

const noon = Date.UTC(2026, 10, 23, 12), hour = 3_600_000;
const us = (ms: number) => String(ms * 1000);
const technicians = 20, visits = 200;
const idOf = (n: number) => `W${n}.1`, manOf = (n: number) => `T${n % technicians}`;

function appointment(n: number, man: string, startMs: number) {
  return { appointment: { appointmentId: idOf(n), workOrderId: `W${n}`, status: "SCHEDULED" as const, serviceDay: "20780",
    version: "1", assignment: { technicianId: man }, plannedStartUs: us(startMs), plannedEndUs: us(startMs + hour) } };
}

function take(reply: BoardReply, before: Day | null): Day {
  return mergeBoard("north", 20780, [reply], before);
}

function first(): Day {
  return take({ complete: true, logSeq: "1",
    technicians: Array.from({ length: technicians }, (_, n) => ({ technician: { technicianId: manOf(n), name: manOf(n) } })),
    appointments: Array.from({ length: visits }, (_, n) => appointment(n, manOf(n), noon + (n % 7) * hour)) }, null);
}

/* One that repeats. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % sides;
  };
}

/* Whatever is not named has to be the same object. */
function assertTold(before: Day, after: Day): void {
  const told = new Set(visitsToLookAt(after, before.serial, before.visits));
  for (const id of new Set([...before.visits.keys(), ...after.visits.keys()]))
    if (!told.has(id)) assert.equal(after.visits.get(id), before.visits.get(id), `${id} differs and was not told`);
}

test("with edits over it, a day names what differs from the one before, and little else", () => {
  const roll = dice(7);
  let server = first(), shown = overlaid(server), seq = 1, wholes = 0;
  const open: Lay[] = [];
  for (let round = 0; round < 400; round++) {
    const kind = roll(4);
    if (kind === 0) open.push(lay(idOf(roll(visits)), { technicianId: manOf(roll(technicians)), startMs: noon + roll(8) * hour }));
    else if (kind === 1) open.splice(roll(open.length + 1), 1)[0]?.takeBack();
    else if (kind === 2) open.splice(0, 1)[0]?.confirm(String(seq + roll(3)));
    else server = take({ logSeq: String(++seq), appointments: [appointment(roll(visits), manOf(roll(technicians)), noon + roll(8) * hour)] }, server);
    const next = overlaid(server);
    assert.ok(shown !== null && next !== null);
    assertTold(shown, next);
    if (next !== shown && next.delta?.base !== shown.serial) wholes++;
    shown = next;
  }
  for (const one of open) one.takeBack();
  assert.equal(wholes, 0);
  server = take({ logSeq: String(seq + 3) }, server);
  forgetSeen(server.logSeq);
  const last = overlaid(server);
  assert.deepEqual([...(last?.visits ?? [])], [...server.visits]);
});

test("an edit has the rows of its two technicians made anew, and no others", () => {
  const server = first(), rows = new Rows(), none = new Map();
  const show = () => {
    const day = overlaid(server);
    if (day !== null) rows.make(day, true, none);
    return rows.made;
  };
  const before = show();
  assert.equal(before, technicians);
  const edit = lay(idOf(3), { technicianId: manOf(4) });
  assert.equal(show() - before, 2);
  edit.takeBack();
  assert.equal(show() - before, 4);
});
