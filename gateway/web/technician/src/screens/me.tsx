/* me.tsx - the technician's own day: shift, break, absence; his privacy; this phone. */
import { useState } from "preact/hooks";
import { msToUs, usToMs } from "@callout/shared/units";
import { setTheme, theme, type Theme } from "@callout/shared/theme";
import { consent, refusal, setConsent, watching } from "../position.ts";
import { Icon } from "../icons.tsx";
import { address } from "../router.ts";
import { device, now, say, today, zone } from "../state.ts";
import { shiftAt } from "../sync/view.ts";
import { Choice, Head, Section, Sheet } from "../ui.tsx";
import { t } from "../words.ts";
import { freshness } from "../stamp.tsx";

const noticeVersion = 1; // of the words about positions below
const themes: readonly Theme[] = ["system", "light", "dark"];

function Shift() {
  const [away, setAway] = useState(false);
  const { technician, absences } = device().replica.day;
  const shift = shiftAt(technician, now.value, today.value);
  const span = (from: string | undefined, until: string | undefined) =>
    zone.value.timeRange(usToMs(from), usToMs(until));
  const coming = absences.filter((one) => usToMs(one.endUs) > now.value);
  return (
    <Section title={t("me.shift")}>
      <dl class="facts">
        <dt>{t("me.hours")}</dt>
        <dd>{shift === null ? t("me.noShift") : span(shift.startUs, shift.endUs)}</dd>
        {shift?.breakSeconds !== undefined && shift.breakSeconds > 0 && (
          <><dt>{t("me.break")}</dt>
            <dd>{t("me.breakSpan", { minutes: Math.round(shift.breakSeconds / 60), span: span(shift.breakEarliestUs, shift.breakLatestUs) })}</dd></>
        )}
        {coming.map((one) => (
          <><dt>{t("me.absent")}</dt><dd>{zone.value.dayAndTime(usToMs(one.startUs))}{" – "}{zone.value.dayAndTime(usToMs(one.endUs))}</dd></>
        ))}
      </dl>
      <div class="pair">
        <button onClick={() => void say({ breakReport: { ended: false } })}><Icon name="pause" />{t("me.breakStart")}</button>
        <button onClick={() => void say({ breakReport: { ended: true } })}>{t("me.breakEnd")}</button>
      </div>
      <button class="wide" onClick={() => setAway(true)}>{t("me.away")}</button>
      {away && <Away onClose={() => setAway(false)} />}
    </Section>
  );
}

function Away({ onClose }: { onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [from, setFrom] = useState("");
  const [until, setUntil] = useState("");
  const at = (text: string) => {
    const [hours, minutes] = text.split(":").map(Number);
    return text === "" ? "0" : msToUs(zone.value.instant(today.value, (hours ?? 0) * 60 + (minutes ?? 0)));
  };
  async function save(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (await say({ absence: { startUs: at(from), endUs: at(until), reason: reason.trim() } })) onClose();
  }
  return (
    <Sheet title={t("me.away")} onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <label class="field">{t("me.why")}
          <input required maxLength={200} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <div class="pair">
          <label class="field">{t("me.from")}
            <input type="time" value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></label>
          <label class="field">{t("me.until")}
            <input type="time" value={until} onInput={(event) => setUntil(event.currentTarget.value)} /></label>
        </div>
        <p class="soft">{t("me.awayHow")}</p>
        <button class="primary big" type="submit">{t("more.send")}</button>
      </form>
    </Sheet>
  );
}

function Privacy() {
  const { sampling } = device().replica.day;
  const agree = async (granted: boolean) => {
    if (await say({ consent: { noticeVersion, granted } })) setConsent(granted ? "yes" : "no");
  };
  return (
    <Section title={t("privacy.title")}>
      <p>{t("privacy.what")}</p>
      <p class="soft">{t("privacy.pace", { moving: sampling?.movingSeconds || 30, resting: sampling?.restingSeconds || 300 })}</p>
      <p class={`notice ${watching.value ? "good" : "calm"}`}>
        <Icon name="pin" /><span>{t(watching.value ? "privacy.on" : consent.value === "yes" ? "privacy.waiting" : "privacy.off")}
          {refusal.value !== "" && <small>{t("privacy.refused")}</small>}</span>
      </p>
      {consent.value === "yes"
        ? <button class="wide" onClick={() => void agree(false)}>{t("privacy.stop")}</button>
        : <button class="wide" onClick={() => void agree(true)}>{t("privacy.agree")}</button>}
    </Section>
  );
}

export function Me() {
  const engine = device();
  const { unsent } = freshness();
  return (
    <>
      <Head title={engine.replica.day.technician?.name || t("me.title")} />
      <Shift />
      <Privacy />
      <Section title={t("me.phone")}>
        <fieldset class="segments">
          <legend>{t("me.colours")}</legend>
          {themes.map((one) => (
            <label key={one}><input type="radio" name="theme" checked={theme.value === one}
              onChange={() => setTheme(one)} /><span>{t(`theme.${one}`)}</span></label>
          ))}
        </fieldset>
        <p class="soft">{t("me.device", { id: engine.technicianId, build: engine.ports.appBuild })}</p>
      </Section>
      <Choice icon={unsent > 0 ? "unsent" : "sent"} label={t("outbox.title")} onClick={() => (location.hash = address("outbox"))} />
    </>
  );
}
