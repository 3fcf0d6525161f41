/* asks.tsx - the questions that an edit brings: where to, why, since when. */
import { useEffect, useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { serverNow } from "@callout/shared/clock";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { msToUs, usToMs } from "@callout/shared/units";
import type { AppointmentStatus, Move } from "@callout/shared/wire";
import type { Visit } from "../model/day.ts";
import { selectTechnician } from "../model/selection.ts";
import { startOf, isBegun, isOver } from "../model/status.ts";
import { day, dayBounds, serviceDay, zone } from "../model/store.ts";
import { Dialog, ReasonField } from "./dialog.tsx";
import { assign, cancel, clashed, confirming, correct, hold, needsReason, send, swap, unassign } from "./edits.ts";
import { orderName, technicianName, verdictOf } from "./reasons.ts";
import { close, redistribution } from "./state.ts";
import { visitsOf } from "./technician_drawer.tsx";

/* "09:30" of the day that is looked at; NaN: that is no time. */
function timeOf(text: string): number {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text);
  return match === null ? NaN : zone.peek().instant(serviceDay.peek(), Number(match[1]) * 60 + Number(match[2]));
}

function timeText(ms: number): string {
  const minutes = Math.round((ms + zone.peek().offset(ms)) / 60_000) % 1440;
  return `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

export function VerdictLines({ move, about }: { move: Move; about: string }) {
  const { broken, late, moved } = verdictOf(move, about);
  return (
    <ul class="verdict">
      {broken.map((text) => <li key={text} class="bad"><Icon name="rule" />{text}</li>)}
      {late.map((text) => <li key={text} class="warn"><Icon name="late" />{text}</li>)}
      {broken.length === 0 && late.length === 0 &&
        <li class="good"><Icon name="done" />{t("verdict.fine", { moved })}</li>}
    </ul>
  );
}

/* The way without dragging to any technician and any time. */
export function AskPlace({ visit }: { visit: Visit }) {
  const [technicianId, setTechnician] = useState(visit.technicianId ?? "");
  const [time, setTime] = useState(startOf(visit) === 0 ? "" : timeText(startOf(visit)));
  const [move, setMove] = useState<Move | null>(null);
  const [problem, setProblem] = useState("");
  const startMs = time === "" ? 0 : timeOf(time);
  useEffect(() => {
    if (technicianId === "" || Number.isNaN(startMs)) return;
    const gone = new AbortController();
    setProblem("");
    call("CheckMove", { appointmentId: visit.id, technicianId, startUs: msToUs(startMs) }, { signal: gone.signal })
      .then((reply) => setMove(reply.move ?? null), (error: unknown) => {
        if (!gone.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
      });
    return () => gone.abort(new DOMException("gone", "AbortError"));
  }, [technicianId, startMs]);
  const technicians = [...(day.value?.technicians.values() ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <Dialog title={t("place.title", { order: visit.orderId })} submit={t("place.submit")} onClose={close}
      onSubmit={() => {
        if (technicianId === "" || Number.isNaN(startMs)) return;
        close();
        void assign(visit, technicianId, startMs, move);
      }}>
      <label>{t("drawer.technician")}
        <select value={technicianId} required onChange={(event) => setTechnician(event.currentTarget.value)}>
          {visit.technicianId === null && <option value="">{t("place.choose")}</option>}
          {technicians.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        </select></label>
      <label>{t("place.start")}
        <input type="time" value={time} onInput={(event) => setTime(event.currentTarget.value)} /></label>
      <p class="soft">{t("place.hint")}</p>
      <div class="ask-verdict" role="status">
        {problem !== "" && <p class="bad">{problem}</p>}
        {problem === "" && move !== null && <>
          <p>{technicianName(move.technicianId)}, {zone.value.time(usToMs(move.startUs))}</p>
          <VerdictLines move={move} about={visit.id} /></>}
      </div>
    </Dialog>
  );
}

export function AskReason() {
  const it = needsReason.value;
  if (it === null) return null;
  return (
    <Dialog title={t("override.title")} submit={t("override.submit")} danger onClose={it.drop}
      onSubmit={(form) => it.give(String(form.get("reason")))}>
      {it.move === null ? <p class="bad">{it.text}</p> : <VerdictLines move={it.move} about={it.visitId} />}
      <ReasonField reasons={[t("override.customer"), t("override.technician"), t("override.urgent")]} />
    </Dialog>
  );
}

export function AskPinned() {
  const it = confirming.value;
  if (it === null) return null;
  const { visit, go } = it;
  const done = () => { confirming.value = null; };
  return (
    <Dialog title={t("pinned.title", { order: visit.orderId })} submit={t("pinned.move")} onClose={done}
      onSubmit={() => {
        done();
        go();
      }}>
      <p>{t("pinned.text", { name: technicianName(visit.technicianId ?? ""), time: zone.value.time(visit.startMs) })}</p>
    </Dialog>
  );
}

export function AskClash() {
  const it = clashed.value;
  if (it === null) return null;
  const now = it.clash?.now?.appointment;
  const who = now?.assignment?.technicianId;
  return (
    <Dialog title={t("clash.title", { order: orderName(it.visitId) })} submit={t("clash.again")} danger
      onClose={() => { clashed.value = null; }} onSubmit={it.again}>
      <dl class="facts">
        <div><dt>{t("clash.yours")}</dt><dd>{it.wished}</dd></div>
        <div><dt>{t("clash.theirs")}</dt><dd>{now === undefined ? it.text
          : `${technicianName(who)}${usToMs(now.plannedStartUs) > 0 ? `, ${zone.value.time(usToMs(now.plannedStartUs))}` : ""}`}</dd></div>
        <div><dt>{t("clash.since")}</dt><dd><ul>{(it.clash?.changes ?? []).slice(0, 5).map((one) => (
          <li key={one.seq}>{zone.value.time(usToMs(one.timeUs))} {one.actor}: {one.text}</li>))}</ul></dd></div>
      </dl>
      <p class="soft">{t("clash.nothing")}</p>
    </Dialog>
  );
}

const sentences = {
  unassign: { title: "unassign.title", submit: "drawer.unassign", run: unassign },
  cancel: { title: "cancel.title", submit: "drawer.cancel", run: cancel },
  hold: { title: "hold.title", submit: "drawer.hold", run: hold },
} as const;

export function AskWhy({ visit, kind }: { visit: Visit; kind: keyof typeof sentences }) {
  const { title, submit, run } = sentences[kind];
  return (
    <Dialog title={t(title, { order: orderName(visit.id) })} submit={t(submit)} danger={kind === "cancel"}
      onClose={close} onSubmit={(form) => {
        close();
        void run(visit, String(form.get("reason")));
      }}>
      <ReasonField reasons={kind === "hold" ? [t("hold.part"), t("hold.customer"), t("hold.approval")]
        : [t("override.customer"), t("unassign.mistake"), t("unassign.sick")]} />
    </Dialog>
  );
}

export function AskSwap({ visit }: { visit: Visit }) {
  const others = [...(day.value?.visits.values() ?? [])]
    .filter((one) => one.id !== visit.id && one.technicianId !== null && !isOver(one) && !isBegun(one))
    .sort((a, b) => startOf(a) - startOf(b));
  return (
    <Dialog title={t("swap.title", { order: orderName(visit.id) })} submit={t("drawer.swap")} onClose={close}
      onSubmit={(form) => {
        const other = day.value?.visits.get(String(form.get("other")));
        close();
        if (other !== undefined) void swap(visit, other);
      }}>
      <label>{t("swap.with")}
        <select name="other" required>
          {others.map((one) => <option key={one.id} value={one.id}>
            {`${zone.value.time(startOf(one))} ${technicianName(one.technicianId ?? "")}: ${one.orderId} ${one.customer}`}</option>)}
        </select></label>
    </Dialog>
  );
}

const reportable: readonly AppointmentStatus[] = [
  "ACCEPTED", "EN_ROUTE", "ON_SITE", "WORKING", "PAUSED", "COMPLETED", "INCOMPLETE", "NO_ACCESS",
];

export function AskCorrect({ visit }: { visit: Visit }) {
  const [status, setStatus] = useState<AppointmentStatus>("COMPLETED");
  return (
    <Dialog title={t("correct.title", { order: orderName(visit.id) })} submit={t("drawer.correct")} onClose={close}
      onSubmit={(form) => {
        const ms = timeOf(String(form.get("time")));
        close();
        void correct(visit, status, Number.isNaN(ms) ? 0 : ms, String(form.get("reason") ?? ""));
      }}>
      <p class="soft">{t("correct.hint", { name: technicianName(visit.technicianId ?? "") })}</p>
      <label>{t("correct.status")}
        <select value={status} autofocus
          onChange={(event) => setStatus(event.currentTarget.value as AppointmentStatus)}>
          {reportable.map((one) => <option key={one} value={one}>{t(`appointment.${one}`)}</option>)}
        </select></label>
      <label>{t("correct.time")}<input type="time" name="time" value={timeText(serverNow())} /></label>
      {(status === "INCOMPLETE" || status === "NO_ACCESS") &&
        <label>{t("ask.reason")}<input name="reason" required maxLength={200} /></label>}
    </Dialog>
  );
}

/* `s`, then `a` for the rest of the day, then Enter: the work is released and planned again. */
export function AskAbsent({ technicianId }: { technicianId: string }) {
  const [until, setUntil] = useState<"all" | "time">("all");
  const technician = day.value?.technicians.get(technicianId);
  if (technician === undefined) return null;
  const open = visitsOf(technicianId).filter((visit) => !isOver(visit));
  const submit = async (form: FormData) => {
    const from = Math.max(serverNow(), dayBounds.peek().startMs);
    const chosen = until === "time" ? timeOf(String(form.get("until"))) : NaN;
    const endMs = Number.isNaN(chosen) ? dayBounds.peek().endMs : chosen;
    close();
    redistribution.value = { technicianId, visits: open.map(({ id, startMs }) => ({ id, startMs })) };
    selectTechnician(technicianId);
    await send("ReportAbsence", { absence: {
      technicianId, startUs: msToUs(from), endUs: msToUs(endMs), reason: String(form.get("reason") ?? ""),
    } }, t("absent.done", { name: technician.name }));
  };
  return (
    <Dialog title={t("absent.title", { name: technician.name })} submit={t("absent.submit")} danger onClose={close}
      onSubmit={(form) => void submit(form)}>
      <fieldset class="options" onKeyDown={(event) => {
        if (event.key === "a") setUntil("all");
      }}>
        <legend>{t("absent.until")}</legend>
        <label class="check"><input type="radio" name="kind" checked={until === "all"} autofocus
          aria-keyshortcuts="a" onChange={() => setUntil("all")} />{t("absent.all")} <kbd>a</kbd></label>
        <label class="check"><input type="radio" name="kind" checked={until === "time"}
          onChange={() => setUntil("time")} />{t("absent.time")}
          <input type="time" name="until" disabled={until === "all"} aria-label={t("absent.time")} /></label>
      </fieldset>
      <input type="hidden" name="reason" value={t("absent.reason")} />
      <p class="soft">{t("absent.work", { count: open.length })}</p>
    </Dialog>
  );
}
