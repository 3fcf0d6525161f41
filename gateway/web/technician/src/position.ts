/* position.ts - where the phone is: only in shift, only after a yes, always with a sign in sight.
 *
 * A fix is kept as often as the server's policy says, a batch of them is one command; the first one
 * goes at once. Off shift the phone is not asked at all; what the server gets off shift all the same
 * it refuses. Who takes his yes back takes back what was not sent, too.
 */
import { signal } from "@preact/signals";
import type { Fix, Point } from "@callout/shared/wire";
import { remember, remembered } from "@callout/shared/remember";
import { device, now } from "./state.ts";
import { isInShift } from "./sync/view.ts";

const batchMax = 20;
const batchMs = 120_000;
const movingCmS = 100;

export type Consent = "yes" | "no" | "";
export const consent = signal<Consent>((remembered("positions") ?? "") as Consent);
export const watching = signal(false);
/* What the phone said when it was asked; "": nothing yet. */
export const refusal = signal("");

let watchId: number | null = null;
let place: { point: Point; atMs: number } | null = null;
let fixes: Fix[] = [];
let lastFixMs = -Infinity;
let sentMs = -Infinity; // domain time of the last batch

export function setConsent(fresh: Consent): void {
  consent.value = fresh;
  if (fresh !== "yes") fixes = [];
  remember("positions", fresh);
  followShift();
}

/* Not older than two minutes. */
export function lastPlace(): Point | null {
  return place !== null && performance.now() - place.atMs < 120_000 ? place.point : null;
}

export function followShift(): void {
  const engine = device();
  const wanted = consent.value === "yes" && engine.life === "live" &&
    isInShift(engine.replica.day.technician, now.value) && "geolocation" in navigator;
  if (wanted === (watchId !== null)) return;
  if (wanted)
    watchId = navigator.geolocation.watchPosition(take, (error) => (refusal.value = error.message),
      { enableHighAccuracy: true, maximumAge: 10_000 });
  else stopWatching();
  watching.value = watchId !== null;
}

function stopWatching(): void {
  if (watchId !== null) navigator.geolocation.clearWatch(watchId);
  watchId = null;
  place = null;
  void sendFixes();
}

function take({ coords }: GeolocationPosition): void {
  refusal.value = "";
  const point: Point = {
    latE7: Math.round(coords.latitude * 1e7), lonE7: Math.round(coords.longitude * 1e7),
  };
  place = { point, atMs: performance.now() };
  const engine = device();
  const speedCmS = Math.max(0, Math.round((coords.speed ?? 0) * 100));
  const { movingSeconds, restingSeconds } = engine.replica.day.sampling ?? {};
  const seconds = speedCmS > movingCmS ? movingSeconds || 30 : restingSeconds || 300;
  const atMs = engine.domain.nowMs();
  if (atMs < lastFixMs + seconds * 1000) return;
  lastFixMs = atMs;
  fixes.push({
    fixTimeUs: String(Math.round(atMs * 1000)), point, accuracyM: Math.round(coords.accuracy),
    speedCmS, headingDegrees: Math.round(coords.heading ?? 0),
  });
  if (fixes.length >= batchMax || atMs > sentMs + batchMs) void sendFixes();
}

async function sendFixes(): Promise<void> {
  const batch = fixes;
  fixes = [];
  const engine = device();
  if (batch.length > 0) sentMs = engine.domain.nowMs();
  if (batch.length > 0 && engine.life === "live")
    await engine.save({ positions: { fixes: batch } }).catch(() => undefined);
}
