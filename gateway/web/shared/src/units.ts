/* units.ts - from the wire's units to the page's: microseconds as text to milliseconds as number,
 * 1e-7 degrees to degrees. Milliseconds since 1970 are exact in a double for 285,000 years. */
import type { Int64, Point } from "./wire.ts";

/* 0 where the wire left it out. */
export function usToMs(us: Int64 | undefined): number {
  return us === undefined ? 0 : Number(us) / 1000;
}

export function msToUs(ms: number): Int64 {
  return (BigInt(Math.round(ms)) * 1000n).toString();
}

export function toNumber(value: Int64 | number | undefined): number {
  return value === undefined ? 0 : Number(value);
}

export interface Place {
  lat: number;
  lon: number;
}

/* null where nothing is known; a point at (0, 0) is a point. */
export function toPlace(point: Point | undefined): Place | null {
  if (point === undefined) return null;
  return { lat: (point.latE7 ?? 0) / 1e7, lon: (point.lonE7 ?? 0) / 1e7 };
}
