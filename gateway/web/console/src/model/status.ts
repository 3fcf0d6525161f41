/* status.ts - what a visit's status means to the board. */
import type { Visit, Window } from "./day.ts";

/* How it looks: each phase has a colour and a glyph of its own. */
export type Phase = "open" | "planned" | "told" | "driving" | "working" | "paused" | "done" | "failed";

export function phaseOf(visit: Visit): Phase {
  switch (visit.status) {
    case "SCHEDULED": return "planned";
    case "DISPATCHED":
    case "ACCEPTED": return "told";
    case "EN_ROUTE": return "driving";
    case "ON_SITE":
    case "WORKING": return "working";
    case "PAUSED": return "paused";
    case "COMPLETED": return "done";
    case "INCOMPLETE":
    case "NO_ACCESS":
    case "CANCELLED": return "failed";
    case "UNSCHEDULED":
    case "APPOINTMENT_STATUS_UNSPECIFIED": return "open";
  }
}

export function isOver(visit: Visit): boolean {
  const phase = phaseOf(visit);
  return phase === "done" || phase === "failed";
}

/* Has its technician begun it? Then it is where he is, and nobody moves it. */
export function isBegun(visit: Visit): boolean {
  const phase = phaseOf(visit);
  return phase === "driving" || phase === "working" || phase === "paused";
}

export function isServing(visit: Visit): boolean {
  const phase = phaseOf(visit);
  return phase === "working" || phase === "paused";
}

/* The window that it is measured by: of the promised ones, or else of all, the one that its start
 * lies in or that ends last before it. null: it has none. */
export function windowOf(visit: Visit): { startMs: number; endMs: number; promised: boolean } | null {
  const start = startOf(visit);
  let best: Window | null = null;
  for (const window of visit.windows) {
    if (best === null || (window.promised && !best.promised)) best = window;
    else if (window.promised === best.promised &&
        (start === 0 ? window.endMs > best.endMs : Math.abs(window.startMs - start) < Math.abs(best.startMs - start)))
      best = window;
  }
  return best;
}

/* When it begins, as far as anybody knows: as it did, as predicted, as planned. 0: nobody knows. */
export function startOf(visit: Visit): number {
  return visit.begunMs || visit.predictedMs || visit.startMs;
}

export function endOf(visit: Visit): number {
  if (isOver(visit)) return visit.endMs;
  const start = startOf(visit);
  const length = visit.endMs > visit.startMs && visit.startMs > 0
    ? visit.endMs - visit.startMs : visit.serviceMs;
  return start === 0 ? 0 : start + length;
}
