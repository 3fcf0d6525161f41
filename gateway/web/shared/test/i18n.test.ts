import { test } from "node:test";
import assert from "node:assert/strict";
import de from "../strings/de.json";
import en from "../strings/en.json";
import { preferredLanguage, t, tn } from "../src/i18n.ts";

const german = de as Record<string, string>, english = en as Record<string, string>;
const values = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

test("both catalogs have the same names", () => {
  assert.deepEqual(Object.keys(german).sort(), Object.keys(english).sort());
});

test("a text has the same values in both, and none is empty", () => {
  for (const [name, text] of Object.entries(english)) {
    assert.deepEqual(values(german[name] ?? ""), values(text), name);
    assert.notEqual(text.trim(), "", name);
    assert.notEqual((german[name] ?? "").trim(), "", name);
  }
});

test("German is not English left as it was", () => {
  const same = Object.keys(english).filter((name) => english[name] === german[name]);
  assert.ok(same.length < 20, same.join());
});

test("values are put in, plurals chosen", () => {
  assert.equal(tn("gantt.visits", 1), "1 visit");
  assert.equal(tn("gantt.visits", 2), "2 visits");
  assert.equal(t("header.user", { name: "<b>", role: "{name}" }), "<b>, {name}");
});

test("the first of the reader's languages that there is", () => {
  assert.equal(preferredLanguage(["fr-CH", "de-CH", "en"]), "de");
  assert.equal(preferredLanguage(["fr"]), "en");
});
