/* gantt_scale.ts - from times to places on the Gantt. */
export interface Scale {
  readonly startMs: number;
  readonly endMs: number;
  readonly hourPx: number;
}

const hourMs = 3_600_000;

export function xOf(scale: Scale, ms: number): number {
  return Math.round(((ms - scale.startMs) * scale.hourPx) / hourMs);
}

export function msAt(scale: Scale, x: number): number {
  return scale.startMs + (x * hourMs) / scale.hourPx;
}

export function widthOf(scale: Scale): number {
  return xOf(scale, scale.endMs);
}

const steps = [36, 48, 64, 88, 120, 168, 240, 340];
const fitMin = 30;

/* The next wider or narrower hour. */
export function stepHour(hourPx: number, by: "in" | "out"): number {
  const found = by === "in" ? steps.find((step) => step > hourPx + 1)
    : steps.filter((step) => step < hourPx - 1).pop();
  return found ?? hourPx;
}

/* An hour so wide that the day fills the room that there is. */
export function fitHour(span: { startMs: number; endMs: number }, roomPx: number): number {
  const hours = (span.endMs - span.startMs) / hourMs;
  return Math.max(fitMin, Math.floor(roomPx / hours));
}

/* Hours from one label to the next, so that labels do not touch. */
export function labelStep(hourPx: number): number {
  return hourPx >= 44 ? 1 : hourPx >= 24 ? 2 : 4;
}
