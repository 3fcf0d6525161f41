import assert from "node:assert/strict";
import { test } from "node:test";
import de from "../strings/de.json";
import en from "../strings/en.json";

test("both languages have the same texts with the same values in them", () => {
  assert.deepEqual(Object.keys(de), Object.keys(en));
  const values = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
  for (const [name, text] of Object.entries(en))
    assert.deepEqual(values((de as Record<string, string>)[name] ?? ""), values(text), name);
});
