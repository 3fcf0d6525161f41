/* day.test.ts - a technician's day on a phone that is offline, killed, updated, revoked.
 *
 * Measured and printed, never asserted (other tests run beside): a tap until it is saved, and an
 * offline start until the day can be used.
 */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { awaitStatus, big, nextId, serve, statusOf, tap, unsent } from "./hands.ts";
import { browser, key, openRoom, system } from "./room.ts";
import { ask, awaitWorker, openPhone, reopen, shoot } from "./system.ts";

interface Feed {
  events?: { kind?: string; subject?: string; text?: string }[];
}

openRoom(2);

/* Both with the page's own clock: from the tap to the word that it is saved. */
function savedMs(page: Page): Promise<number> {
  return page.evaluate((button) => new Promise<number>((resolve) => {
    const from = performance.now();
    new MutationObserver((_, observer) => {
      if (document.querySelector(".toast") === null) return;
      observer.disconnect();
      resolve(performance.now() - from);
    }).observe(document.body, { childList: true, subtree: true });
    document.querySelector<HTMLButtonElement>(button)?.click();
  }), big);
}

test("a day without signal is kept, through kills, and comes to the server once and in order", async () => {
  const phone = await openPhone(browser, system, "T01");
  await awaitWorker(phone);
  const first = await nextId(phone.page);
  await phone.context.setOffline(true);
  const saved = await savedMs(phone.page);
  await phone.page.waitForSelector(`${big}:has-text("On my way")`);
  await tap(phone.page, "On my way");
  await phone.page.waitForSelector(`${big}:has-text("Check in")`);
  const from = Date.now();
  await reopen(phone, system.base);
  await phone.page.waitForSelector(`${big}:has-text("Check in")`);
  console.log(`note: a tap is saved in ${saved.toFixed(0)} ms, an offline start takes ${Date.now() - from} ms`);
  await tap(phone.page, "Check in");
  await tap(phone.page, "Check out");
  await phone.page.click("dialog[open] .primary.big");
  await phone.page.waitForSelector(".row.over");
  assert.notEqual(await nextId(phone.page), first);
  await serve(phone.page);
  assert.ok((await unsent(phone.page)) >= 8);
  assert.notEqual(await statusOf(system, key, first), "COMPLETED");
  await phone.page.click(".stamp");
  await phone.page.waitForSelector(".rows .row");
  await shoot(phone.page, "offline-outbox");
  await reopen(phone, system.base);
  await phone.context.setOffline(false);
  await awaitStatus(system, key, first, "COMPLETED");
  await phone.page.waitForSelector(".stamp.live:has-text('Up to date')");
  assert.equal(await unsent(phone.page), 0);
  const { events } = await ask<Feed>(system, key, "EventFeed", { afterSeq: "0" });
  const said = (events ?? []).filter((one) => one.subject === first && one.kind === "status");
  assert.deepEqual(said.map((one) => one.text),
    ["accepted", "en route", "on site", "completed"].map((word) => `${first} is ${word}`));
  assert.deepEqual(phone.errors, []);
  assert.deepEqual(phone.foreign, []);
  await phone.context.close();
});

/* Another build of the same app: its worker names another version, its page says so. */
function release(): void {
  const change = (name: string, from: RegExp, to: string) => {
    const file = join(system.web, "technician", name), text = readFileSync(file, "utf8");
    assert.match(text, from);
    writeFileSync(file, text.replaceAll(from, to));
    rmSync(`${file}.gz`);
  };
  change("sw.js", /"[A-Z2-7]{8}"/g, '"BUILDTWO"');
  change("index.html", /<title>Callout/g, "<title>Callout two");
}

async function awaitRelease(): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const text = await (await fetch(`${system.base}/technician/sw.js`)).text();
    if (text.includes("BUILDTWO")) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("the gateway does not give the new files away");
}

test("a new version takes over with a full outbox, and nothing of it is lost", async () => {
  const phone = await openPhone(browser, system, "T01");
  await awaitWorker(phone);
  await phone.page.route("**/api/**", (route) => route.abort()); // only the server's data is away
  await phone.page.click(".tabs a:nth-child(4)");
  for (const text of ["one", "two", "three"]) {
    await phone.page.fill(".add textarea", text);
    await phone.page.click(".add button");
    await phone.page.waitForSelector(`.mine:has-text("${text}")`);
  }
  const count = await unsent(phone.page);
  assert.ok(count >= 3);
  release();
  system.renew();
  await awaitRelease();
  await phone.page.evaluate(async () => void (await (await navigator.serviceWorker.ready).update()));
  await phone.page.waitForSelector(".notice button");
  await phone.page.click(".notice button");
  for (let tries = 0; (await phone.page.title().catch(() => "")) !== "Callout two"; tries++) {
    assert.ok(tries < 600, "the page is not loaded again");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await phone.page.waitForSelector(".mine:has-text('three')");
  assert.equal(await unsent(phone.page), count);
  await phone.page.unroute("**/api/**");
  await phone.page.evaluate(() => void dispatchEvent(new Event("online"))); // it need not wait
  await phone.page.waitForSelector(".stamp:has-text('Up to date')");
  const { messages } = await ask<{ messages?: { text?: string }[] }>(system, key, "Messages",
    { territoryId: "north", technicianId: "T01" });
  assert.deepEqual((messages ?? []).map((one) => one.text).sort(), ["one", "three", "two"]);
  await phone.context.close();
});

test("a device that was revoked keeps nothing", async () => {
  const phone = await openPhone(browser, system, "T02");
  const device = await phone.page.evaluate(() => new Promise<string>((resolve) => {
    const opening = indexedDB.open("callout-technician");
    opening.onsuccess = () => {
      const reading = opening.result.transaction("meta").objectStore("meta").get("identity");
      reading.onsuccess = () => {
        opening.result.close();
        resolve(reading.result.deviceId);
      };
    };
  }));
  await system.admin("revoke", device);
  await phone.page.waitForSelector(".enrol .notice");
  const rows = await phone.page.evaluate(() => new Promise<number>((resolve) => {
    const opening = indexedDB.open("callout-technician");
    opening.onsuccess = () => {
      const db = opening.result, transaction = db.transaction([...db.objectStoreNames]);
      let sum = 0;
      for (const name of db.objectStoreNames) {
        const counting = transaction.objectStore(name).count();
        counting.onsuccess = () => (sum += counting.result);
      }
      transaction.oncomplete = () => {
        db.close();
        resolve(sum);
      };
    };
  }));
  assert.equal(rows, 0);
  await phone.context.close();
});
