/* span.ts - lengths of time from seconds to years, in one number of a fitting unit. */
import { locale } from "@callout/shared/i18n";

const units = [["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]] as const;

/* "3 days", "90 seconds": at least two of its unit, so that little is lost. */
export function spanText(ms: number): string {
  const [unit, length] = units.find(([, one]) => Math.abs(ms) >= 2 * one) ?? units[3];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(Math.floor(Math.abs(ms) / length));
}
