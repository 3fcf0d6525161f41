/* order_drawer.tsx - everything about one visit, and everything that can be done to it. */
import { Icon, type IconName } from "@callout/shared/icons";
import { t, tMaybe, type Text } from "@callout/shared/i18n";
import { minutesText } from "@callout/shared/words";
import type { Visit } from "../model/day.ts";
import { selectTechnician, selectVisit } from "../model/selection.ts";
import { isBegun, isOver, phaseOf, startOf, endOf, windowOf } from "../model/status.ts";
import { day, zone } from "../model/store.ts";
import { gotoSelection } from "../board/commands.ts";
import { useWorth } from "../board/proof.tsx";
import { Candidates } from "./candidates.tsx";
import { focusWish } from "./choice.ts";
import { release, togglePin } from "./edits.ts";
import { FieldRecord } from "./field_record.tsx";
import { violationText } from "./reasons.ts";
import { asking } from "./state.ts";
import { History, WhyNot, WhyUnserved } from "./why.tsx";

function Action({ icon, label, press, shortcut }: {
  icon: IconName; label: Text; press: () => void; shortcut?: string;
}) {
  return (
    <button type="button" onClick={press} aria-keyshortcuts={shortcut}
      title={shortcut === undefined ? undefined : t("ask.key", { key: shortcut })}>
      <Icon name={icon} />{t(label)}
    </button>
  );
}

function Actions({ visit }: { visit: Visit }) {
  const over = isOver(visit), begun = isBegun(visit);
  const ask = (kind: "place" | "unassign" | "cancel" | "hold" | "correct" | "swap") =>
    () => { asking.value = { kind, visitId: visit.id }; };
  const contact = (write: boolean) => () => {
    asking.value = { kind: "contact", visitId: visit.id, technicianId: null, write };
  };
  return (
    <div class="drawer-actions" role="group" aria-label={t("drawer.actions")}>
      {!over && !begun &&
        <Action icon="driving" label="drawer.move" shortcut="m" press={() => { focusWish.value++; }} />}
      {!over && !begun && <Action icon="soon" label="drawer.place" press={ask("place")} />}
      {!over && visit.technicianId !== null &&
        <Action icon="pin" label={visit.pinned ? "drawer.unpin" : "drawer.pin"} shortcut="p"
          press={() => void togglePin(visit)} />}
      <Action icon="phone" label="drawer.call" shortcut="c" press={contact(false)} />
      <Action icon="told" label="drawer.message" shortcut="e" press={contact(true)} />
      <Action icon="search" label="drawer.show" shortcut="g" press={gotoSelection} />
      <details class="more">
        <summary>{t("drawer.more")}</summary>
        <div>
          {!over && !begun && visit.technicianId !== null &&
            <Action icon="nobody" label="drawer.unassign" press={ask("unassign")} />}
          {!over && !begun && visit.technicianId !== null &&
            <Action icon="undo" label="drawer.swap" press={ask("swap")} />}
          {!over && !begun && !visit.onHold && <Action icon="paused" label="drawer.hold" press={ask("hold")} />}
          {visit.onHold && <Action icon="planned" label="drawer.release" press={() => void release(visit)} />}
          {visit.technicianId !== null && <Action icon="done" label="drawer.correct" press={ask("correct")} />}
          {!over && <Action icon="failed" label="drawer.cancel" press={ask("cancel")} />}
        </div>
      </details>
    </div>
  );
}

function Facts({ visit }: { visit: Visit }) {
  const technician = day.value?.technicians.get(visit.technicianId ?? "");
  const window = windowOf(visit);
  const it = zone.value;
  const start = startOf(visit);
  const rows: [string, preact.ComponentChildren][] = [];
  rows.push([t("drawer.status"), <>{t(`phase.${phaseOf(visit)}`)}{visit.onHold && ` · ${t("drawer.onHold")}`}
    {visit.needs.length > 0 && <b class="warn"> · {visit.needs.map((need) => tMaybe(`need.${need}`)).join(", ")}</b>}
    {visit.pinned && ` · ${t("gantt.barPinned")}`}{visit.frozen && ` · ${t("drawer.frozen")}`}</>]);
  if (visit.violations.length > 0)
    rows.push([t("kind.ruleBroken"), <b class="bad">{visit.violations.map((one) => violationText(one, visit.id)).join(", ")}</b>]);
  if (window !== null)
    rows.push([t(window.promised ? "drawer.promise" : "drawer.window"), it.timeRange(window.startMs, window.endMs)]);
  if (start !== 0)
    rows.push([t(visit.begunMs !== 0 ? "drawer.was" : "drawer.planned"), <>
      {it.timeRange(start, endOf(visit))}
      {visit.lateSeconds > 0 && <b class="bad"> {t("list.late", { minutes: minutesText(visit.lateSeconds * 1000) })}</b>}
      {visit.startMs !== 0 && Math.abs(visit.startMs - start) > 60_000 && visit.begunMs === 0 &&
        <span class="soft"> {t("drawer.told", { time: it.time(visit.startMs) })}</span>}</>]);
  rows.push([t("drawer.technician"), technician === undefined ? t("list.nobody")
    : <button type="button" class="link" onClick={() => selectTechnician(technician.id)}>{technician.name}</button>]);
  if (visit.dueMs !== 0) rows.push([t("drawer.due"), it.dayAndTime(visit.dueMs)]);
  rows.push([t("drawer.address"), visit.address || t("drawer.noAddress")]);
  rows.push([t("drawer.work"), [visit.workType, minutesText(visit.serviceMs),
    t("list.priority", { priority: visit.priority }),
    ...visit.skills.map((skill) => `${skill.name ?? ""} ${skill.level ?? ""}`)].filter(Boolean).join(" · ")]);
  return <dl class="facts">{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

/* What it costs the plan to serve it, by the proof of the plan's bound; of a pinned one that is no
 * question of price. */
function Worth({ visit }: { visit: Visit }) {
  const { serving, window } = useWorth(visit.id);
  if (serving === null) return null;
  return (
    <p class="worth soft" title={t("drawer.worthTip")}>
      {t("drawer.worth", { time: minutesText(serving * 1000) })}
      {window !== null && window > 0 && ` ${t("drawer.worthWindow", { time: minutesText(window * 1000) })}`}
    </p>
  );
}

export function OrderDrawer({ visit }: { visit: Visit }) {
  const movable = !isOver(visit) && !isBegun(visit);
  return (
    <aside class="drawer" id="drawer" tabIndex={-1} aria-label={t("drawer.title", { order: visit.orderId })}
      data-visit-drawer={visit.id}>
      <header>
        <h2>{visit.emergency && <Icon name="urgent" label={t("gantt.barUrgent")} />}
          {visit.orderId} <span>{visit.customer}</span></h2>
        <button type="button" class="iconic" aria-label={t("select.close")} title={t("select.close")}
          onClick={() => selectVisit(null)}><Icon name="close" /></button>
      </header>
      <Actions visit={visit} />
      <Facts visit={visit} />
      {!isOver(visit) && !visit.pinned && <Worth visit={visit} />}
      {visit.technicianId === null && !isOver(visit) && !visit.onHold && <WhyUnserved visit={visit} />}
      {movable && !visit.onHold && <Candidates visit={visit} />}
      {movable && !visit.onHold && <WhyNot visit={visit} />}
      <FieldRecord visit={visit} />
      <History visit={visit} />
    </aside>
  );
}
