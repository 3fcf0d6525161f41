/* why.tsx - why nobody has it and what would fix that; what happened to it so far, and why. */
import { useState } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { usToMs } from "@callout/shared/units";
import type { AppointmentChange, TechnicianReason } from "@callout/shared/wire";
import type { Visit } from "../model/day.ts";
import { day, zone } from "../model/store.ts";
import { useAsked } from "./asked.ts";
import { VerdictLines } from "./asks.tsx";
import { costLines, orderName, technicianName, violationText } from "./reasons.ts";

const reasonsShown = 5;

function Reason({ reason, visit }: { reason: TechnicianReason; visit: Visit }) {
  const fixes = (reason.relaxations ?? []).map((one) => violationText(one, visit.id));
  const first = reason.firstFailing;
  return (
    <li>
      <b>{technicianName(reason.technicianId)}</b>{" "}
      {first === undefined ? t("why.could") : violationText(first, visit.id)}
      {reason.relaxable === true && fixes.length > 0 &&
        <span class="soft"> {t("why.fix", { start: zone.value.time(usToMs(reason.startUs)), fixes: fixes.join("; ") })}</span>}
    </li>
  );
}

export function WhyUnserved({ visit }: { visit: Visit }) {
  const { reply, failed } = useAsked("Explain",
    { appointmentId: visit.id, question: "WHY_UNSERVED", count: reasonsShown }, visit.id,
    `${visit.version} ${day.value?.planVersion ?? 0}`);
  if (reply === null) return failed === "" ? null : <p class="bad">{failed}</p>;
  return (
    <section class="drawer-part">
      <h3>{t("why.unserved")}</h3>
      {visit.unservedText !== "" && <p><Icon name="nobody" /> {visit.unservedText}</p>}
      <ul class="reasons">
        {(reply.technicians ?? []).slice(0, reasonsShown).map((one) =>
          <Reason key={one.technicianId} reason={one} visit={visit} />)}
      </ul>
    </section>
  );
}

/* Asked of one technician: what keeps him from it, or what it would cost if he did it. */
export function WhyNot({ visit }: { visit: Visit }) {
  const [technicianId, choose] = useState("");
  const { reply, failed } = useAsked("Explain", { appointmentId: visit.id, question: "WHY_NOT_TECHNICIAN", technicianId },
    technicianId === "" ? "" : `${visit.id} ${technicianId}`, `${visit.version} ${day.value?.planVersion ?? 0}`);
  const others = [...(day.value?.technicians.values() ?? [])].filter((one) => one.id !== visit.technicianId)
    .sort((a, b) => a.name.localeCompare(b.name));
  const move = reply?.alternative;
  const cost = costLines(move?.costDelta).map((line) => `${line.label} ${line.text}`).join(" · ");
  return (
    <section class="drawer-part why-not">
      <select aria-label={t("whyNot.choose")} value={technicianId} onChange={(event) => choose(event.currentTarget.value)}>
        <option value="">{t("whyNot.title")}</option>
        {others.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
      </select>
      <div class="why-not-answer" role="status">
        {failed !== "" && <p class="bad">{failed}</p>}
        {move !== undefined && <>
          <p>{t("whyNot.best", { time: zone.value.time(usToMs(move.startUs)) })}</p>
          <VerdictLines move={move} about={visit.id} />
          {cost !== "" && <p class="soft">{cost}</p>}</>}
      </div>
    </section>
  );
}

function actorText(change: AppointmentChange): string {
  if (change.actor === "optimizer") return t("history.optimizer");
  return change.actor ?? change.causeActor ?? "";
}

function Change({ change }: { change: AppointmentChange }) {
  const { delta } = change;
  const before = delta?.technicianBefore ?? "", after = delta?.technicianAfter ?? "";
  const startMs = usToMs(delta?.startAfterUs);
  const moved = before !== after || usToMs(delta?.startBeforeUs) !== startMs;
  const gain = costLines(change.gain).map((line) => `${line.label} ${line.text}`).join(" · ");
  return (
    <li class="change">
      <time>{zone.value.dayAndTime(usToMs(change.timeUs))}</time>
      <span class="change-what">
        {!moved ? (change.text ?? change.kind)
          : after === "" ? t("history.taken", { name: technicianName(before) })
          : before === after ? t("history.moved", { time: zone.value.time(startMs),
              before: zone.value.time(usToMs(delta?.startBeforeUs)) })
          : t("history.given", { name: technicianName(after), time: zone.value.time(startMs) })}
      </span>
      <span class="soft">
        {actorText(change)}
        {change.reason !== undefined && ` · ${t("history.reason", { reason: change.reason })}`}
        {change.actor === "optimizer" && change.causeText !== undefined &&
          ` · ${t("history.because", { cause: change.causeText })}`}
        {change.broken !== undefined && change.broken !== "RULE_UNSPECIFIED" &&
          ` · ${t("history.broken", { rule: t(`rule.${change.broken}`) })}`}
      </span>
      {(change.displaced ?? []).length > 0 &&
        <details><summary>{t("history.displaced", { count: (change.displaced ?? []).length })}</summary>
          <ul>{(change.displaced ?? []).map((one) => (
            <li key={one.appointmentId}>{orderName(one.appointmentId)}: {technicianName(one.technicianAfter)}{" "}
              {usToMs(one.startAfterUs) > 0 && zone.value.time(usToMs(one.startAfterUs))}</li>))}</ul>
          {gain !== "" && <p class="soft">{t("history.gain", { gain })}</p>}
        </details>}
    </li>
  );
}

export function History({ visit }: { visit: Visit }) {
  const { reply, failed } = useAsked("Explain",
    { appointmentId: visit.id, question: "WHY_CHANGED", allChanges: true, count: 12 }, visit.id, visit.version);
  return (
    <section class="drawer-part">
      <h3>{t("history.title")}</h3>
      {failed !== "" && <p class="bad">{failed}</p>}
      <ol class="changes">
        {(reply?.changes ?? []).map((change) => <Change key={change.logSeq} change={change} />)}
      </ol>
    </section>
  );
}
