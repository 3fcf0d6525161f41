/* trouble.ts - what needs attention now, of the day that is looked at. */
import { computed } from "@preact/signals";
import { countKinds, findExceptions, isSilent, type Kind } from "./attention.ts";
import { heard, patienceMs } from "./contact.ts";
import type { Technician } from "./day.ts";
import { day, nowMs } from "./store.ts";

export const exceptions = computed(() =>
  day.value === null ? [] : findExceptions(day.value, nowMs.value, heard.value, patienceMs()));

export const counts = computed(() => countKinds(exceptions.value));

/* Of visits: for whoever draws them. */
export const kindsOfVisits = computed(() => {
  const kinds = new Map<string, Kind>();
  for (const one of exceptions.value) if (one.visit !== null) kinds.set(one.visit.id, one.kind);
  return kinds as ReadonlyMap<string, Kind>;
});

export function heardOf(technician: Technician): number {
  return Math.max(heard.value.get(technician.id) ?? 0, technician.fixMs);
}

export function isSilentNow(technician: Technician): boolean {
  return isSilent(technician, heard.peek(), nowMs.peek(), patienceMs());
}
