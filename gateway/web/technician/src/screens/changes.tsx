/* changes.tsx - what became of the day since he last said yes to it: added, removed, moved, and why. */
import { useEffect } from "preact/hooks";
import { Icon } from "../icons.tsx";
import { acceptPlan, seePlan } from "../plan_acks.ts";
import { address } from "../router.ts";
import { device, visits, zone } from "../state.ts";
import type { ChangeRow } from "../sync/rows.ts";
import { Empty, Head, Section } from "../ui.tsx";
import { t, tMaybe } from "../words.ts";

const icons = { added: "plus", removed: "close", moved: "changes" } as const;

function whyText({ why, cancelled }: ChangeRow): string {
  if (cancelled) return t("why.CHANGE_CANCELLED");
  if (why === null) return "";
  const text = tMaybe(`why.${why.reason ?? ""}`, "");
  return why.actor ? `${text}: ${why.actor}` : text;
}

function Times({ row }: { row: ChangeRow }) {
  const time = (ms: number) => zone.value.serviceDay(ms) === zone.value.serviceDay(row.atMs)
    ? zone.value.time(ms) : zone.value.dayAndTime(ms);
  return (
    <span class="times">
      {row.beforeMs !== 0 && <s>{time(row.beforeMs)}</s>}
      {row.beforeMs !== 0 && row.afterMs !== 0 && <span aria-label={t("changes.to")}> → </span>}
      {row.afterMs !== 0 && <b>{time(row.afterMs)}</b>}
    </span>
  );
}

function Change({ row }: { row: ChangeRow }) {
  const there = visits.value.some((one) => one.id === row.appointmentId);
  const text = (
    <>
      <span class={`sign ${row.kind}`}><Icon name={icons[row.kind]} /></span>
      <span class="row-text">
        <span class="soft">{t(`changes.${row.kind}`)}{row.urgent && !row.accepted && <em>{t("changes.soon")}</em>}</span>
        <b><bdi>{row.title}</bdi></b>
        <Times row={row} />
        {whyText(row) !== "" && <span class="soft">{whyText(row)}</span>}
      </span>
    </>
  );
  return <li>{there ? <a class="row" href={address("visit", row.appointmentId)}>{text}</a> : <div class="row">{text}</div>}</li>;
}

export function Changes() {
  const rows = [...device().replica.changes.values()].sort((one, other) => other.atMs - one.atMs);
  const open = rows.filter((row) => !row.accepted), known = rows.filter((row) => row.accepted);
  const urgent = open.some((row) => row.urgent);
  const seq = Math.max(0, ...open.map((row) => row.seq));
  useEffect(() => {
    if (seq > 0) void seePlan(seq);
  }, [seq]);
  return (
    <>
      <Head title={t("changes.title")} />
      {open.length === 0 && <Empty text={t("changes.none")} />}
      {open.length > 0 && (
        <Section title={t("changes.open")} count={open.length}>
          <ul class="rows">{open.map((row) => <Change key={row.appointmentId} row={row} />)}</ul>
        </Section>
      )}
      {open.length > 0 && (
        <>
          <button class="primary big" onClick={() => void acceptPlan(open)}>
            {t(urgent ? "changes.accept" : "changes.seen")}
          </button>
          <a class="button" href={address("messages")}><Icon name="chat" />{t("changes.ask")}</a>
        </>
      )}
      {known.length > 0 && (
        <Section title={t("changes.known")} count={known.length}>
          <ul class="rows">{known.map((row) => <Change key={row.appointmentId} row={row} />)}</ul>
        </Section>
      )}
    </>
  );
}
