/* review.tsx - the plan that waits for a person, and what each plan changed and why; all of it or some
 * can be taken back. */
import { useState } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t, tMaybe, tn } from "@callout/shared/i18n";
import { toNumber, usToMs } from "@callout/shared/units";
import type { PlanDelta, PlanDiff } from "@callout/shared/wire";
import { selectVisit } from "../model/selection.ts";
import { day, serviceDay, territory, zone } from "../model/store.ts";
import { useAsked } from "../edit/asked.ts";
import { send } from "../edit/edits.ts";
import { costLines, orderName } from "../edit/reasons.ts";
import { openScreen } from "../edit/state.ts";
import { Figures, moveText } from "./plan_words.tsx";
import { Proposal } from "./proposal.tsx";

function Change({ delta, chosen, choose }: { delta: PlanDelta; chosen: boolean; choose: (on: boolean) => void }) {
  const id = delta.appointmentId ?? "";
  return (
    <li>
      <label class="check"><input type="checkbox" checked={chosen}
        aria-label={t("review.choose", { order: orderName(id) })}
        onChange={(event) => choose(event.currentTarget.checked)} /></label>
      <button type="button" class="link" onClick={() => { openScreen(null); selectVisit(id); }}>{orderName(id)}</button>
      <span>{moveText(delta)}</span>
    </li>
  );
}

const changesShown = 60;

function Card({ diff }: { diff: PlanDiff }) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const changes = diff.plan?.changes ?? [];
  const gain = costLines(diff.gain);
  const version = toNumber(diff.plan?.version);
  const takeBack = (ids: readonly string[]) => void send("RollBackPlan", {
    territoryId: territory.peek()?.id ?? "", serviceDay: String(serviceDay.peek()), version: String(version),
    appointmentIds: [...ids], reason: t("review.reason"),
  }, t("review.done", { version }));
  return (
    <article class="card" aria-labelledby={`plan-${version}`}>
      <h3 id={`plan-${version}`}>{t("solver.plan", { version })}
        <span class="soft">{zone.value.dayAndTime(usToMs(diff.publishedUs))} · {tMaybe(`stage.${diff.stage}`)}</span></h3>
      <p>{diff.cause?.text !== undefined && t("history.because", { cause: diff.cause.text })}
        {diff.cause?.actor !== undefined && ` (${diff.cause.actor})`}
        {diff.broken !== undefined && diff.broken !== "RULE_UNSPECIFIED" &&
          ` · ${t("history.broken", { rule: t(`rule.${diff.broken}`) })}`}</p>
      <p class="counts">
        {(diff.newlyUnserved ?? 0) > 0 && <b class="bad">{tn("review.unserved", diff.newlyUnserved ?? 0)}</b>}
        {(diff.newlyServed ?? 0) > 0 && <span>{tn("review.served", diff.newlyServed ?? 0)}</span>}
        {(diff.moved ?? 0) > 0 && <span>{tn("review.moved", diff.moved ?? 0)}</span>}
        {(diff.rescheduled ?? 0) > 0 && <span>{tn("review.rescheduled", diff.rescheduled ?? 0)}</span>}
      </p>
      <Figures diff={diff} />
      {gain.length > 0 && <p class="soft">{t("history.gain", {
        gain: gain.map((line) => `${line.label} ${line.text}`).join(" · ") })}</p>}
      <details open={changes.length <= 8}>
        <summary>{tn("solver.changes", changes.length)}</summary>
        <ul class="deltas">
          {changes.slice(0, changesShown).map((delta) => (
            <Change key={delta.appointmentId} delta={delta} chosen={chosen.has(delta.appointmentId ?? "")}
              choose={(on) => {
                const fresh = new Set(chosen);
                if (on) fresh.add(delta.appointmentId ?? "");
                else fresh.delete(delta.appointmentId ?? "");
                setChosen(fresh);
              }} />))}
        </ul>
      </details>
      <footer>
        <button type="button" disabled={chosen.size === 0} onClick={() => takeBack([...chosen])}>
          {tn("review.backSome", chosen.size)}</button>
        <button type="button" onClick={() => takeBack([])}><Icon name="undo" />{t("review.backAll")}</button>
      </footer>
    </article>
  );
}

export function Review() {
  const { reply, failed } = useAsked("PlanDiffs",
    { territoryId: territory.value?.id ?? "", serviceDay: String(serviceDay.value), count: 20 },
    territory.value?.id ?? "", `${day.value?.planVersion ?? 0} ${serviceDay.value}`);
  return (
    <div class="cards">
      <Proposal />
      {failed !== "" && <p class="bad">{failed}</p>}
      {reply !== null && (reply.diffs ?? []).length === 0 && <p class="soft">{t("review.none")}</p>}
      {(reply?.diffs ?? []).map((diff) => <Card key={diff.plan?.version} diff={diff} />)}
    </div>
  );
}
