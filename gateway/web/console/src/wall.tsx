/* wall.tsx - the wallboard: what a room reads from five metres. No controls but the way back. */
import { useEffect, useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { addKey } from "@callout/shared/keys";
import { setView } from "@callout/shared/view";
import { toNumber } from "@callout/shared/units";
import { minutesText } from "@callout/shared/words";
import type { Kpis } from "@callout/shared/wire";
import { kindIcons } from "./board/strip.tsx";
import { kinds } from "./model/attention.ts";
import { day, nowMs, serviceDay, territory, zone } from "./model/store.ts";
import { counts, exceptions } from "./model/trouble.ts";
import { isOver } from "./model/status.ts";

const refreshMs = 4_000; // figures are never older than five seconds

function useKpis(): Kpis | null {
  const [kpis, setKpis] = useState<Kpis | null>(null);
  const id = territory.value?.id ?? "", wanted = serviceDay.value;
  useEffect(() => {
    const gone = new AbortController();
    const ask = () => call("Kpis", { territoryId: id, serviceDay: String(wanted) },
      { signal: gone.signal, patienceMs: 0 })
      .then((reply) => setKpis(reply.days?.[0]?.kpis ?? null), () => undefined);
    void ask();
    const timer = setInterval(() => void ask(), refreshMs);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [id, wanted]);
  return kpis;
}

/* -1 and nothing at all: there is nothing to divide by yet. */
function percent(permille: string | undefined): string {
  const value = toNumber(permille);
  return permille === undefined || value < 0 ? t("wall.none") : t("wall.percent", { value: Math.round(value / 10) });
}

function length(us: string | undefined): string {
  return us === undefined || toNumber(us) < 0 ? t("wall.none") : minutesText(toNumber(us) / 1000);
}

function Figure({ label, value }: { label: string; value: string }) {
  return <div class="wall-figure"><dt>{label}</dt><dd>{value}</dd></div>;
}

function Figures() {
  const kpis = useKpis();
  const it = day.value;
  const done = it === null ? 0 : [...it.visits.values()].filter(isOver).length;
  return (
    <dl class="wall-figures">
      <Figure label={t("wall.done")} value={it === null ? t("wall.none") : `${done} / ${it.visits.size}`} />
      <Figure label={t("wall.onTime")} value={percent(kpis?.onTimePermille)} />
      <Figure label={t("wall.firstTime")} value={percent(kpis?.firstTimeFixPermille)} />
      <Figure label={t("wall.working")} value={percent(kpis?.workPermille)} />
      <Figure label={t("wall.travel")} value={percent(kpis?.travelPermille)} />
      <Figure label={t("wall.overtime")} value={length(kpis?.overtimeUs ?? (kpis === null ? undefined : "0"))} />
      <Figure label={t("wall.response")} value={length(kpis?.response?.p50Us)} />
    </dl>
  );
}

export function Wall() {
  const back = () => setView({ view: null }, true);
  useEffect(() => addKey({ key: "Escape", label: "wall.back", run: back }), []);
  return (
    <main class="wall">
      <header>
        <h1>{territory.value?.name}</h1>
        <time>{zone.value.time(nowMs.value)}</time>
        <button type="button" class="quiet" onClick={back}>{t("wall.back")}</button>
      </header>
      <ul class="wall-kinds" aria-label={t("strip.title")}>
        {kinds.map((kind) => (
          <li key={kind} class={`chip-${kind}`} data-empty={counts.value[kind] === 0}>
            <b>{counts.value[kind]}</b><span><Icon name={kindIcons[kind]} />{t(`kind.${kind}`)}</span>
          </li>
        ))}
      </ul>
      <Figures />
      <section class="wall-worst" aria-label={t("wall.worst")}>
        <h2>{t("wall.worst")}</h2>
        <ol>
          {exceptions.value.slice(0, 5).map((one) => (
            <li key={one.key}>
              <Icon name={kindIcons[one.kind]} label={t(`kind.${one.kind}`)} />
              <b>{one.visit?.orderId ?? one.technician?.name}</b>
              <span>{one.visit?.customer || one.visit?.address}</span>
              <span>{one.visit === null ? "" : one.technician?.name}</span>
              <span>{one.brokenMs === Infinity ? "" : minutesText(one.brokenMs - nowMs.value)}</span>
            </li>
          ))}
        </ol>
      </section>
    </main>
  );
}
