/* words.ts - what the technician reads, from a catalog of this app alone: it is a tenth of the
 * console's, and a phone on a bad line loads every letter.
 *
 * English is built in and is the list of names; German comes as a part of its own. `{name}` stands
 * for a value; what counts has one entry for each plural form: `late.one`, `late.other`.
 */
import { preferredLanguage, type Language } from "./language.ts";
import en from "../strings/en.json";

export type Text = keyof typeof en;
type Counted = Text extends infer Name ? (Name extends `${infer Stem}.other` ? Stem : never) : never;
export type Values = Record<string, string | number>;

let catalog: Partial<Record<Text, string>> = en;
let plurals = new Intl.PluralRules("en");
let current: Language = "en";

export function locale(): string {
  return navigator.languages.find((tag) => tag.split("-")[0] === current) ?? current;
}

export async function loadLanguage(wanted = preferredLanguage(navigator.languages)): Promise<void> {
  try {
    catalog = wanted === "de" ? { ...en, ...(await import("../strings/de.json")).default } : en;
    current = wanted;
  } catch {
    /* that part was lost on the way: English is better than nothing */
  }
  plurals = new Intl.PluralRules(current);
  document.documentElement.lang = current;
}

export function t(name: Text, values?: Values): string {
  const text = catalog[name] ?? en[name];
  if (values === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (whole, key: string) => String(values[key] ?? whole));
}

/* A text that counts: `{count}` is in it. */
export function tn(stem: Counted, count: number): string {
  const form = `${stem}.${plurals.select(count)}` as Text;
  return t((catalog[form] === undefined ? `${stem}.other` : form) as Text, { count });
}

/* Of names that are made, such as of an enum: `otherwise` where the catalog lacks it. */
export function tMaybe(name: string, otherwise: string): string {
  return (catalog as Record<string, string>)[name] ?? (en as Record<string, string>)[name] ?? otherwise;
}

/* "8 s", "12 min", "1 h 5 min". */
export function ageText(ms: number): string {
  const minutes = Math.floor(Math.max(ms, 0) / 60_000);
  if (minutes < 1) return t("seconds", { count: Math.floor(Math.max(ms, 0) / 1000) });
  if (minutes < 60) return t("minutes", { count: minutes });
  if (minutes < 48 * 60) return t("hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
  return tn("days", Math.floor(minutes / 1440));
}
