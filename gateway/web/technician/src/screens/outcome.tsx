/* outcome.tsx - how a visit ended: done, not done with a reason, or nobody let him in. */
import { useState } from "preact/hooks";
import { report } from "../act.ts";
import type { Shown } from "../sync/view.ts";
import { Choice, Sheet } from "../ui.tsx";
import { t } from "../words.ts";

const reasons = ["partMissing", "tooBig", "customerAway", "wrongSkill", "unsafe", "other"] as const;

export function Outcome({ visit, onClose }: { visit: Shown; onClose: () => void }) {
  const [why, setWhy] = useState<"" | "INCOMPLETE" | "NO_ACCESS">("");
  const [reason, setReason] = useState<string>("");
  const [text, setText] = useState("");

  async function end(status: "COMPLETED" | "INCOMPLETE" | "NO_ACCESS"): Promise<void> {
    const said = [reason, text].filter(Boolean).join(": ");
    if (await report(visit, status, said)) onClose();
  }

  return (
    <Sheet title={t("outcome.title")} onClose={onClose}>
      {why === "" ? (
        <>
          <button class="primary big" onClick={() => void end("COMPLETED")}>{t("outcome.done")}</button>
          <Choice icon="close" label={t("outcome.notDone")} onClick={() => setWhy("INCOMPLETE")} />
          <Choice icon="door" label={t("outcome.noAccess")} onClick={() => setWhy("NO_ACCESS")} />
        </>
      ) : (
        <form onSubmit={(event) => {
          event.preventDefault();
          void end(why);
        }}>
          {why === "INCOMPLETE" && (
            <fieldset class="options">
              <legend>{t("outcome.why")}</legend>
              {reasons.map((one) => (
                <label key={one}><input type="radio" name="reason" required
                  onChange={() => setReason(t(`reason.${one}`))} /><span>{t(`reason.${one}`)}</span></label>
              ))}
            </fieldset>
          )}
          <label class="field">{t("outcome.words")}
            <textarea rows={3} maxLength={500} required={why === "NO_ACCESS"} value={text}
              onInput={(event) => setText(event.currentTarget.value)} />
          </label>
          <button class="primary big" type="submit">{t("outcome.save")}</button>
        </form>
      )}
    </Sheet>
  );
}
