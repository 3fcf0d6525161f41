import { test } from "node:test";
import assert from "node:assert/strict";
import deAdmin from "../strings/admin.de.json";
import deBoard from "../strings/de.json";
import deEdit from "../strings/edit.de.json";
import enAdmin from "../strings/admin.en.json";
import enEdit from "../strings/edit.en.json";
import enBoard from "../strings/en.json";
import { preferredLanguage, t, tn } from "../src/i18n.ts";

const german: Record<string, string> = { ...deBoard, ...deEdit, ...deAdmin };
const english: Record<string, string> = { ...enBoard, ...enEdit, ...enAdmin };
const values = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();

test("both catalogs have the same names", () => {
  assert.deepEqual(Object.keys(german).sort(), Object.keys(english).sort());
});

test("no name is in two catalogs", () => {
  assert.equal(Object.keys(english).length, Object.keys(enBoard).length + Object.keys(enEdit).length + Object.keys(enAdmin).length);
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
  assert.ok(same.length < 30, same.join());
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
