/* editing.tsx - what lies over the board: the drawer, the questions, the toasts. */
import { useEffect, useState } from "preact/hooks";
import { t } from "@callout/shared/i18n";
import { Icon } from "@callout/shared/icons";
import { selectedTechnicianId, selectedVisit } from "../model/selection.ts";
import { day } from "../model/store.ts";
import { AskAbsent, AskClash, AskCorrect, AskPinned, AskPlace, AskReason, AskSwap, AskWhy } from "./asks.tsx";
import { AskContact } from "./contact.tsx";
import { clashed, confirming, needsReason } from "./edits.ts";
import { useEditKeys } from "./edit_keys.ts";
import { AskOrder } from "./new_order.tsx";
import { OrderDrawer } from "./order_drawer.tsx";
import { asking, screen } from "./state.ts";
import type { ScreenView } from "../screens/screens.tsx";
import { TechnicianDrawer } from "./technician_drawer.tsx";
import { dismiss, toasts } from "./toasts.ts";

function Drawer() {
  const visit = selectedVisit.value;
  if (visit !== null) return <OrderDrawer key={visit.id} visit={visit} />;
  const technician = day.value?.technicians.get(selectedTechnicianId.value ?? "");
  return technician === undefined ? null : <TechnicianDrawer key={technician.id} technician={technician} />;
}

function Question() {
  if (confirming.value !== null) return <AskPinned />;
  if (needsReason.value !== null) return <AskReason />;
  if (clashed.value !== null) return <AskClash />;
  const it = asking.value;
  if (it === null) return null;
  if (it.kind === "order") return <AskOrder />;
  if (it.kind === "absent") return <AskAbsent technicianId={it.technicianId} />;
  if (it.kind === "contact") return <AskContact {...it} />;
  const visit = day.value?.visits.get(it.visitId);
  if (visit === undefined) return null;
  switch (it.kind) {
    case "place": return <AskPlace visit={visit} />;
    case "correct": return <AskCorrect visit={visit} />;
    case "swap": return <AskSwap visit={visit} />;
    case "unassign":
    case "cancel":
    case "hold": return <AskWhy visit={visit} kind={it.kind} />;
  }
}

function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite" aria-label={t("toast.region")}>
      {toasts.value.map(({ id, text, bad, action }) => (
        <div key={id} class="toast" data-bad={bad}>
          <Icon name={bad ? "failed" : "done"} />
          <span>{text}</span>
          {action !== undefined &&
            <button type="button" onClick={() => { dismiss(id); action.run(); }}>{action.label}</button>}
          <button type="button" class="iconic" aria-label={t("toast.dismiss")} onClick={() => dismiss(id)}>
            <Icon name="close" /></button>
        </div>))}
    </div>
  );
}

/* Comes as a part of its own when it is opened for the first time. */
function OpenScreen() {
  const [View, setView] = useState<typeof ScreenView | null>(null);
  const name = screen.value;
  useEffect(() => {
    if (name !== null && View === null)
      void import("../screens/screens.tsx").then((part) => setView(() => part.ScreenView));
  }, [name]);
  return name === null || View === null ? null : <View name={name} />;
}

export function Editing() {
  useEditKeys();
  return <><Drawer /><OpenScreen /><Question /><Toasts /></>;
}
