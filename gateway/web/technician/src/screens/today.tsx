/* today.tsx - the first screen: the next visit with what is to do, then the rest of the route. */
import { NextCard, VisitRow } from "./visit_card.tsx";
import { Icon } from "../icons.tsx";
import { address } from "../router.ts";
import { device, route, today, zone } from "../state.ts";
import { needsLook } from "../sync/outbox.ts";
import { Empty, Section } from "../ui.tsx";
import { t, tn } from "../words.ts";

function Notices() {
  const engine = device();
  const open = [...engine.replica.changes.values()].filter((row) => !row.accepted);
  const urgent = open.some((row) => row.urgent);
  const unread = [...engine.replica.messages.values()].filter((row) => row.read !== true).length;
  const odd = engine.outbox.all().filter(needsLook).length;
  return (
    <>
      {open.length > 0 && (
        <a class={`notice link ${urgent ? "urgent" : ""}`} href={address("changes")}>
          <Icon name={urgent ? "warn" : "changes"} />
          <span>{tn("changes.some", open.length)}{urgent && <small>{t("changes.urgent")}</small>}</span>
          <Icon name="next" />
        </a>
      )}
      {odd > 0 && (
        <a class="notice link" href={address("outbox")}>
          <Icon name="warn" /><span>{tn("outbox.odd", odd)}</span><Icon name="next" />
        </a>
      )}
      {unread > 0 && (
        <a class="notice link" href={address("messages")}>
          <Icon name="chat" /><span>{tn("messages.unread", unread)}</span><Icon name="next" />
        </a>
      )}
    </>
  );
}

export function Today() {
  const { next, open, done, later } = route.value;
  const first = next === null ? 1 : 2;
  return (
    <>
      <div class="screen-head">
        <h1>{t("today.title")}</h1>
        <span class="soft">{zone.value.dayName(today.value)}</span>
      </div>
      <Notices />
      {next !== null ? <NextCard key={next.id} visit={next} /> : (
        <Empty text={device().syncedMs === 0 ? t("today.loading")
          : done.length > 0 ? t("today.allDone") : t("today.nothing")} />
      )}
      {open.length > 0 && (
        <Section title={t("today.then")} count={open.length}>
          <ol class="rows">{open.map((one, index) =>
            <VisitRow key={one.id} visit={one} number={index + first} />)}</ol>
        </Section>
      )}
      {done.length > 0 && (
        <Section title={t("today.done")} count={done.length}>
          <ol class="rows">{done.map((one) => <VisitRow key={one.id} visit={one} />)}</ol>
        </Section>
      )}
      {later.length > 0 && (
        <details class="section">
          <summary>{t("today.later")}<span class="count">{later.length}</span></summary>
          <ol class="rows">{later.map((one) => <VisitRow key={one.id} visit={one} />)}</ol>
        </details>
      )}
    </>
  );
}
