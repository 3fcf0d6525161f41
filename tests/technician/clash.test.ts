/* clash.test.ts - what phones say and the server sees otherwise: two technicians who swap while both
 * are offline, and words that the server cannot read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { awaitStatus, nextId, serve, show, standingOf, unsent, until } from "./hands.ts";
import { browser, key, openRoom, system } from "./room.ts";
import { ask, awaitWorker, openPhone, reopen, shoot, type Phone } from "./system.ts";

interface Conflicts {
  conflicts?: { appointmentId?: string }[];
}
interface Letters {
  letters?: { technicianId?: string; command?: object }[];
}

openRoom(2);

test("two technicians who swap while both are offline: both are heard, each sees what became of it", async () => {
  const phones: Phone[] = [];
  for (const technician of ["T01", "T02"]) phones.push(await openPhone(browser, system, technician));
  for (const phone of phones) {
    await awaitWorker(phone);
    await phone.context.setOffline(true);
    await reopen(phone, system.base); // a poll that was held might still be answered
  }
  const ids = await Promise.all(phones.map(({ page }) => nextId(page)));
  const [one, other] = [ids[0] ?? "", ids[1] ?? ""];
  await ask(system, key, "Assign", { appointmentId: one, technicianId: "T02", overrideReason: "swap" });
  await ask(system, key, "Assign", { appointmentId: other, technicianId: "T01", overrideReason: "swap" });
  for (const [index, { page }] of phones.entries()) {
    assert.equal(await nextId(page), ids[index], "the phone heard of it");
    await serve(page);
  }
  for (const phone of phones) await phone.context.setOffline(false);
  for (const id of ids) await awaitStatus(system, key, id, "COMPLETED");
  assert.equal((await standingOf(system, key, one)).technician, "T01", "it is his who did it");
  assert.equal((await standingOf(system, key, other)).technician, "T02", "it is his who did it");
  const { conflicts } = await ask<Conflicts>(system, key, "Conflicts", { territoryId: "north" });
  assert.deepEqual(new Set((conflicts ?? []).map((it) => it.appointmentId)), new Set(ids));
  const { letters } = await ask<Letters>(system, key, "DeadLetters", { territoryId: "north" });
  assert.deepEqual(letters ?? [], []);
  for (const { page } of phones) {
    await show(page, "today");
    await page.click(".notice.link[href='#/outbox']");
    await page.waitForSelector(".clash");
    assert.match(await page.locator(".clash").first().innerText(), /You, .*Server, now/s);
    await shoot(page, "clash");
  }
  for (const { page, errors, context } of phones) {
    await until(() => unsent(page), (count) => count === 0, "all is sent");
    assert.deepEqual(errors, []);
    await context.close();
  }
});

test("words that the server cannot read stop nothing, and are shown with the reason", async () => {
  const { page, context, errors } = await openPhone(browser, system, "T01", { idle: true });
  const say = async (text: string) => {
    await page.evaluate((words) => {
      const place = document.querySelector<HTMLTextAreaElement>(".add textarea");
      if (place === null) throw new Error("nowhere to write");
      place.value = words;
      place.dispatchEvent(new Event("input", { bubbles: true }));
    }, text);
    await page.click(".add button");
    await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>(".add textarea")?.value === "");
  };
  await show(page, "messages");
  await context.setOffline(true); // so that all of them are one batch
  await say("before it");
  await say("half a letter: \ud83d");
  await say("after it");
  await say("ü".repeat(1000)); // longer than the server takes: it is cut as it is typed
  await context.setOffline(false);
  await until(() => unsent(page), (count) => count === 0, "all is sent");
  const { messages } = await ask<{ messages?: { text?: string }[] }>(system, key, "Messages",
    { territoryId: "north", technicianId: "T01" });
  assert.deepEqual((messages ?? []).map((one) => one.text), ["before it", "after it", "ü".repeat(500)]);
  await show(page, "outbox");
  await page.waitForSelector(".clash:has-text('half a letter')");
  assert.match(await page.innerText(".clash:has-text('half a letter')"), /Reason.*is not JSON/s);
  await shoot(page, "refused");
  await page.click(".clash:has-text('half a letter') button");
  await page.waitForSelector(".clash:has-text('half a letter')", { state: "detached" });
  const { letters } = await ask<Letters>(system, key, "DeadLetters", { territoryId: "north" });
  assert.equal(letters?.length, 1, "its number is used, and dispatchers see that");
  assert.deepEqual(errors, []);
  await context.close();
});
