/* plan_words.tsx - what a plan changes, in words and figures: of one that is published or waits. */
import { t } from "@callout/shared/i18n";
import { toNumber, usToMs } from "@callout/shared/units";
import { minutesText } from "@callout/shared/words";
import type { PlanDelta, PlanDiff } from "@callout/shared/wire";
import { zone } from "../model/store.ts";
import { technicianName } from "../edit/reasons.ts";

function placeText(technicianId: string | undefined, startUs: string | undefined): string {
  const ms = usToMs(startUs);
  return `${technicianName(technicianId)}${ms > 0 ? ` ${zone.value.time(ms)}` : ""}`;
}

/* Where it was, and where it goes; of one who keeps it, only when. */
export function moveText(delta: PlanDelta): string {
  if (delta.technicianBefore === delta.technicianAfter)
    return `${placeText(delta.technicianBefore, delta.startBeforeUs)} → ${zone.value.time(usToMs(delta.startAfterUs))}`;
  return `${placeText(delta.technicianBefore, delta.startBeforeUs)} → ${placeText(delta.technicianAfter, delta.startAfterUs)}`;
}

/* One figure of the day with the plan before and with this one; less is better of all of them. */
function Figure({ name, before, after, words }: {
  name: string; before: number; after: number; words: (value: number) => string;
}) {
  const same = words(before) === words(after), less = same ? 0 : before - after;
  return (
    <div data-less={Math.sign(less)}>
      <dt>{name}</dt>
      <dd>{!same && <>{words(before)} <span aria-hidden="true">→</span> </>}<b>{words(after)}</b>
        {less !== 0 && <span class={less > 0 ? "good" : "bad"}> {less > 0 ? "−" : "+"}{words(Math.abs(less))}</span>}</dd>
    </div>
  );
}

export function Figures({ diff }: { diff: PlanDiff }) {
  const { before, after } = diff;
  if (before === undefined || after === undefined) return null;
  const time = (seconds: number) => minutesText(seconds * 1000), plain = (count: number) => String(count);
  return (
    <dl class="figures" aria-label={t("review.figures")}>
      <Figure name={t("review.travel")} before={toNumber(before.travelSeconds)} after={toNumber(after.travelSeconds)} words={time} />
      <Figure name={t("review.nobody")} before={before.unserved ?? 0} after={after.unserved ?? 0} words={plain} />
      <Figure name={t("review.late")} before={toNumber(before.lateSeconds)} after={toNumber(after.lateSeconds)} words={time} />
      <Figure name={t("review.cost")} before={toNumber(before.costSeconds)} after={toNumber(after.costSeconds)} words={time} />
    </dl>
  );
}
