/* trouble.ts - what needs attention now, of the day that is looked at. */
import { computed } from "@preact/signals";
import { Attention, isSilent, type Findings } from "./attention.ts";
import { heard, patienceMs } from "./contact.ts";
import type { Technician } from "./day.ts";
import { day, nowMs } from "./store.ts";

const attention = new Attention();
const nothing: Findings = new Attention().findings;

const findings = computed(() =>
  day.value === null ? nothing : attention.update(day.value, nowMs.value, heard.value, patienceMs()));

export const exceptions = computed(() => findings.value.exceptions);
export const counts = computed(() => findings.value.counts);

/* Of visits: for whoever draws them. */
export const kindsOfVisits = computed(() => findings.value.kinds);

export function heardOf(technician: Technician): number {
  return Math.max(heard.value.get(technician.id) ?? 0, technician.fixMs);
}

export function isSilentNow(technician: Technician): boolean {
  return isSilent(technician, heard.peek(), nowMs.peek(), patienceMs());
}
