/* enrol.tsx - how this phone becomes a technician's device: by the link behind a QR code, or by the
 * code that a dispatcher reads out. */
import { useState } from "preact/hooks";
import { Icon } from "../icons.tsx";
import { tidyCode } from "../router.ts";
import { device } from "../state.ts";
import { t } from "../words.ts";

function problemText(status: string): string {
  if (status === "UNAUTH" || status === "INVALID" || status === "NOT_FOUND") return t("enrol.wrong");
  return status === "" ? "" : t("enrol.refused", { status });
}

export function Enrol({ ended }: { ended: boolean }) {
  const [code, setCode] = useState("");
  const [asking, setAsking] = useState(false);
  const engine = device();
  const waiting = asking && engine.enrolProblem === "" && !engine.contact.failing;
  const problem = problemText(engine.enrolProblem) ||
    (engine.contact.failing && asking ? t("enrol.unreachable") : "");

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    setAsking(true);
    await engine.enrol(tidyCode(code));
    engine.nudge();
  }

  return (
    <main class="enrol">
      <form onSubmit={(event) => void submit(event)}>
        <img src="/technician/icon.svg" alt="" width="72" height="72" />
        <h1>{t("enrol.title")}</h1>
        {ended && <p class="notice"><Icon name="warn" />{t("enrol.ended")}</p>}
        <p>{t("enrol.how")}</p>
        <label>{t("enrol.code")}
          <input name="code" value={code} onInput={(event) => setCode(event.currentTarget.value)}
            required minLength={8} maxLength={80} autocomplete="off" autocapitalize="none"
            spellcheck={false} inputMode="text" />
        </label>
        <p class="problem" role="alert">{problem}</p>
        <button class="primary big" type="submit" disabled={waiting}>
          {waiting ? t("enrol.asking") : t("enrol.submit")}
        </button>
      </form>
    </main>
  );
}
