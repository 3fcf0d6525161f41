/* more.tsx - what else there is to say about a visit: late, help, a part, not safe, no access. */
import { useState } from "preact/hooks";
import { report, runLate } from "../act.ts";
import { say } from "../state.ts";
import { isUnderWay, type Shown } from "../sync/view.ts";
import { Icon } from "../icons.tsx";
import { Choice, Sheet, typed } from "../ui.tsx";
import { t, type Text } from "../words.ts";

const lateMinutes = [15, 30, 60] as const;

type Asked = "" | "late" | "help" | "part" | "unsafe" | "early" | "decline";

const titles: Record<Exclude<Asked, "">, Text> = {
  late: "more.late", help: "more.help", part: "more.part", unsafe: "more.unsafe",
  early: "more.early", decline: "more.decline",
};
const needs = { help: "NEED_HELP", part: "NEED_PART", unsafe: "NEED_UNSAFE" } as const;

export function More({ visit }: { visit: Shown }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button onClick={() => setOpen(true)}><Icon name="more" />{t("more.title")}</button>
      {open && <MoreSheet visit={visit} onClose={() => setOpen(false)} />}
    </>
  );
}

function MoreSheet({ visit, onClose }: { visit: Shown; onClose: () => void }) {
  const [asked, setAsked] = useState<Asked>("");
  const onSite = visit.status === "ON_SITE" || visit.status === "WORKING";
  const finish = async (saved: Promise<boolean>) => {
    if (await saved) onClose();
  };
  return (
    <Sheet title={t(asked === "" ? "more.title" : titles[asked])} onClose={onClose}>
      {asked === "" && (
        <>
          <Choice icon="clock" label={t("more.late")} onClick={() => setAsked("late")} />
          {onSite && <Choice icon="done" label={t("more.early")} onClick={() => setAsked("early")} />}
          <Choice icon="help" label={t("more.help")} onClick={() => setAsked("help")} />
          <Choice icon="part" label={t("more.part")} onClick={() => setAsked("part")} />
          <Choice icon="warn" label={t("more.unsafe")} kind="bad" onClick={() => setAsked("unsafe")} />
          {onSite && <Choice icon="pause" label={t("more.pause")} onClick={() => void finish(report(visit, "PAUSED"))} />}
          {!isUnderWay(visit.status) &&
            <Choice icon="close" label={t("more.decline")} kind="bad" onClick={() => setAsked("decline")} />}
        </>
      )}
      {asked === "late" && lateMinutes.map((minutes) => (
        <button class="big" key={minutes} onClick={() => void finish(runLate(visit, minutes))}>
          +{t("minutes", { count: minutes })}
        </button>
      ))}
      {asked === "early" && lateMinutes.map((minutes) => (
        <button class="big" key={minutes} onClick={() => void finish(runLate(visit, -minutes))}>
          {"\u2212"}{t("minutes", { count: minutes })}
        </button>
      ))}
      {(asked === "help" || asked === "part" || asked === "unsafe") && (
        <Words required={asked !== "help"} onSave={(text) =>
          finish(say({ need: { appointmentId: visit.id, kind: needs[asked], text } }))} />
      )}
      {asked === "decline" && (
        <Words required onSave={(reason) =>
          finish(say({ decline: { appointmentId: visit.id, reason } }))} />
      )}
    </Sheet>
  );
}

function Words({ required, onSave }: { required: boolean; onSave: (text: string) => Promise<void> }) {
  const [text, setText] = useState("");
  return (
    <form onSubmit={(event) => {
      event.preventDefault();
      void onSave(text.trim());
    }}>
      <label class="field">{t("outcome.words")}
        <textarea rows={3} maxLength={500} required={required} value={text}
          onInput={(event) => setText(typed(event.currentTarget))} />
      </label>
      <button class="primary big" type="submit">{t("more.send")}</button>
    </form>
  );
}
