import { test } from "node:test";
import assert from "node:assert/strict";
import { dayFromText, dayToText, Zone } from "../src/zone.ts";

const vaduz = new Zone("Europe/Vaduz", "en-GB");
const spring = dayFromText("2026-03-29") ?? 0;
const autumn = dayFromText("2026-10-25") ?? 0;
const plain = dayFromText("2026-11-23") ?? 0;
const hour = 3_600_000;

test("a day has as many hours as its zone gives it", () => {
  const length = (day: number) => {
    const { startMs, endMs } = vaduz.dayBounds(day);
    return (endMs - startMs) / hour;
  };
  assert.deepEqual([plain, spring, autumn].map(length), [24, 23, 25]);
  assert.deepEqual([plain, spring, autumn].map((day) => vaduz.changesOn(day)), [false, true, true]);
});

test("an instant is read in the zone, not in this machine's", () => {
  const ms = Date.UTC(2026, 10, 23, 6, 30);
  assert.equal(vaduz.time(ms), "07:30");
  assert.equal(new Zone("America/St_Johns", "en-GB").time(ms), "03:00");
  assert.equal(vaduz.serviceDay(Date.UTC(2026, 10, 22, 23, 30)), plain);
});

test("of a local time that comes twice the first is meant, of one that never comes the one after", () => {
  assert.equal(vaduz.instant(autumn, 150), Date.UTC(2026, 9, 25, 0, 30));
  assert.equal(vaduz.instant(spring, 150), Date.UTC(2026, 2, 29, 1, 30));
  assert.equal(vaduz.time(vaduz.instant(spring, 150)), "03:30");
});

test("the offset is named, so that the hour that comes twice can be told", () => {
  assert.equal(vaduz.offsetName(Date.UTC(2026, 9, 25, 0, 30)), "GMT+2");
  assert.equal(vaduz.offsetName(Date.UTC(2026, 9, 25, 1, 30)), "GMT+1");
});

test("a day as text comes back, and what is no day is none", () => {
  assert.equal(dayToText(plain), "2026-11-23");
  assert.deepEqual(["2026-02-30", "23.11.2026", "", "2026-1-1"].map(dayFromText), [null, null, null, null]);
});
