/* commands.ts - what header, keys and list ask of map and Gantt without knowing them. */
import { signal } from "@preact/signals";
import type { Place } from "@callout/shared/units";

export type Zoom = "in" | "out" | "fit" | "now";

/* Counted up, so that the same wish twice is heard twice. */
export const gotoWish = signal(0);
export const zoomWish = signal<{ zoom: Zoom; number: number }>({ zoom: "fit", number: 0 });

/* Somebody is to show a place: the next click on the map is told here. */
export const picking = signal<((place: Place) => void) | null>(null);

export function gotoSelection(): void {
  gotoWish.value++;
}

export function zoomGantt(zoom: Zoom): void {
  zoomWish.value = { zoom, number: zoomWish.value.number + 1 };
}
