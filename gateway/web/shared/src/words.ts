/* words.ts - lengths of time in a reader's words. */
import { t } from "./i18n.ts";

/* "12 min", "1 h 5 min"; whole minutes, rounded up as lateness is. */
export function minutesText(ms: number): string {
  const all = Math.ceil(Math.abs(ms) / 60_000);
  if (all < 60) return t("minutes", { count: all });
  return t("hours", { hours: Math.floor(all / 60), minutes: all % 60 });
}

/* "8 s" below two minutes. */
export function ageText(ms: number): string {
  return ms < 120_000 ? t("seconds", { count: Math.round(ms / 1000) }) : minutesText(ms);
}
