/* outcome.tsx - how a visit ended: done, not done with a reason, or nobody let him in. */
import { useState } from "preact/hooks";
import { report } from "../act.ts";
import { Icon } from "../icons.tsx";
import { device } from "../state.ts";
import { detailsOf, type Shown } from "../sync/view.ts";
import { Choice, Sheet, typed } from "../ui.tsx";
import { t, tn } from "../words.ts";

const reasons = ["partMissing", "tooBig", "customerAway", "wrongSkill", "unsafe", "other"] as const;

/* A further visit is asked for together with the end of this one: both are saved, or neither. */
export function Outcome({ visit, onClose }: { visit: Shown; onClose: () => void }) {
  const { missing } = detailsOf(device(), visit);
  const [further, setFurther] = useState(false);
  const [left, setLeft] = useState("");
  const [why, setWhy] = useState<"" | "INCOMPLETE" | "NO_ACCESS">("");
  const [reason, setReason] = useState<string>("");
  const [text, setText] = useState("");

  async function end(status: "COMPLETED" | "INCOMPLETE" | "NO_ACCESS"): Promise<void> {
    const said = [reason, text].filter(Boolean).join(": ");
    const more = further ? { appointmentId: visit.id, note: left.trim() } : null;
    if (await report(visit, status, said, more)) onClose();
  }

  const furtherField = (
    <>
      <label class="check"><input type="checkbox" checked={further}
        onChange={(event) => setFurther(event.currentTarget.checked)} /><span>{t("outcome.followUp")}</span></label>
      {further && (
        <label class="field">{t("outcome.followUpNote")}
          <textarea rows={2} maxLength={500} value={left}
            onInput={(event) => setLeft(typed(event.currentTarget))} />
        </label>
      )}
    </>
  );
  return (
    <Sheet title={t("outcome.title")} onClose={onClose}>
      {why === "" ? (
        <>
          {missing.length > 0 && (
            <div class="notice"><Icon name="warn" /><span>{tn("outcome.missing", missing.length)}
              {missing.map((item) => <small key={item.itemId}><bdi>{item.text}</bdi></small>)}</span></div>
          )}
          <button class="primary big" disabled={missing.length > 0}
            onClick={() => void end("COMPLETED")}>{t("outcome.done")}</button>
          <Choice icon="close" label={t("outcome.notDone")} onClick={() => setWhy("INCOMPLETE")} />
          <Choice icon="door" label={t("outcome.noAccess")} onClick={() => setWhy("NO_ACCESS")} />
          {furtherField}
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
              onInput={(event) => setText(typed(event.currentTarget, 900))} />
          </label>
          {why === "INCOMPLETE" && furtherField}
          <button class="primary big" type="submit">{t("outcome.save")}</button>
        </form>
      )}
    </Sheet>
  );
}
