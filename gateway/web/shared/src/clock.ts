/* clock.ts - the server's domain time, which may run faster than a wall clock (demo, tests).
 *
 * Every answer says what time it was and how fast it runs; between two answers we go on at that
 * rate. The clock never jumps back by what an answer took to come: only a newer time is taken.
 */
import { usToMs } from "./units.ts";

let baseMs = Date.now();
let baseAt = performance.now();
let rate = 1;
let known = false;

/* Now, in milliseconds since 1970 of domain time. */
export function serverNow(at = performance.now()): number {
  return baseMs + (at - baseAt) * rate;
}

export function clockRate(): number {
  return rate;
}

export function followServerClock(
  said: { serverTimeUs?: string; clockRate?: number }, at = performance.now(),
): void {
  if (said.serverTimeUs === undefined) return;
  const ms = usToMs(said.serverTimeUs);
  rate = said.clockRate ?? 0;
  /* A slow answer is old news: it may say a time that we are past already. Within two seconds of
   * real time we keep ours, so that the now-line does not jerk. */
  const ahead = serverNow(at) - ms;
  if (known && ahead > 0 && ahead < 2_000 * Math.max(rate, 1)) {
    baseMs = serverNow(at);
    baseAt = at;
    return;
  }
  baseMs = ms;
  baseAt = at;
  known = true;
}
