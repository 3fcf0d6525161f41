/* technician_drawer.tsx - a technician's day: shift, load, skills, route, whether he knows it. */
import { Icon } from "@callout/shared/icons";
import { t, tn } from "@callout/shared/i18n";
import { toNumber, usToMs } from "@callout/shared/units";
import { ageText } from "@callout/shared/words";
import type { PlanAck } from "@callout/shared/wire";
import type { Technician, Visit } from "../model/day.ts";
import { selectTechnician, selectVisit } from "../model/selection.ts";
import { endOf, isOver, phaseOf, startOf } from "../model/status.ts";
import { day, nowMs, zone } from "../model/store.ts";
import { heardOf } from "../model/trouble.ts";
import { gotoSelection } from "../board/commands.ts";
import { useAsked } from "./asked.ts";
import { technicianName, violationText } from "./reasons.ts";
import { asking, redistribution } from "./state.ts";

export function visitsOf(technicianId: string): Visit[] {
  return [...(day.value?.visits.values() ?? [])].filter((visit) => visit.technicianId === technicianId)
    .sort((a, b) => startOf(a) - startOf(b));
}

/* How far his plan has come to him. */
export function ackText(ack: PlanAck): string {
  if ((ack.deviceId ?? "") === "") return t("ack.noDevice");
  if (ack.unseen !== true) return t("ack.seen");
  const changed = toNumber(ack.changedSeq);
  if (toNumber(ack.delivered?.logSeq) >= changed) return t("ack.delivered");
  return toNumber(ack.sent?.logSeq) >= changed ? t("ack.sent") : t("ack.waiting");
}

function Route({ visits }: { visits: readonly Visit[] }) {
  return (
    <ol class="route">
      {visits.map((visit) => (
        <li key={visit.id}>
          <button type="button" onClick={() => selectVisit(visit.id)} data-over={isOver(visit)}>
            <time>{startOf(visit) === 0 ? "" : zone.value.timeRange(startOf(visit), endOf(visit))}</time>
            <b>{visit.orderId}</b> {visit.customer} <span class="soft">{t(`phase.${phaseOf(visit)}`)}</span>
          </button>
        </li>))}
    </ol>
  );
}

function Redistributed({ technician }: { technician: Technician }) {
  const it = redistribution.value;
  if (it === null || it.technicianId !== technician.id) return null;
  const left = it.visits.filter(({ id }) => day.value?.visits.get(id)?.technicianId === null).length;
  return (
    <section class="drawer-part" aria-live="polite">
      <h3>{t("absent.result")}<span class="soft">{left === 0 ? t("absent.allPlaced") : tn("absent.open", left)}</span></h3>
      <ul class="route">
        {it.visits.map(({ id, startMs }) => {
          const visit = day.value?.visits.get(id);
          return visit === undefined ? null : (
            <li key={id}><button type="button" onClick={() => selectVisit(id)}>
              <b>{visit.orderId}</b> {zone.value.time(startMs)} →{" "}
              {visit.technicianId === null ? t("list.nobody")
                : `${technicianName(visit.technicianId)} ${zone.value.time(startOf(visit))}`}
            </button></li>);
        })}
      </ul>
    </section>
  );
}

export function TechnicianDrawer({ technician }: { technician: Technician }) {
  const visits = visitsOf(technician.id);
  const { shift, absence } = technician;
  const { reply } = useAsked("PlanAcks", { territoryId: day.value?.territoryId ?? "" }, technician.id,
    `${day.value?.logSeq ?? ""}`);
  const ack = reply?.acks?.find((one) => one.technicianId === technician.id);
  const it = zone.value;
  const contact = (write: boolean) => () => {
    asking.value = { kind: "contact", visitId: null, technicianId: technician.id, write };
  };
  return (
    <aside class="drawer" id="drawer" tabIndex={-1} aria-label={t("drawer.title", { order: technician.name })}>
      <header>
        <h2>{technician.name}</h2>
        <button type="button" class="iconic" aria-label={t("select.close")} title={t("select.close")}
          onClick={() => selectTechnician(null)}><Icon name="close" /></button>
      </header>
      <div class="drawer-actions" role="group" aria-label={t("drawer.actions")}>
        <button type="button" aria-keyshortcuts="s" title={t("ask.key", { key: "s" })}
          onClick={() => { asking.value = { kind: "absent", technicianId: technician.id }; }}>
          <Icon name="nobody" />{t("drawer.sick")}</button>
        <button type="button" aria-keyshortcuts="c" onClick={contact(false)}><Icon name="phone" />{t("drawer.call")}</button>
        <button type="button" aria-keyshortcuts="e" onClick={contact(true)}><Icon name="told" />{t("drawer.message")}</button>
        <button type="button" aria-keyshortcuts="g" onClick={gotoSelection}><Icon name="search" />{t("drawer.show")}</button>
        <button type="button" onClick={() => print()}><Icon name="part" />{t("drawer.print")}</button>
      </div>
      <dl class="facts">
        <div><dt>{t("technician.shift")}</dt><dd>{shift === null ? t("gantt.offShift") : it.timeRange(shift.startMs, shift.endMs)}</dd></div>
        {absence !== null && <div><dt>{t("technician.absent")}</dt><dd class="bad">{it.timeRange(absence.startMs, absence.endMs)}</dd></div>}
        {technician.violations.length > 0 && <div><dt>{t("kind.ruleBroken")}</dt><dd class="bad">
          {technician.violations.map((one) => violationText(one, "")).join(", ")}</dd></div>}
        <div><dt>{t("technician.skills")}</dt><dd>{technician.skills.map((skill) => `${skill.name ?? ""} ${skill.level ?? ""}`).join(" · ")}</dd></div>
        <div><dt>{t("technician.heard")}</dt><dd>{heardOf(technician) === 0 ? t("list.never")
          : t("technician.ago", { age: ageText(Math.max(0, nowMs.value - heardOf(technician))) })}</dd></div>
        {ack !== undefined && <div><dt>{t("technician.plan")}</dt><dd class={ack.unseen === true ? "warn" : ""}>
          {ackText(ack)}{ack.unseen === true && usToMs(ack.sent?.timeUs) > 0 &&
            ` · ${t("technician.ago", { age: ageText(Math.max(0, nowMs.value - usToMs(ack.sent?.timeUs))) })}`}</dd></div>}
      </dl>
      <Redistributed technician={technician} />
      <section class="drawer-part">
        <h3>{t("technician.route")}<span class="soft">{tn("gantt.visits", visits.length)}</span></h3>
        <Route visits={visits} />
      </section>
    </aside>
  );
}
