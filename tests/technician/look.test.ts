/* look.test.ts - every screen in light, in dark, and on the smallest phone with letters of twice their
 * size: axe finds nothing, nothing is wider than the phone, no script fails, nobody else is asked for
 * anything. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { big, show } from "./hands.ts";
import { browser, openRoom, system } from "./room.ts";
import { openPhone, shoot, type Phone } from "./system.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const hostile = `<img src=x onerror=alert(1)> "O'Neil" \u202egnol yrev\u202c ${"Wörterungetüm".repeat(6)}`;
openRoom(1);

declare global {
  var axe: { run(place: Document, options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
}

async function check(page: Page, name: string): Promise<void> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
  });
  assert.deepEqual(found, [], name);
  const wider = await page.evaluate(() => [document.documentElement, ...document.querySelectorAll("dialog[open], .rows")]
    .filter((one) => one.scrollWidth > one.clientWidth).map((one) => `${one.tagName} by ${one.scrollWidth - one.clientWidth}`));
  assert.deepEqual(wider, [], `${name} is wider than the phone`);
}

const screens = ["today", "map", "changes", "messages", "me", "outbox"];

async function walk(phone: Phone, name: string): Promise<void> {
  const { page } = phone;
  for (const screen of screens) {
    await page.evaluate((hash) => void (location.hash = hash), `#/${screen}`);
    await page.waitForSelector(`.screen h1`);
    await shoot(page, `${name}-${screen}`);
    await check(page, `${name} ${screen}`);
  }
  await page.evaluate(() => void (location.hash = "#/today"));
  await page.click(".next-head");
  await page.waitForSelector(".facts");
  await shoot(page, `${name}-visit`);
  await check(page, `${name} visit`);
  await page.click(".next > button:not(.primary)");
  await page.waitForSelector("dialog[open]");
  await shoot(page, `${name}-more`);
  await check(page, `${name} more`);
  await page.keyboard.press("Escape");
}

/* What is open over the page, and then is not. */
async function sheet(page: Page, name: string): Promise<void> {
  await page.waitForSelector("dialog[open]");
  await shoot(page, name);
  await check(page, name);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog", { state: "detached" });
}

/* The questions of the visit that is shown, up to the last one. */
async function sheets({ page }: Phone, name: string): Promise<void> {
  for (const [at, which] of [[0, "late"], [2, "part"]] as const) {
    await page.click(".next > button:not(.primary)");
    await page.locator("dialog[open] .choice").nth(at).click();
    await sheet(page, `${name}-${which}`);
  }
  for (let step = 0; step < 3; step++) {
    const was = await page.textContent(big);
    await page.click(big);
    await page.waitForFunction(([place, text]) => document.querySelector(place!)?.textContent !== text, [big, was]);
  }
  await page.click(big);
  await sheet(page, `${name}-outcome`);
  await page.click(big);
  await page.locator("dialog[open] .choice").first().click();
  await sheet(page, `${name}-why`);
  await show(page, "me");
  await page.locator(".section > button.wide").first().click();
  await sheet(page, `${name}-away`);
}

test("light, dark, small with large type, in English and German", async () => {
  const phone = await openPhone(browser, system, "T01");
  const { page } = phone;
  await walk(phone, "light");
  await page.emulateMedia({ colorScheme: "dark" });
  await walk(phone, "dark");
  await page.setViewportSize({ width: 320, height: 568 });
  await page.evaluate(() => void (document.documentElement.style.fontSize = "32px"));
  await walk(phone, "small");
  assert.deepEqual(phone.errors, []);
  assert.deepEqual(phone.foreign, []);
  await phone.context.close();
});

test("a name that wants to be a script is a name", async () => {
  const phone = await openPhone(browser, system, "T01", { locale: "de-CH" });
  const { page } = phone;
  await page.setViewportSize({ width: 320, height: 568 });
  await page.evaluate(() => void (location.hash = "#/messages"));
  await page.fill("textarea", hostile);
  await page.click(".add button");
  const said = await page.textContent(".bubbles .mine p");
  assert.equal(said, hostile);
  assert.equal(await page.locator(".bubbles img").count(), 0);
  await page.evaluate(() => void (document.documentElement.style.fontSize = "32px"));
  await walk(phone, "german");
  await sheets(phone, "german");
  await check(page, "hostile");
  await shoot(page, "hostile-german");
  assert.deepEqual(phone.errors, []);
  await phone.context.close();
});
