/* inbox.tsx - what devices said that did not fit the plan, and who has not seen his. */
import { useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { t, tn } from "@callout/shared/i18n";
import { toNumber, usToMs } from "@callout/shared/units";
import { ageText } from "@callout/shared/words";
import type { Conflict, DeadLetter, PlanAck } from "@callout/shared/wire";
import { selectTechnician, selectVisit } from "../model/selection.ts";
import { day, nowMs, territory, zone } from "../model/store.ts";
import { useAsked } from "../edit/asked.ts";
import { orderName, technicianName } from "../edit/reasons.ts";
import { asking, openScreen } from "../edit/state.ts";
import { ackText } from "../edit/technician_drawer.tsx";
import { say } from "../edit/toasts.ts";

async function settle(work: Promise<unknown>, done: () => void): Promise<void> {
  try {
    await work;
    done();
  } catch (error) {
    say(t("edit.refused", { text: error instanceof Error ? error.message : String(error) }), { bad: true });
  }
}

function ConflictRow({ conflict, done }: { conflict: Conflict; done: () => void }) {
  const [note, setNote] = useState("");
  const id = conflict.appointmentId ?? "";
  return (
    <li class="card">
      <p><b>{t(`conflict.${conflict.kind ?? "CONFLICT_KIND_UNSPECIFIED"}`)}</b>{" "}
        <button type="button" class="link" onClick={() => { openScreen(null); selectVisit(id); }}>{orderName(id)}</button>{" "}
        <span class="soft">{zone.value.dayAndTime(usToMs(conflict.timeUs))}</span></p>
      <p>{t("conflict.said", { name: technicianName(conflict.technicianId), status: t(`appointment.${conflict.reported ?? "APPOINTMENT_STATUS_UNSPECIFIED"}`) })}{" "}
        {t("conflict.was", { name: technicianName(conflict.otherTechnicianId), status: t(`appointment.${conflict.status ?? "APPOINTMENT_STATUS_UNSPECIFIED"}`) })}</p>
      <form class="line" onSubmit={(event) => {
        event.preventDefault();
        void settle(call("ResolveConflict", { seq: conflict.seq ?? "0", note }), done);
      }}>
        <input aria-label={t("conflict.note")} placeholder={t("conflict.note")} maxLength={200} value={note}
          onInput={(event) => setNote(event.currentTarget.value)} />
        <button type="submit">{t("conflict.resolve")}</button>
      </form>
    </li>
  );
}

function LetterRow({ letter, done }: { letter: DeadLetter; done: () => void }) {
  return (
    <li class="card">
      <p><b>{technicianName(letter.technicianId)}</b>{" "}
        <span class="soft">{zone.value.dayAndTime(usToMs(letter.receivedUs))} · {tn("letter.times", letter.times ?? 1)}</span></p>
      <p>{letter.field !== undefined && letter.field !== "" && <code>{letter.field}</code>} {letter.problem}</p>
      <p><button type="button" onClick={() => void settle(call("DismissDeadLetter", {
        deviceId: letter.deviceId ?? "", epoch: letter.epoch ?? 0, seq: letter.seq ?? "0",
        ...(letter.outcome === undefined ? {} : { outcome: letter.outcome }),
      }), done)}>{t("letter.dismiss")}</button></p>
    </li>
  );
}

const callAfterMs = 10 * 60_000;

/* Whoever has not seen his plan for so long is to be called. */
function AckRow({ ack }: { ack: PlanAck }) {
  const sinceMs = usToMs(ack.sent?.timeUs);
  const waits = sinceMs > 0 && nowMs.value - sinceMs > callAfterMs;
  const technicianId = ack.technicianId ?? "";
  return (
    <li class="card">
      <p><button type="button" class="link" onClick={() => { openScreen(null); selectTechnician(technicianId); }}>
        {technicianName(technicianId)}</button> <span class={waits ? "bad" : "warn"}>{ackText(ack)}
        {sinceMs > 0 && ` · ${t("technician.ago", { age: ageText(Math.max(0, nowMs.value - sinceMs)) })}`}</span></p>
      <p><button type="button" onClick={() => {
        asking.value = { kind: "contact", visitId: null, technicianId, write: false };
      }}>{waits ? t("ack.callHim") : t("drawer.call")}</button></p>
    </li>
  );
}

export function Inbox() {
  const [settled, setSettled] = useState(0);
  const id = territory.value?.id ?? "";
  const key = `${settled} ${day.value?.logSeq ?? ""}`;
  const done = () => setSettled(settled + 1);
  const conflicts = useAsked("Conflicts", { territoryId: id }, id, key);
  const letters = useAsked("DeadLetters", { territoryId: id }, id, key);
  const acks = useAsked("PlanAcks", { territoryId: id, unseenOnly: true }, id, key);
  const unseen = (acks.reply?.acks ?? []).filter((one) => toNumber(one.changedSeq) > 0);
  return (
    <div class="thirds">
      <section><h3>{t("inbox.unseen")} <span class="soft">{unseen.length}</span></h3>
        <ul>{unseen.map((one) => <AckRow key={one.technicianId} ack={one} />)}</ul></section>
      <section><h3>{t("inbox.conflicts")} <span class="soft">{(conflicts.reply?.conflicts ?? []).length}</span></h3>
        {conflicts.failed !== "" && <p class="bad">{conflicts.failed}</p>}
        <ul>{(conflicts.reply?.conflicts ?? []).map((one) => <ConflictRow key={one.seq} conflict={one} done={done} />)}</ul></section>
      <section><h3>{t("inbox.letters")} <span class="soft">{(letters.reply?.letters ?? []).length}</span></h3>
        {letters.failed !== "" && <p class="bad">{letters.failed}</p>}
        <ul>{(letters.reply?.letters ?? []).map((one) =>
          <LetterRow key={`${one.deviceId} ${one.epoch} ${one.seq}`} letter={one} done={done} />)}</ul></section>
    </div>
  );
}
