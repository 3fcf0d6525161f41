/* visit_card.tsx - a visit on the day's list, and the next one with its one big button. */
import { useState } from "preact/hooks";
import { usToMs } from "@callout/shared/units";
import { navigateTo, takeStep } from "../act.ts";
import { Icon } from "../icons.tsx";
import { address } from "../router.ts";
import { now, zone } from "../state.ts";
import { isOver } from "../sync/replica.ts";
import { nextStep, type Shown } from "../sync/view.ts";
import { ageText, t, tMaybe } from "../words.ts";
import { Outcome } from "./outcome.tsx";

export function statusText(visit: Shown): string {
  return tMaybe(`status.${visit.status}`, visit.status);
}

export function Status({ visit }: { visit: Shown }) {
  return (
    <span class={`status is-${visit.status}`}>
      <i aria-hidden="true" />{statusText(visit)}
      {visit.unsent && <Icon name="unsent" label={t("visit.unsent")} />}
    </span>
  );
}

/* "gas · Leak" - what kind of work, for the second line. */
export function workText(visit: Shown): string {
  const { workType, externalId, workOrderId } = visit.order;
  return [workType, externalId || workOrderId].filter(Boolean).join(" · ");
}

/* Where it is, unless its title says so. */
export function secondLine(visit: Shown): string {
  const address = visit.order.site?.address ?? "";
  return address === "" || address === visit.title ? workText(visit) : address;
}

export function StepButton({ visit }: { visit: Shown }) {
  const [closing, setClosing] = useState(false);
  const step = nextStep(visit.status);
  if (step === null) return null;
  return (
    <>
      <button class="primary big" onClick={() => (step === "checkOut" ? setClosing(true) : void takeStep(visit, step))}>
        {t(`step.${step}`)}
      </button>
      {closing && <Outcome visit={visit} onClose={() => setClosing(false)} />}
    </>
  );
}

export function Reach({ visit }: { visit: Shown }) {
  const way = navigateTo(visit), phone = visit.order.contact?.phone ?? "";
  return (
    <div class="pair">
      {way !== "" && (
        <a class="button" href={way} {...(way.startsWith("https") ? { target: "_blank", rel: "noreferrer" } : {})}>
          <Icon name="go" />{t("navigate")}
        </a>
      )}
      {phone !== "" && (
        <a class="button" href={`tel:${phone}`}><Icon name="phone" />{t("call")}</a>
      )}
    </div>
  );
}

export function WindowLine({ visit }: { visit: Shown }) {
  if (visit.window === null) return null;
  const { startMs, endMs, promised } = visit.window;
  const span = zone.value.timeRange(startMs, endMs);
  return <p class="window">{t(promised ? "visit.promised" : "visit.window", { span })}</p>;
}

function AcceptBy({ visit }: { visit: Shown }) {
  const byMs = usToMs(visit.visit.appointment?.assignment?.acceptByUs);
  if (byMs === 0 || nextStep(visit.status) !== "accept") return null;
  return <p class="soft"><Icon name="clock" />{t("visit.acceptBy", { time: zone.value.time(byMs) })}</p>;
}

export function NextCard({ visit }: { visit: Shown }) {
  const lateMs = now.value - (visit.window?.endMs ?? Infinity);
  return (
    <article class="next" aria-label={t("today.next")}>
      <a class="next-head" href={address("visit", visit.id)}>
        <span class="next-time">{zone.value.time(visit.startMs)}</span>
        <Status visit={visit} />
        <h2><bdi>{visit.title}</bdi></h2>
        {visit.order.site?.address !== visit.title && <p><bdi>{visit.order.site?.address}</bdi></p>}
        <p class="soft"><bdi>{workText(visit)}</bdi></p>
      </a>
      <WindowLine visit={visit} />
      <AcceptBy visit={visit} />
      {lateMs > 0 && visit.status !== "ON_SITE" && (
        <p class="late"><Icon name="warn" />{t("visit.lateBy", { age: ageText(lateMs) })}</p>
      )}
      <StepButton visit={visit} />
      <Reach visit={visit} />
    </article>
  );
}

export function VisitRow({ visit, number }: { visit: Shown; number?: number }) {
  const over = isOver(visit.status);
  return (
    <li>
      <a class={`row ${over ? "over" : ""}`} href={address("visit", visit.id)}>
        <span class="row-time">{zone.value.time(visit.startMs)}
          {number !== undefined && <small>{number}</small>}</span>
        <span class="row-text">
          <b><bdi>{visit.title}</bdi></b>
          <span class="soft"><bdi>{secondLine(visit)}</bdi></span>
          <Status visit={visit} />
        </span>
        <Icon name="next" />
      </a>
    </li>
  );
}
