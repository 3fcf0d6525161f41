/* undo.ts - takes back the last change that this person made: the server does it, as a fact. */
import { ask, Refused } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import type { Methods } from "@callout/shared/wire";
import { say } from "./toasts.ts";

export async function undoLast(): Promise<void> {
  try {
    await ask("Undo" as keyof Methods, {});
    say(t("edit.undone"));
  } catch (error) {
    const text = error instanceof Refused ? error.message : t("edit.unreachable");
    say(t("edit.notUndone", { text }), { bad: true });
  }
}
