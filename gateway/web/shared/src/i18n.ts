/* i18n.ts - what is shown to people, from a catalog per language.
 *
 * The English catalog is built in and is the list of names; another language comes as a part of its
 * own before anything is drawn. `{name}` stands for a value. A text that counts has one entry for
 * each of its language's plural forms: `late.one`, `late.other`.
 */
import board from "../strings/en.json";
import admin from "../strings/admin.en.json";
import edit from "../strings/edit.en.json";

const en = { ...board, ...edit, ...admin };

export type Text = keyof typeof en;
type Counted = Text extends infer Name ? (Name extends `${infer Stem}.other` ? Stem : never) : never;
export type Values = Record<string, string | number>;

const languages = ["en", "de"] as const;
export type Language = (typeof languages)[number];

let catalog: Partial<Record<Text, string>> = en;
let plurals = new Intl.PluralRules("en");
let numbers = new Intl.NumberFormat("en");
let current: Language = "en";

export function language(): Language {
  return current;
}

/* The locale for dates and numbers: the browser's own variant of the language, such as de-AT. */
export function locale(): string {
  return navigator.languages.find((tag) => tag.split("-")[0] === current) ?? current;
}

/* The first of the reader's languages that we have. */
export function preferredLanguage(tags: readonly string[]): Language {
  for (const tag of tags) {
    const found = languages.find((one) => one === tag.toLowerCase().split("-")[0]);
    if (found !== undefined) return found;
  }
  return "en";
}

export async function loadLanguage(wanted: Language): Promise<void> {
  const files = wanted === "de"
    ? await Promise.all([import("../strings/de.json"), import("../strings/edit.de.json"),
      import("../strings/admin.de.json")]) : [];
  catalog = Object.assign({}, en, ...files.map((file) => file.default)) as typeof en;
  current = wanted;
  plurals = new Intl.PluralRules(wanted);
  numbers = new Intl.NumberFormat(locale());
  document.documentElement.lang = wanted;
}

function fill(text: string, values: Values | undefined): string {
  if (values === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers.format(value) : value;
  });
}

export function t(name: Text, values?: Values): string {
  return fill(catalog[name] ?? en[name], values);
}

/* A text that counts: `{count}` is in it. */
export function tn(stem: Counted, count: number, values?: Values): string {
  const form = `${stem}.${plurals.select(count)}` as Text;
  const name = (catalog[form] === undefined ? `${stem}.other` : form) as Text;
  return t(name, { ...values, count });
}

/* Of names that are made, such as of an enum: the name itself where the catalog lacks it. */
export function tMaybe(name: string): string {
  return (catalog as Record<string, string>)[name] ?? (en as Record<string, string>)[name] ?? name;
}
