/* language.ts - the first of the reader's languages that we have. */
const languages = ["en", "de"] as const;
export type Language = (typeof languages)[number];

export function preferredLanguage(tags: readonly string[]): Language {
  for (const tag of tags) {
    const found = languages.find((one) => one === tag.toLowerCase().split("-")[0]);
    if (found !== undefined) return found;
  }
  return "en";
}
