/* state.ts - which of the dialogs and screens is open. */
import { computed, signal } from "@preact/signals";
import { setView, view } from "@callout/shared/view";

/* What the one dialog that may be open is about. */
export type Ask =
  | { kind: "place"; visitId: string } // another technician or time, by form
  | { kind: "unassign" | "cancel" | "hold"; visitId: string }
  | { kind: "correct"; visitId: string }
  | { kind: "swap"; visitId: string }
  | { kind: "absent"; technicianId: string }
  | { kind: "contact"; visitId: string | null; technicianId: string | null; write: boolean }
  | { kind: "order" };

export const asking = signal<Ask | null>(null);

export function close(): void {
  asking.value = null;
}

export const screens = ["review", "inbox", "messages", "technicians", "territories", "team", "import", "data", "health"] as const;
export type Screen = (typeof screens)[number];

/* Over the board; null: the board itself. */
export const screen = computed<Screen | null>(() =>
  screens.find((one) => one === view.value["screen"]) ?? null);

export function openScreen(name: Screen | null): void {
  setView({ screen: name }, true);
}

/* What a technician had when he was reported away, to show where it went. */
export interface Redistribution {
  technicianId: string;
  visits: readonly { id: string; startMs: number }[];
}
export const redistribution = signal<Redistribution | null>(null);
