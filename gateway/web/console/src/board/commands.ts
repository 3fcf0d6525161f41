/* commands.ts - what header, keys and list ask of map and Gantt without knowing them. */
import { signal } from "@preact/signals";
import { remember, remembered } from "@callout/shared/remember";
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

/* Heights of the Gantt's rows, in pixels; a bar is never lower than a finger finds. */
export const rowHeights = { low: 31, usual: 36, high: 46 } as const;
export type RowHeight = keyof typeof rowHeights;

function isRowHeight(name: string | null): name is RowHeight {
  return name !== null && Object.hasOwn(rowHeights, name);
}
const kept = remembered("rows");
export const rowHeight = signal<RowHeight>(isRowHeight(kept) ? kept : "usual");

export function nextRowHeight(): void {
  const names = Object.keys(rowHeights) as RowHeight[];
  rowHeight.value = names[(names.indexOf(rowHeight.value) + 1) % names.length] ?? "usual";
  remember("rows", rowHeight.value);
}
