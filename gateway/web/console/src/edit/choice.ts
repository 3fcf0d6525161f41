/* choice.ts - which candidates are in sight, so that keys can choose one.
 *
 * A digit that is pressed before the candidates came is kept and takes effect when they do. */
import { signal } from "@preact/signals";
import type { Move } from "@callout/shared/wire";
import type { Visit } from "../model/day.ts";
import { assign } from "./edits.ts";

interface Choice {
  visit: Visit;
  moves: readonly Move[];
}

const choice = signal<Choice | null>(null);
let early: { visitId: string; digit: number } | null = null;

/* Counted up: the candidates want the focus. */
export const focusWish = signal(0);

export function offer(visit: Visit, moves: readonly Move[]): void {
  choice.value = { visit, moves };
  if (early === null || early.visitId !== visit.id || moves.length === 0) return;
  const { digit } = early;
  early = null;
  choose(digit);
}

export function withdraw(): void {
  choice.value = null;
}

function choose(digit: number): void {
  const it = choice.peek();
  const move = it?.moves[digit - 1];
  if (it === null || move?.technicianId === undefined) return;
  void assign(it.visit, move.technicianId, 0, move);
}

export function pressDigit(visitId: string | null, digit: number): void {
  if (visitId === null) return;
  if (choice.peek()?.visit.id === visitId) choose(digit);
  else early = { visitId, digit };
}
