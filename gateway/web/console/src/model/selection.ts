/* selection.ts - what is selected, in list, Gantt and map alike; it is part of the page's address. */
import { computed } from "@preact/signals";
import { setView, view } from "@callout/shared/view";
import { day } from "./store.ts";
import { kinds, type Kind } from "./attention.ts";

export const selectedVisitId = computed(() => view.value["visit"] ?? null);
export const selectedVisit = computed(() =>
  selectedVisitId.value === null ? null : (day.value?.visits.get(selectedVisitId.value) ?? null));

/* The technician that was selected, or who has the selected visit. */
export const selectedTechnicianId = computed(() =>
  view.value["technician"] ?? selectedVisit.value?.technicianId ?? null);

/* The chip that is pressed: everything else is dimmed. */
export const chip = computed<Kind | null>(() =>
  kinds.find((kind) => kind === view.value["show"]) ?? null);

export function selectVisit(id: string | null): void {
  setView({ visit: id, technician: null });
}

export function selectTechnician(id: string | null): void {
  setView({ technician: id, visit: null });
}

export function pressChip(kind: Kind): void {
  setView({ show: chip.peek() === kind ? null : kind });
}
