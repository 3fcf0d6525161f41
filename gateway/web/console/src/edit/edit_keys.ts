/* edit_keys.ts - the keys of everything that changes something. */
import { useEffect } from "preact/hooks";
import { addKey, type Key } from "@callout/shared/keys";
import type { Visit } from "../model/day.ts";
import { selectedTechnicianId, selectedVisit, selectedVisitId, selectTechnician, selectVisit } from "../model/selection.ts";
import { isBegun, isOver } from "../model/status.ts";
import { exceptions } from "../model/trouble.ts";
import { gotoSelection } from "../board/commands.ts";
import { focusWish, pressDigit } from "./choice.ts";
import { togglePin } from "./edits.ts";
import { asking, screen } from "./state.ts";
import { undoLast } from "./undo.ts";

function movable(): Visit | null {
  const visit = selectedVisit.value;
  return visit === null || isOver(visit) || isBegun(visit) ? null : visit;
}

function selectFirst(kind: "any" | "noTechnician"): void {
  const found = exceptions.value.find((one) => kind === "any" || one.kind === kind);
  if (found === undefined) return;
  if (found.visit === null) return selectTechnician(found.technician?.id ?? null);
  selectVisit(found.visit.id);
  gotoSelection();
  focusWish.value++;
}

/* Enter on a button presses it; anywhere else it leads to the candidates of what is selected, or of
 * the top exception. */
function enter(): void {
  if (selectedVisitId.value === null && selectedTechnicianId.value === null) selectFirst("any");
  else focusWish.value++;
}

function onPress(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a, summary, [role=gridcell]") !== null;
}

const onBoard = () => screen.value === null;

function contact(write: boolean): void {
  const visitId = selectedVisitId.value, technicianId = selectedTechnicianId.value;
  if (visitId === null && technicianId === null) return;
  asking.value = { kind: "contact", visitId, technicianId, write };
}

const keys: Key[] = [
  { key: "Enter", label: "keys.fix", run: enter, when: () => onBoard() && !onPress(document.activeElement) },
  { key: "u", label: "keys.unserved", run: () => selectFirst("noTechnician"), when: onBoard },
  { key: "m", label: "keys.move", run: () => { if (movable() !== null) focusWish.value++; } },
  { key: "a", label: "keys.place", run: () => {
    const visit = movable();
    if (visit !== null) asking.value = { kind: "place", visitId: visit.id };
  } },
  { key: "p", label: "keys.pin", run: () => {
    const visit = selectedVisit.value;
    if (visit !== null && visit.technicianId !== null && !isOver(visit)) void togglePin(visit);
  } },
  { key: "c", label: "keys.call", run: () => contact(false) },
  { key: "e", label: "keys.message", run: () => contact(true) },
  { key: "s", label: "keys.sick", run: () => {
    const technicianId = selectedTechnicianId.value;
    if (technicianId !== null) asking.value = { kind: "absent", technicianId };
  } },
  { key: "n", label: "keys.new", run: () => { asking.value = { kind: "order" }; } },
  { key: "Ctrl+z", label: "keys.undo", run: () => void undoLast() },
  ...[1, 2, 3, 4, 5, 6].map((digit): Key => ({
    key: String(digit), label: "keys.choose", hidden: digit > 1,
    when: () => movable() !== null && onBoard(),
    run: () => pressDigit(selectedVisitId.value, digit),
  })),
];

export function useEditKeys(): void {
  useEffect(() => {
    const removers = keys.map(addKey);
    return () => removers.forEach((remove) => remove());
  }, []);
}
