/* commands.ts - what header, keys and list ask of map and Gantt without knowing them. */
import { signal } from "@preact/signals";

export type Zoom = "in" | "out" | "fit" | "now";

/* Counted up, so that the same wish twice is heard twice. */
export const gotoWish = signal(0);
export const zoomWish = signal<{ zoom: Zoom; number: number }>({ zoom: "fit", number: 0 });

export function gotoSelection(): void {
  gotoWish.value++;
}

export function zoomGantt(zoom: Zoom): void {
  zoomWish.value = { zoom, number: zoomWish.value.number + 1 };
}
