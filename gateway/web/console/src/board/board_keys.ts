/* board_keys.ts - the board's keys; whoever adds an action adds its key where the action is. */
import { useEffect } from "preact/hooks";
import { addKey, type Key } from "@callout/shared/keys";
import { isDark, setTheme } from "@callout/shared/theme";
import { setView } from "@callout/shared/view";
import type { Exception } from "../model/attention.ts";
import { chip, selectedTechnicianId, selectedVisitId, selectTechnician, selectVisit } from "../model/selection.ts";
import { exceptions } from "../model/trouble.ts";
import { gotoSelection, zoomGantt } from "./commands.ts";
import { helpOpen } from "./keys_help.tsx";

function shown(): Exception[] {
  const wanted = chip.value;
  return exceptions.value.filter((one) => wanted === null || one.kind === wanted);
}

function select(exception: Exception | undefined): void {
  if (exception === undefined) return;
  if (exception.visit !== null) selectVisit(exception.visit.id);
  else selectTechnician(exception.technician?.id ?? null);
  gotoSelection();
}

/* To the next one of the list, or the one before; round at its ends. */
function step(by: 1 | -1): void {
  const list = shown();
  const at = list.findIndex((one) => one.visit !== null ? one.visit.id === selectedVisitId.value
    : selectedVisitId.value === null && one.technician?.id === selectedTechnicianId.value);
  select(list[at < 0 ? (by > 0 ? 0 : list.length - 1) : (at + by + list.length) % list.length]);
}

function clear(): void {
  if (selectedVisitId.value !== null || selectedTechnicianId.value !== null) selectVisit(null);
  else setView({ show: null });
}

const keys: Key[] = [
  { key: "/", label: "keys.search", run: () => document.getElementById("search")?.focus() },
  { key: "?", label: "keys.help", run: () => { helpOpen.value = true; } },
  { key: "j", label: "keys.attention", run: () => step(1) },
  { key: "k", label: "keys.attentionBack", run: () => step(-1) },
  { key: "g", label: "keys.goto", run: gotoSelection },
  { key: "+", label: "keys.zoomIn", run: () => zoomGantt("in") },
  { key: "-", label: "keys.zoomOut", run: () => zoomGantt("out") },
  { key: "0", label: "keys.zoomFit", run: () => zoomGantt("fit") },
  { key: "t", label: "keys.theme", run: () => setTheme(isDark.value ? "light" : "dark") },
  { key: "w", label: "keys.wallboard", run: () => setView({ view: "wall" }, true) },
  { key: "Escape", label: "keys.escape", run: clear },
];

export function useBoardKeys(): void {
  useEffect(() => {
    const removers = keys.map(addKey);
    return () => removers.forEach((remove) => remove());
  }, []);
}
