/* list.tsx - what needs attention, by the time until its promise is broken.
 *
 * Rows in which nothing changed are the same nodes as before and are not looked into. Times are told
 * in minutes, so they are told anew once a minute. More rows come as the reader goes down. */
import { computed } from "@preact/signals";
import { useMemo, useState } from "preact/hooks";
import type { JSX } from "preact";
import { Icon } from "@callout/shared/icons";
import { t, tMaybe, tn } from "@callout/shared/i18n";
import { minutesText } from "@callout/shared/words";
import { lateMsOf, type Exception } from "../model/attention.ts";
import { chip, pressChip, selectedTechnicianId, selectedVisitId, selectTechnician, selectVisit } from "../model/selection.ts";
import { isLoaded, nowMinute, zone } from "../model/store.ts";
import { exceptions, heardOf } from "../model/trouble.ts";
import { violationText } from "../edit/reasons.ts";
import { kindIcons } from "./strip.tsx";
import { windowOf } from "../model/status.ts";

const shownMax = 200;
const shownAtOnce = 40;

function urgency(exception: Exception, now: number): string {
  const lateMs = lateMsOf(exception, now);
  if (lateMs > 0 && exception.kind !== "noTechnician")
    return t("list.late", { minutes: minutesText(lateMs) });
  const { technician } = exception;
  if (exception.kind === "noContact" && technician !== null)
    return heardOf(technician) === 0 ? t("list.never")
      : t("list.silent", { minutes: minutesText(now - heardOf(technician)) });
  if (exception.kind === "ruleBroken") return "";
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
    for (const need of visit.needs) parts.push(tMaybe(`need.${need}`));
  }
  if (exception.kind === "ruleBroken")
    for (const one of (visit ?? technician)?.violations ?? []) parts.push(violationText(one, visit?.id ?? ""));
  if (technician !== null && visit !== null) parts.push(technician.name);
  return parts.join(" · ");
}

function Row({ exception }: { exception: Exception }) {
  /* The text alone follows the time. */
  const words = useMemo(() => computed(() => urgency(exception, nowMinute.value)), [exception]);
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
        <span class="exception-urgency">{words}</span>
        <span class="exception-detail">{detail(exception)}</span>
      </button>
    </li>
  );
}

/* A row as it was drawn. */
interface Drawn {
  exception: Exception;
  zone: unknown;
  node: JSX.Element;
}

function isSame(a: Exception, b: Exception): boolean {
  return a.kind === b.kind && a.visit === b.visit && a.technician?.name === b.technician?.name &&
    (a.visit !== null || a.technician === b.technician);
}

class Rows {
  private drawn = new Map<string, Drawn>();

  of(shown: readonly Exception[]): JSX.Element[] {
    const fresh = new Map<string, Drawn>();
    for (const exception of shown) fresh.set(exception.key, this.row(exception));
    this.drawn = fresh;
    return [...fresh.values()].map((one) => one.node);
  }

  private row(exception: Exception): Drawn {
    const before = this.drawn.get(exception.key);
    if (before !== undefined && before.zone === zone.value && isSame(before.exception, exception)) return before;
    return { exception, zone: zone.value, node: <Row key={exception.key} exception={exception} /> };
  }
}

/* The rest comes before the reader is there. */
function isNearEnd(it: HTMLElement): boolean {
  return it.scrollTop + 2 * it.clientHeight > it.scrollHeight;
}

export function ExceptionList() {
  const [rows] = useState(() => new Rows());
  const [room, setRoom] = useState(shownAtOnce);
  const wanted = chip.value;
  const all = exceptions.value;
  const shown = wanted === null ? all : all.filter((one) => one.kind === wanted);
  const most = Math.min(room, shownMax);
  return (
    <aside class="list" id="list" tabIndex={-1} aria-label={t("list.title")}
      onScroll={(event) => { if (room < shown.length && isNearEnd(event.currentTarget)) setRoom(room + shownAtOnce); }}>
      <h2>{t("list.title")} <span class="count">{shown.length}</span>
        {wanted !== null &&
          <button type="button" class="quiet" onClick={() => pressChip(wanted)}>{t("list.clear")}</button>}
      </h2>
      {shown.length === 0 && isLoaded.value &&
        <p class="list-empty">{wanted === null ? t("list.empty") : t("list.emptyKind")}</p>}
      <ol>
        {rows.of(shown.slice(0, most))}
      </ol>
      {shown.length > most && <p class="list-empty">{tn("list.more", shown.length - most)}</p>}
    </aside>
  );
}
