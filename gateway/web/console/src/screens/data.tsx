/* data.tsx - the day as tables for a spreadsheet: plan, actual times, unserved. */
import { Icon } from "@callout/shared/icons";
import { t, type Text } from "@callout/shared/i18n";
import { dayToText } from "@callout/shared/zone";
import type { Visit } from "../model/day.ts";
import { isOver, phaseOf, startOf, windowOf } from "../model/status.ts";
import { day, serviceDay, territory, zone } from "../model/store.ts";
import { technicianName } from "../edit/reasons.ts";
import { csvOf, saveFile } from "./csv.ts";

/* Local time with its offset: as precise as it is, whatever reads it. */
function stamp(ms: number): string {
  if (ms === 0) return "";
  const offset = zone.peek().offset(ms);
  const sign = offset < 0 ? "-" : "+";
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number) => String(value).padStart(2, "0");
  return `${new Date(ms + offset).toISOString().slice(0, 19)}${sign}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function sorted(wanted: (visit: Visit) => boolean): Visit[] {
  return [...(day.peek()?.visits.values() ?? [])].filter(wanted)
    .sort((a, b) => (a.technicianId ?? "").localeCompare(b.technicianId ?? "") || startOf(a) - startOf(b));
}

const common = ["order", "customer", "address", "work_type", "priority"];
const commonOf = (visit: Visit) => [visit.orderId, visit.customer, visit.address, visit.workType, visit.priority];

const tables: { name: string; label: Text; rows: () => (string | number)[][] }[] = [
  { name: "plan", label: "data.plan", rows: () => [
    ["technician_id", "technician", "start", "end", ...common, "window_start", "window_end", "promised", "pinned"],
    ...sorted((visit) => visit.technicianId !== null).map((visit) => {
      const window = windowOf(visit);
      return [visit.technicianId ?? "", technicianName(visit.technicianId ?? ""), stamp(visit.startMs), stamp(visit.endMs),
        ...commonOf(visit), stamp(window?.startMs ?? 0), stamp(window?.endMs ?? 0), window?.promised === true ? 1 : 0,
        visit.pinned ? 1 : 0];
    })] },
  { name: "actual", label: "data.actual", rows: () => [
    ["technician_id", "technician", "state", "departed", "begun", "ended", "late_seconds", ...common],
    ...sorted((visit) => visit.departedMs !== 0 || visit.begunMs !== 0).map((visit) => [
      visit.technicianId ?? "", technicianName(visit.technicianId ?? ""), phaseOf(visit), stamp(visit.departedMs),
      stamp(visit.begunMs), isOver(visit) ? stamp(visit.endMs) : "", visit.lateSeconds, ...commonOf(visit)])] },
  { name: "unserved", label: "data.unserved", rows: () => [
    [...common, "window_end", "due", "rule", "why"],
    ...sorted((visit) => visit.technicianId === null && !isOver(visit)).map((visit) => [
      ...commonOf(visit), stamp(windowOf(visit)?.endMs ?? 0), stamp(visit.dueMs), visit.unservedRule, visit.unservedText])] },
];

export function Data() {
  return (
    <div class="cards">
      <p>{t("data.hint")}</p>
      {tables.map(({ name, label, rows }) => (
        <p key={name}>
          <button type="button" data-export={name} onClick={() =>
            saveFile(`${territory.peek()?.id ?? "day"}-${dayToText(serviceDay.peek())}-${name}.csv`, csvOf(rows()))}>
            <Icon name="part" />{t(label)}</button>
        </p>))}
    </div>
  );
}
