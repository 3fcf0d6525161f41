/* overlay.ts - what this page did and the server's board does not show yet.
 *
 * An edit is seen at once: it lies over the server's day until the server's own picture is as new
 * as the edit's answer (its fact), or until the edit is refused. Whatever took longer than
 * `unconfirmedMs` to be answered is hatched, so that nobody takes it for done.
 */
import { signal } from "@preact/signals";
import { toNumber } from "@callout/shared/units";
import { newSerial, type Day, type Delta, type Visit } from "../model/day.ts";

export const unconfirmedMs = 200;

export interface Wished {
  technicianId?: string | null;
  startMs?: number;
  pinned?: boolean;
  status?: Visit["status"];
}

interface Laid {
  readonly visitId: string;
  readonly wished: Wished;
  readonly unconfirmed: boolean;
  readonly seq: number; // of the fact that it became; 0: not answered
}

const laid = signal<ReadonlyMap<number, Laid>>(new Map());
let lastKey = 0;

function change(key: number, to: Partial<Laid> | null): void {
  const fresh = new Map(laid.peek());
  const before = fresh.get(key);
  if (to === null) fresh.delete(key);
  else if (before !== undefined) fresh.set(key, { ...before, ...to });
  laid.value = fresh;
}

export interface Lay {
  confirm(logSeq: string | undefined): void;
  takeBack(): void;
}

export function lay(visitId: string, wished: Wished): Lay {
  const key = ++lastKey;
  laid.value = new Map(laid.peek()).set(key, { visitId, wished, unconfirmed: false, seq: 0 });
  const timer = setTimeout(() => change(key, { unconfirmed: true }), unconfirmedMs);
  return {
    confirm(logSeq) {
      clearTimeout(timer);
      const seq = toNumber(logSeq);
      change(key, seq === 0 ? null : { unconfirmed: false, seq });
    },
    takeBack() {
      clearTimeout(timer);
      change(key, null);
    },
  };
}

function wish(visit: Visit, { wished, unconfirmed }: Laid): Visit {
  const startMs = wished.startMs ?? visit.startMs;
  const technicianId = wished.technicianId === undefined ? visit.technicianId : wished.technicianId;
  const length = visit.endMs > visit.startMs && visit.startMs > 0
    ? visit.endMs - visit.startMs : visit.serviceMs;
  const moved = wished.startMs !== undefined || wished.technicianId !== undefined;
  return {
    ...visit, technicianId, startMs, endMs: startMs + length, unconfirmed,
    predictedMs: moved ? 0 : visit.predictedMs, lateSeconds: moved ? 0 : visit.lateSeconds,
    pinned: wished.pinned ?? visit.pinned, status: wished.status ?? visit.status,
  };
}

/* What was shown last, so that what comes next can name its difference from it. */
interface Shown {
  readonly server: Day;
  readonly day: Day;
  readonly over: ReadonlySet<string>; // visits that edits lie over
}
let last: Shown | null = null;

function deltaSince(before: Shown | null, day: Day, over: ReadonlySet<string>): Delta | null {
  if (before === null) return null;
  const base = before.day.serial, touched = [...before.over, ...over];
  if (day === before.server) return { base, visits: new Set(touched), technicians: new Set() };
  if (day.delta === null || day.delta.base !== before.server.serial) return null;
  return { base, visits: new Set([...day.delta.visits, ...touched]), technicians: day.delta.technicians };
}

/* The day's visits with our edits over them, and whose they are; an edit that the day has seen is not
 * ours any more. */
function layOver(day: Day): { visits: Day["visits"]; over: Set<string> } {
  const over = new Set<string>(), seen = toNumber(day.logSeq);
  let visits: Map<string, Visit> | null = null;
  for (const one of laid.value.values()) {
    const visit = (visits ?? day.visits).get(one.visitId);
    if (visit === undefined || (one.seq !== 0 && one.seq <= seen)) continue;
    visits ??= new Map(day.visits);
    visits.set(one.visitId, wish(visit, one));
    over.add(one.visitId);
  }
  return { visits: visits ?? day.visits, over };
}

/* The server's day with our edits over it. Its difference is from what was shown before, so an edit
 * costs those who draw no more than any other change of a visit. */
export function overlaid(day: Day | null): Day | null {
  if (day === null) return (last = null);
  const { visits, over } = layOver(day);
  const before = last;
  const asItIs = before === null || before.day === before.server;
  if (over.size === 0 && asItIs) last = { server: day, day, over };
  else if (over.size > 0 || before?.server !== day || before.over.size > 0)
    last = { server: day, over, day: { ...day, visits, serial: newSerial(), delta: deltaSince(before, day, over) } };
  return last?.day ?? day;
}

/* Forgets what the server's board shows by now. */
export function forgetSeen(logSeq: string): void {
  const seen = toNumber(logSeq);
  const left = [...laid.peek()].filter(([, one]) => one.seq === 0 || one.seq > seen);
  if (left.length !== laid.peek().size) laid.value = new Map(left);
}
