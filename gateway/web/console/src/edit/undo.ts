/* undo.ts - takes back the last change that this person made: the server does it, as a fact. */
import { ask, call, Refused } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import { say } from "./toasts.ts";

export async function undoLast(): Promise<void> {
  try {
    const last = (await call("UndoList", {})).items?.[0];
    if (last === undefined) {
      say(t("edit.nothingToUndo"));
      return;
    }
    await ask("Undo", { seq: last.seq ?? "0" });
    say(t("edit.undone", { text: last.text ?? "" }));
  } catch (error) {
    const text = error instanceof Refused ? error.message : t("edit.unreachable");
    say(t("edit.notUndone", { text }), { bad: true });
  }
}
