/* slots.ts - arrival windows to offer on the phone, from who could come when.
 *
 * Idea: each technician's best place (Candidates) falls into one window of the time that the customer
 * has; a window's price is that of the cheapest place in it, and as many technicians are free then as
 * have theirs there. What breaks a rule is not offered.
 */
import { toNumber, usToMs } from "@callout/shared/units";
import type { Move } from "@callout/shared/wire";
import type { Span } from "../model/day.ts";

export interface Slot extends Span {
  move: Move; // the cheapest
  free: number;
}

const hourMs = 3_600_000;
const most = 5;

/* Windows of `lengthMs` from the whole hour on in which `within` begins, cut to it; cheapest first. */
export function slotsOf(moves: readonly Move[], within: Span, lengthMs: number): Slot[] {
  const firstMs = Math.floor(within.startMs / hourMs) * hourMs;
  const slots = new Map<number, Slot>();
  for (const move of moves) {
    const startMs = usToMs(move.startUs);
    if ((move.violations ?? []).length > 0 || startMs < within.startMs || startMs > within.endMs) continue;
    const beginMs = firstMs + Math.floor((startMs - firstMs) / lengthMs) * lengthMs;
    const before = slots.get(beginMs);
    if (before === undefined)
      slots.set(beginMs, { startMs: Math.max(beginMs, within.startMs), endMs: Math.min(beginMs + lengthMs, within.endMs), move, free: 1 });
    else {
      before.free++;
      if (costOf(move) < costOf(before.move)) before.move = move;
    }
  }
  return [...slots.values()].sort((a, b) => costOf(a.move) - costOf(b.move) || a.startMs - b.startMs).slice(0, most);
}

function costOf(move: Move): number {
  return toNumber(move.costDelta?.total);
}
