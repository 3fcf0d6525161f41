/* proposal.tsx - the optimizer's plan that waits for a person: taken whole, in part, or turned down;
 * and whether plans of the territory wait at all. Parts are what technicians exchange among each
 * other: they change together or not at all. */
import { useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { t, tn } from "@callout/shared/i18n";
import { usToMs } from "@callout/shared/units";
import { minutesText } from "@callout/shared/words";
import type { PlanDelta, ProposalPart, ProposalReply } from "@callout/shared/wire";
import { selectVisit } from "../model/selection.ts";
import { day, serviceDay, territory, zone } from "../model/store.ts";
import { useAsked } from "../edit/asked.ts";
import { send } from "../edit/edits.ts";
import { orderName, technicianName } from "../edit/reasons.ts";
import { openScreen } from "../edit/state.ts";
import { say } from "../edit/toasts.ts";
import { Figures, moveText } from "./plan_words.tsx";

const waits = [0, 600, 1_800, 3_600, 14_400]; // seconds

function waitText(seconds: number): string {
  return seconds === 0 ? t("proposal.atOnce") : t("proposal.waits", { time: minutesText(seconds * 1000) });
}

async function attempt(asked: Promise<unknown>, done: string): Promise<void> {
  try {
    await asked;
    say(done);
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), { bad: true });
  }
}

function Setting({ seconds, change }: { seconds: number; change: (seconds: number) => void }) {
  const choices = waits.includes(seconds) ? waits : [...waits, seconds].sort((a, b) => a - b);
  return (
    <label class="review-setting">{t("proposal.setting")}
      <select name="review" value={String(seconds)} onChange={(event) => change(Number(event.currentTarget.value))}>
        {choices.map((one) => <option key={one} value={String(one)}>{waitText(one)}</option>)}
      </select>
      <span class="soft">{t("proposal.hint")}</span>
    </label>
  );
}

function Part({ part, deltas, chosen, choose }: {
  part: ProposalPart; deltas: readonly PlanDelta[]; chosen: boolean; choose: (on: boolean) => void;
}) {
  const names = (part.technicianIds ?? []).map(technicianName).join(", ");
  return (
    <li>
      <label class="check"><input type="checkbox" checked={chosen} aria-label={t("proposal.choose", { names })}
        onChange={(event) => choose(event.currentTarget.checked)} /><b>{names}</b></label>
      <ul class="deltas">{deltas.map((delta) => (
        <li key={delta.appointmentId}>
          <button type="button" class="link" onClick={() => { openScreen(null); selectVisit(delta.appointmentId ?? ""); }}>
            {orderName(delta.appointmentId)}</button>
          <span>{moveText(delta)}</span>
        </li>))}
      </ul>
    </li>
  );
}

/* A part by the first of its technicians. */
const nameOf = (part: ProposalPart) => part.technicianIds?.[0] ?? "";

function Waiting({ reply, again }: { reply: ProposalReply; again: () => void }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const { diff, number = "0", parts = [] } = reply;
  if (diff === undefined) return null;
  const about = { territoryId: territory.peek()?.id ?? "", serviceDay: String(serviceDay.peek()), number };
  const wanted = parts.filter((part) => chosen.has(nameOf(part)));
  const accept = async (technicianIds: string[]) => {
    await send("AcceptProposal", { ...about, technicianIds }, t("proposal.accepted"), false);
    again();
  };
  const deltasOf = (part: ProposalPart) =>
    (diff.plan?.changes ?? []).filter((delta) => part.appointmentIds?.includes(delta.appointmentId ?? ""));
  const choose = (part: ProposalPart, on: boolean) => {
    const fresh = new Set(chosen);
    if (on) fresh.add(nameOf(part));
    else fresh.delete(nameOf(part));
    setChosen(fresh);
  };
  return (
    <article class="card card-waiting" aria-labelledby="proposal">
      <h3 id="proposal">{t("proposal.title")}
        <span class="soft">{t("proposal.until", { time: zone.value.time(usToMs(reply.untilUs)) })}</span></h3>
      <Figures diff={diff} />
      <ul class="parts">{parts.map((part) => (
        <Part key={nameOf(part)} part={part} deltas={deltasOf(part)} chosen={chosen.has(nameOf(part))}
          choose={(on) => choose(part, on)} />))}
      </ul>
      <footer>
        <button type="button" class="primary" onClick={() => void accept([])}>{t("proposal.acceptAll")}</button>
        <button type="button" disabled={wanted.length === 0} onClick={() => void accept(wanted.map(nameOf))}>
          {tn("proposal.acceptSome", wanted.length)}</button>
        <button type="button" onClick={() => void attempt(call("DiscardProposal", about), t("proposal.discarded")).then(again)}>
          {t("proposal.discard")}</button>
      </footer>
    </article>
  );
}

export function Proposal() {
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((before) => before + 1);
  const territoryId = territory.value?.id ?? "";
  const { reply, failed } = useAsked("Proposal", { territoryId, serviceDay: String(serviceDay.value) }, territoryId,
    `${day.value?.solver.proposal?.number ?? 0} ${day.value?.planVersion ?? 0} ${serviceDay.value} ${turn}`);
  if (failed !== "") return <p class="bad">{failed}</p>;
  if (reply === null) return null;
  const change = (waitSeconds: number) =>
    void attempt(call("SetReview", { territoryId, waitSeconds }), waitText(waitSeconds)).then(again);
  return (
    <section class="proposal" aria-label={t("proposal.section")}>
      <Setting seconds={reply.waitSeconds ?? 0} change={change} />
      {(reply.number ?? "0") !== "0" && <Waiting key={reply.number} reply={reply} again={again} />}
    </section>
  );
}
