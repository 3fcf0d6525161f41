/* outbox.tsx - what is not with the server yet and since when, and what it took otherwise. */
import { Icon } from "../icons.tsx";
import { device, now, tell, visits, zone } from "../state.ts";
import { freshness } from "../stamp.tsx";
import { bodyOf, needsLook, wasApplied } from "../sync/outbox.ts";
import type { CommandBody, CommandRow } from "../sync/rows.ts";
import { subjectOf } from "../sync/view.ts";
import { Empty, Head, Section } from "../ui.tsx";
import { ageText, t, tMaybe } from "../words.ts";
import { statusText } from "./visit_card.tsx";

export function commandText(body: CommandBody): string {
  if (body.status !== undefined) return tMaybe(`status.${body.status.status ?? ""}`, body.status.status ?? "");
  const kind = Object.keys(body).find((name) => typeof body[name as keyof CommandBody] === "object");
  return tMaybe(`command.${kind ?? ""}`, kind ?? "");
}

/* What he wrote, so that it can be said again in other words. */
function wordsOf(body: CommandBody): string {
  const { message, note, status, need, decline, followUp, answer } = body;
  return message?.text ?? note?.text ?? status?.reason ?? need?.text ?? decline?.reason ??
    followUp?.note ?? answer?.value ?? "";
}

function titleOfVisit(id: string): string {
  return visits.value.find((one) => one.id === id)?.title ?? id;
}

function Waiting({ row }: { row: CommandRow }) {
  const body = bodyOf(row), id = subjectOf(body);
  return (
    <li class="row">
      <span class="row-text">
        <b>{commandText(body)}</b>
        {id !== "" && <span class="soft"><bdi>{titleOfVisit(id)}</bdi></span>}
      </span>
      <span class="soft">{t("outbox.since", { age: ageText(now.value - row.savedMs) })}</span>
    </li>
  );
}

function reasonsOf({ refused, result }: CommandRow): string[] {
  if (refused !== undefined) return [refused.why];
  return (result?.errors ?? []).map(({ field, problem }) => [field, problem].filter(Boolean).join(" "));
}

/* Both sides of it, and a yes that it was seen. */
function Clash({ row }: { row: CommandRow }) {
  const body = bodyOf(row), id = subjectOf(body);
  const there = visits.value.find((one) => one.id === id);
  const outcome = row.result?.outcome ?? "";
  return (
    <li class="clash">
      <h3><Icon name="warn" />{tMaybe(`clash.${outcome}`, outcome)}</h3>
      <dl>
        <dt>{t("clash.you", { time: zone.value.time(body.happenedMs) })}</dt>
        <dd>{commandText(body)}{id !== "" && <> · <bdi>{titleOfVisit(id)}</bdi></>}
          {wordsOf(body) !== "" && <p class="words"><bdi>{wordsOf(body)}</bdi></p>}</dd>
        <dt>{t(row.refused === undefined ? "clash.server" : "clash.why")}</dt>
        <dd>{there === undefined ? (id === "" ? "" : t("clash.notYours")) : statusText(there)}
          {row.refused === undefined && row.result?.text && <p><bdi>{row.result.text}</bdi></p>}
          {reasonsOf(row).map((reason) => <p><bdi>{reason}</bdi></p>)}</dd>
      </dl>
      <button onClick={() => void device().settle(row.seq)}>{t("clash.seen")}</button>
    </li>
  );
}

export function Outbox() {
  const engine = device();
  const { live, lastMs } = freshness();
  const all = engine.outbox.all();
  const waiting = all.filter((row) => row.seq > engine.outbox.mark.ackedSeq);
  const odd = all.filter(needsLook);
  const refused = odd.filter(({ result }) => result !== undefined && !wasApplied(result));
  const clashes = odd.filter((row) => !refused.includes(row));
  const photos = engine.blobs.all();
  const retry = () => {
    void engine.retryPhotos().then(() => engine.nudge(true), () => undefined);
    tell(t("outbox.trying"));
  };
  return (
    <>
      <Head title={t("outbox.title")} back="today" />
      <p class={`notice ${live ? "good" : ""}`}>
        <Icon name={live ? "sent" : "quiet"} />
        <span>{live ? t("outbox.live") : lastMs === 0 ? t("stamp.never")
          : t("outbox.silent", { time: zone.value.dayAndTime(lastMs), age: ageText(now.value - lastMs) })}</span>
      </p>
      {engine.trouble !== "" && (
        <p class="notice urgent" role="alert"><Icon name="warn" /><span>{t("outbox.trouble")}</span></p>
      )}
      {refused.length > 0 && (
        <Section title={t("outbox.notTaken")} count={refused.length}>
          <ul class="clashes">{refused.map((row) => <Clash key={row.seq} row={row} />)}</ul>
        </Section>
      )}
      {clashes.length > 0 && (
        <Section title={t("outbox.clashes")} count={clashes.length}>
          <ul class="clashes">{clashes.map((row) => <Clash key={row.seq} row={row} />)}</ul>
        </Section>
      )}
      <Section title={t("outbox.waiting")} count={waiting.length + photos.length}>
        {waiting.length + photos.length === 0 ? <Empty text={t("outbox.empty")} /> : (
          <>
            <ul class="rows">
              {waiting.map((row) => <Waiting key={row.seq} row={row} />)}
              {photos.map((row) => (
                <li class="row" key={row.sha256}>
                  <span class="row-text"><b>{t("command.attachment")}</b>
                    <span class="soft"><bdi>{titleOfVisit(row.appointmentId)}</bdi></span></span>
                  <span class="soft">{row.refused !== undefined ? t("outbox.refused")
                    : `${Math.floor((100 * row.received) / row.bytes.byteLength)} %`}</span>
                </li>
              ))}
            </ul>
            <button class="big" onClick={retry}>{t("outbox.retry")}</button>
          </>
        )}
      </Section>
    </>
  );
}
