/* reasons.ts - what is broken, moved and dearer, in a reader's words.
 *
 * The server says which rule by how much; the sentence is made here, in the reader's language. */
import { t, tMaybe, tn } from "@callout/shared/i18n";
import { toNumber, usToMs } from "@callout/shared/units";
import { minutesText } from "@callout/shared/words";
import type { CostParts, KnockOn, Move, Rule, Violation } from "@callout/shared/wire";
import type { Visit } from "../model/day.ts";
import { day, zone } from "../model/store.ts";

export function orderName(appointmentId: string | undefined): string {
  const visit = day.peek()?.visits.get(appointmentId ?? "");
  if (visit === undefined) return appointmentId ?? "";
  return visit.customer === "" ? visit.orderId : `${visit.orderId} ${visit.customer}`;
}

export function technicianName(technicianId: string | undefined): string {
  if (technicianId === undefined || technicianId === "") return t("list.nobody");
  return day.peek()?.technicians.get(technicianId)?.name ?? technicianId;
}

/* `about`: the order that the reader looks at, which needs no name. */
export function violationText(violation: Violation, about: string): string {
  const rule: Rule = violation.rule ?? "RULE_UNSPECIFIED";
  const amount = toNumber(violation.amount);
  const text = rule === "RULE_SKILL"
    ? t("broken.RULE_SKILL", { skill: violation.skill ?? "", levels: Math.max(1, amount) })
    : tMaybe(`broken.${rule}`).replace("{minutes}", minutesText(amount * 1000));
  const other = violation.appointmentId;
  return other === undefined || other === "" || other === about ? text
    : t("broken.other", { order: orderName(other), text });
}

export function knockOnText(one: KnockOn): string {
  const late = one.lateSeconds === undefined ? 0 : toNumber(one.lateSeconds);
  const times = { order: orderName(one.appointmentId), before: zone.peek().time(usToMs(one.startBeforeUs)),
    after: zone.peek().time(usToMs(one.startAfterUs)) };
  return late > 0 ? t("knock.late", { ...times, late: minutesText(late * 1000) }) : t("knock.moved", times);
}

export interface Verdict {
  broken: string[]; // rules; a reason is needed for these
  late: string[]; // who becomes late, itself included
  moved: number; // so many others start at another time
}

/* How far a start lies outside of all windows that count; 0: it does not. A start that a person asks
 * for outdoes windows on the server, so it is the page that says so. */
export function outsideMs(visit: Visit, startMs: number): { ms: number; promised: boolean; after: boolean } {
  const promised = visit.windows.filter((window) => window.promised);
  const counted = promised.length > 0 ? promised : visit.windows;
  let best = { ms: counted.length > 0 && startMs > 0 ? Infinity : 0, promised: promised.length > 0, after: true };
  for (const window of counted) {
    const after = startMs > window.endMs;
    const ms = Math.max(0, after ? startMs - window.endMs : window.startMs - startMs);
    if (ms < best.ms) best = { ...best, ms, after };
  }
  return best;
}

function outsideText(visit: Visit, startMs: number): string | null {
  const { ms, promised, after } = outsideMs(visit, startMs);
  if (ms < 60_000) return null;
  const minutes = minutesText(ms);
  if (promised) return t(after ? "outside.promisedAfter" : "outside.promisedBefore", { minutes });
  return t(after ? "outside.after" : "outside.before", { minutes });
}

export function verdictOf(move: Move, about: string): Verdict {
  const late: string[] = [];
  const visit = day.peek()?.visits.get(about);
  const outside = visit === undefined || (move.violations ?? []).some((one) => one.rule === "RULE_WINDOW")
    ? null : outsideText(visit, usToMs(move.startUs));
  if (outside !== null) late.push(outside);
  else if (toNumber(move.lateSeconds) > 0)
    late.push(t("knock.itself", { late: minutesText(toNumber(move.lateSeconds) * 1000) }));
  for (const one of move.knockOn ?? []) if (one.becomesLate === true) late.push(knockOnText(one));
  return {
    broken: (move.violations ?? []).map((one) => violationText(one, about)),
    late, moved: (move.knockOn ?? []).length,
  };
}

export function knockOnCount(move: Move): string {
  const late = (move.knockOn ?? []).filter((one) => one.becomesLate === true).length;
  if (late > 0) return tn("knock.becomeLate", late);
  const moved = (move.knockOn ?? []).length;
  return moved > 0 ? tn("knock.others", moved) : t("knock.none");
}

/* "+12 min", "−3 min", "±0": of a sum of seconds. */
export function signedMinutes(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  if (minutes === 0) return "\u00b10";
  return `${minutes > 0 ? "+" : "\u2212"}${minutesText(Math.abs(minutes) * 60_000)}`;
}

const parts = [
  "travel", "overtime", "lateness", "preferredWindow", "preferredTechnician", "unserved",
  "changeTechnician", "changeStart",
] as const;

/* The parts of a cost that are not zero, largest first. */
export function costLines(cost: CostParts | undefined): { label: string; text: string }[] {
  return parts.map((part) => ({ part, seconds: toNumber(cost?.[part]) }))
    .filter(({ seconds }) => Math.abs(seconds) >= 30)
    .sort((a, b) => Math.abs(b.seconds) - Math.abs(a.seconds))
    .map(({ part, seconds }) => ({ label: t(`cost.${part}`), text: signedMinutes(seconds) }));
}
