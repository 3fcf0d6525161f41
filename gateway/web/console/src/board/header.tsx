/* header.tsx - where and when, what the optimizer does, who is there, how old the data is. */
import { computed } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { lastAnswer } from "@callout/shared/client";
import { clockRate } from "@callout/shared/clock";
import { Icon } from "@callout/shared/icons";
import { t, tn } from "@callout/shared/i18n";
import { logOut, who } from "@callout/shared/session";
import { isDark, setTheme } from "@callout/shared/theme";
import { setView, view } from "@callout/shared/view";
import { ageText } from "@callout/shared/words";
import { dayFromText, dayToText } from "@callout/shared/zone";
import { day, nowMinute, nowSecond, problem, serviceDay, territories, territory, today, zone } from "../model/store.ts";
import type { Day } from "../model/day.ts";
import { helpOpen } from "./keys_help.tsx";
import { ProofButton } from "./proof.tsx";
import { Search } from "./search.tsx";
import { EditActions } from "../edit/edit_actions.tsx";
import { openScreen } from "../edit/state.ts";

function DayPicker() {
  const go = (to: number | null) => setView({ day: to === null || to === today.value ? null : dayToText(to) }, true);
  return (
    <div class="day-picker" role="group" aria-label={t("header.day")}>
      <button type="button" class="iconic" aria-label={t("header.previousDay")} title={t("header.previousDay")}
        onClick={() => go(serviceDay.value - 1)}><Icon name="left" /></button>
      <input type="date" aria-label={t("header.day")} value={dayToText(serviceDay.value)}
        onChange={(event) => go(dayFromText(event.currentTarget.value))} />
      <button type="button" class="iconic" aria-label={t("header.nextDay")} title={t("header.nextDay")}
        onClick={() => go(serviceDay.value + 1)}><Icon name="right" /></button>
      {serviceDay.value !== today.value &&
        <button type="button" onClick={() => go(null)}>{t("header.today")}</button>}
    </div>
  );
}

function TerritoryPicker() {
  const all = territories.value;
  return (
    <select aria-label={t("header.territory")} value={territory.value?.id ?? ""}
      onChange={(event) => setView({ territory: event.currentTarget.value, visit: null, technician: null }, true)}>
      {all.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
    </select>
  );
}

/* "Plan 41 · settled · 12 s ago · 4 changes": what the optimizer knows, in one line. */
function solverText(it: Day): string {
  const { solver } = it;
  const parts = [it.planVersion === 0 ? t("solver.none") : t("solver.plan", { version: it.planVersion })];
  parts.push(solver.settled ? t("solver.settled") : t("solver.searching"));
  if (solver.publishedMs > 0)
    parts.push(t("solver.age", { ago: ageText(Math.max(0, nowSecond.value - solver.publishedMs)) }));
  if (solver.changes > 0) parts.push(tn("solver.changes", solver.changes));
  if (it.policy !== null) parts.push(t("header.policy", { version: it.policy.version ?? 0 }));
  return parts.join(" · ");
}
const solverWords = computed(() => day.value === null ? null : solverText(day.value));
const isSettled = computed(() => day.value?.solver.settled === true);

function SolverState() {
  const words = solverWords.value;
  if (words === null) return null;
  return (
    <p class="solver" data-settled={isSettled.value} title={words}><span class="dot" aria-hidden="true" />{words}</p>
  );
}

const waitingChanges = computed(() => day.value?.solver.proposal?.changes ?? null);

/* A plan waits for somebody to look at it. */
function ProposalButton() {
  if (waitingChanges.value === null) return null;
  return (
    <button type="button" class="proposal-button" onClick={() => openScreen("review")}>
      {tn("proposal.header", waitingChanges.value)}</button>
  );
}

const freshMs = 12_000; // the longest pause between two answers when nothing happens, doubled

function Connection() {
  const [age, setAge] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setAge(performance.now() - lastAnswer.peek()), 1000);
    return () => clearInterval(timer);
  }, []);
  const state = problem.value !== null || age > 30_000 ? "lost" : age > freshMs ? "old" : "live";
  const text = state === "live" ? t("connection.live")
    : state === "old" ? t("connection.age", { age: ageText(age) })
    : problem.value === null || problem.value === "unreachable" ? t("connection.lost", { age: ageText(age) })
    : t("connection.problem", { text: problem.value });
  return <p class="connection" role="status" data-state={state}><span class="dot" aria-hidden="true" />{text}</p>;
}

const isClockChanged = computed(() => zone.value.changesOn(serviceDay.value));

/* The territory's time, or this machine's: a press changes all times of the page. */
function Clock() {
  const it = zone.value;
  const mine = view.value["zone"] === "mine";
  const changes = isClockChanged.value;
  const speed = clockRate() === 1 ? "" : `\u00d7${Math.round(clockRate())}`;
  const label = t(mine ? "header.zoneTerritory" : "header.zoneMine");
  return (
    <button type="button" class="quiet clock" aria-pressed={mine} title={`${t("header.zone", { zone: it.name })}. ${label}`}
      onClick={() => setView({ zone: mine ? null : "mine" })}>
      <time>{it.time(nowMinute.value)}</time>
      {(mine || changes) && <span class="offset">{it.offsetName(nowMinute.value)}</span>}
      {changes && <span class="offset">{t("header.dst")}</span>}
      {speed !== "" && <span class="offset">{speed}</span>}
    </button>
  );
}

export function Header() {
  return (
    <header class="header">
      <h1><span class="mark" aria-hidden="true" /><span class="roomy">{t("app.name")}</span></h1>
      <TerritoryPicker />
      <DayPicker />
      <Clock />
      <SolverState />
      <ProofButton />
      <ProposalButton />
      <span class="header-space" />
      <Search />
      <EditActions />
      <Connection />
      <button type="button" class="iconic" aria-label={t("header.theme")} title={t("header.theme")}
        onClick={() => setTheme(isDark.value ? "light" : "dark")}>
        <Icon name={isDark.value ? "sun" : "moon"} />
      </button>
      <button type="button" class="iconic" aria-label={t("header.help")} title={t("header.help")}
        onClick={() => { helpOpen.value = true; }}><Icon name="help" /></button>
      <button type="button" class="quiet log-out" onClick={() => void logOut()}
        title={t("header.user", { name: who.value?.name ?? "", role: who.value?.role ?? "" })}>
        <Icon name="leave" /><span class="roomy">{t("header.logout")}</span>
      </button>
    </header>
  );
}
