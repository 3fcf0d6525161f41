/* list.tsx - what needs attention, by the time until its promise is broken. */
import { Icon } from "@callout/shared/icons";
import { t, tMaybe, tn } from "@callout/shared/i18n";
import { minutesText } from "@callout/shared/words";
import type { Exception } from "../model/attention.ts";
import { chip, pressChip, selectedTechnicianId, selectedVisitId, selectTechnician, selectVisit } from "../model/selection.ts";
import { day, nowMs, zone } from "../model/store.ts";
import { exceptions, heardOf } from "../model/trouble.ts";
import { kindIcons } from "./strip.tsx";
import { windowOf } from "../model/status.ts";

const shownMax = 200;

/* Minutes are what a reader compares; so they change once a minute, and so does the row. */
function urgency(exception: Exception, now: number): string {
  if (exception.lateMs > 0 && exception.kind !== "noTechnician")
    return t("list.late", { minutes: minutesText(exception.lateMs) });
  const { technician } = exception;
  if (exception.kind === "noContact" && technician !== null)
    return heardOf(technician) === 0 ? t("list.never")
      : t("list.silent", { minutes: minutesText(now - heardOf(technician)) });
  if (exception.brokenMs === Infinity) return t("list.noPromise");
  const minutes = minutesText(exception.brokenMs - now);
  return exception.brokenMs > now ? t("list.brokenIn", { minutes }) : t("list.brokenSince", { minutes });
}

function detail(exception: Exception): string {
  const { visit, technician } = exception;
  const parts: string[] = [];
  if (visit !== null) {
    const window = windowOf(visit);
    if (window !== null) parts.push(zone.value.timeRange(window.startMs, window.endMs));
    if (visit.workType !== "") parts.push(visit.workType);
    if (exception.kind === "noTechnician")
      parts.push(tMaybe(`rule.${visit.unservedRule}`));
  }
  if (technician !== null && visit !== null) parts.push(technician.name);
  return parts.join(" · ");
}

function Row({ exception, now }: { exception: Exception; now: number }) {
  const { visit, technician, kind } = exception;
  const selected = visit !== null ? selectedVisitId.value === visit.id
    : selectedVisitId.value === null && selectedTechnicianId.value === technician?.id;
  const select = () => visit !== null ? selectVisit(visit.id) : selectTechnician(technician?.id ?? null);
  return (
    <li>
      <button type="button" class={`exception kind-${kind}`} aria-current={selected} onClick={select}
        data-key={exception.key}>
        <Icon name={kindIcons[kind]} label={t(`kind.${kind}`)} />
        <span class="exception-title">
          {visit?.emergency === true && <Icon name="urgent" label={t("gantt.barUrgent")} />}
          <b>{visit?.orderId ?? technician?.name}</b> {visit?.customer || visit?.address}
        </span>
        <span class="exception-urgency">{urgency(exception, now)}</span>
        <span class="exception-detail">{detail(exception)}</span>
      </button>
    </li>
  );
}

export function ExceptionList() {
  const wanted = chip.value;
  const all = exceptions.value;
  const shown = wanted === null ? all : all.filter((one) => one.kind === wanted);
  return (
    <aside class="list" id="list" tabIndex={-1} aria-label={t("list.title")}>
      <h2>{t("list.title")} <span class="count">{shown.length}</span>
        {wanted !== null &&
          <button type="button" class="quiet" onClick={() => pressChip(wanted)}>{t("list.clear")}</button>}
      </h2>
      {shown.length === 0 && day.value !== null &&
        <p class="list-empty">{wanted === null ? t("list.empty") : t("list.emptyKind")}</p>}
      <ol>
        {shown.slice(0, shownMax).map((one) => <Row key={one.key} exception={one} now={nowMs.value} />)}
      </ol>
      {shown.length > shownMax && <p class="list-empty">{tn("list.more", shown.length - shownMax)}</p>}
    </aside>
  );
}

