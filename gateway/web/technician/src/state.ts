/* state.ts - the one engine of this page, as signals: what it says is drawn once per frame. */
import { computed, signal } from "@preact/signals";
import { Zone } from "@callout/shared/zone";
import type { Engine } from "./sync/engine.ts";
import type { BlobRow, CommandBody } from "./sync/rows.ts";
import { routeOf, shownVisits } from "./sync/view.ts";
import { locale, t } from "./words.ts";

let engine: Engine | null = null;
const version = signal(0);
let drawing = 0;

/* "elsewhere": another window of this browser has the device. */
export const standing = signal<"starting" | "elsewhere" | "here" | "broken">("starting");

export function useEngine(fresh: Engine): void {
  engine = fresh;
  fresh.onChange = () => {
    if (drawing !== 0) return;
    drawing = requestAnimationFrame(() => {
      drawing = 0;
      tick();
      version.value++;
    });
  };
  version.value++;
  standing.value = "here";
}

/* Whoever reads this in a computed or a component is drawn again when something changed. */
export function device(): Engine {
  version.value;
  if (engine === null) throw new Error("no engine");
  return engine;
}

/* Domain time, a few times a minute. */
export const now = signal(Date.now());
export function tick(): void {
  now.value = engine?.domain.nowMs() ?? Date.now();
}

const ownZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
export const zone = computed(() =>
  new Zone(device().replica.day.territory?.timeZone || ownZone(), locale()));
export const today = computed(() => zone.value.serviceDay(now.value));
export const visits = computed(() => shownVisits(device()));
export const route = computed(() =>
  routeOf(visits.value, today.value, (ms) => zone.value.serviceDay(ms)));

/* --- what was just done, for a moment --- */

export interface Toast {
  text: string;
  bad: boolean;
}
export const toast = signal<Toast | null>(null);
let toastTimer: ReturnType<typeof setTimeout> | undefined;

export function tell(text: string, bad = false): void {
  clearTimeout(toastTimer);
  toast.value = { text, bad };
  toastTimer = setTimeout(() => (toast.value = null), bad ? 10_000 : 3_000);
}

/* Saves what a person did. True: it is on this device for good, and was said so. */
export async function say(
  bodies: CommandBody | readonly CommandBody[], blobs: readonly BlobRow[] = [],
): Promise<boolean> {
  try {
    const all = Array.isArray(bodies) ? bodies as readonly CommandBody[] : [bodies as CommandBody];
    await device().saveAll(all, blobs);
    tick();
    tell(t("saved"));
    return true;
  } catch (error) {
    tell(t("notSaved", { why: error instanceof Error ? error.message : String(error) }), true);
    return false;
  }
}
