/* overlay.ts - what this page did and the server's board does not show yet.
 *
 * An edit is seen at once: it lies over the server's day until the server's own picture is as new
 * as the edit's answer (its fact), or until the edit is refused. Whatever took longer than
 * `unconfirmedMs` to be answered is hatched, so that nobody takes it for done.
 */
import { signal } from "@preact/signals";
import { toNumber } from "@callout/shared/units";
import { newSerial, type Day, type Visit } from "../model/day.ts";

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

/* The server's day with our edits over it. An edit that the day has seen is not ours any more. */
export function overlaid(day: Day | null): Day | null {
  if (day === null || laid.value.size === 0) return day;
  const seen = toNumber(day.logSeq);
  let visits: Map<string, Visit> | null = null;
  for (const one of laid.value.values()) {
    if (one.seq !== 0 && one.seq <= seen) continue;
    visits ??= new Map(day.visits);
    const visit = visits.get(one.visitId);
    if (visit !== undefined) visits.set(one.visitId, wish(visit, one));
  }
  return visits === null ? day : { ...day, visits, serial: newSerial(), delta: null };
}

/* Forgets what the server's board shows by now. */
export function forgetSeen(logSeq: string): void {
  const seen = toNumber(logSeq);
  const left = [...laid.peek()].filter(([, one]) => one.seq === 0 || one.seq > seen);
  if (left.length !== laid.peek().size) laid.value = new Map(left);
}
