/* fleet.test.ts - the live fleet with a person in it: by the link that the demo prints he becomes T01,
 * accepts, drives, works and completes what the plan gives him, beside virtual ones who do theirs;
 * then the demo is ended as a visitor would end it.
 *
 * He may be as slow as a loaded machine makes him: his shift begins an hour after the others', the
 * territory lets him think about an offer all day, and the end is when all is done.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { big, unsent, until } from "./hands.ts";
import { addPhone, admin, ask, openBrowser, shoot } from "./system.ts";

interface Summary {
  ok: boolean;
  handovers: number;
  orders: number;
  served: number;
  commands_lost: number;
}

interface Territories {
  territories?: { territory?: { territoryId?: string; policy?: object } }[];
}
interface Board {
  appointments?: { appointment?: { status?: string } }[];
}

const own = 3; // orders that only the person can do
const others = 4;
const rate = 120;
let browser: Browser, folder: string, data: string, demo: ChildProcess, said = "", told = "";

/* Three technicians, short visits near each other. */
function writeDay(): string {
  const day = join(folder, "day"), date = "2026-11-23T";
  mkdirSync(day);
  const technician = (id: string, skill: string, from: string) => `${id},Person ${id},9.52,47.37,${date}${from},${date}18:00,` +
    `${date}12:00,${date}13:00,0,${skill},60`;
  writeFileSync(join(day, "technicians.csv"), [
    "technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,break_latest,break_minutes,skills," +
      "overtime_minutes_max",
    technician("T01", "gas:1", "09:00"), technician("T02", "network:1", "08:00"), technician("T03", "network:1", "08:00"), "",
  ].join("\n"));
  const order = (index: number) => `W${String(index).padStart(3, "0")},${date}00:00,${9.52 + index / 500},47.37,` +
    `"Mill Lane ${index}, Lindenau",repair,10,5,${index <= own ? "gas" : "network"}:1,${date}08:00,${date}18:00,${date}18:00`;
  writeFileSync(join(day, "orders.csv"), [
    "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,window_start,window_end,due_at",
    ...Array.from({ length: own + others }, (_, index) => order(index + 1)), "",
  ].join("\n"));
  return day;
}

before(async () => {
  browser = await openBrowser();
  folder = mkdtempSync(join(tmpdir(), "callout-fleet-"));
  data = join(folder, "data");
  demo = spawn(process.env["CALLOUT_BINARY"] ?? "", ["sim", "demo", "--json", "--data", data, "--day", writeDay(),
    "--rate", String(rate), "--seed", "1", "--ill", "0", "--emergencies", "0", "--cancels", "0",
    "--http", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
  demo.stdout?.on("data", (part: Buffer) => (said += part.toString()));
  demo.stderr?.on("data", (part: Buffer) => (told += part.toString()));
});
after(async () => {
  await browser?.close();
  if (demo !== undefined && demo.exitCode === null) {
    demo.kill("SIGINT");
    await new Promise((resolve) => demo.on("exit", resolve));
  }
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/* Who does not accept in time is asked once more, and then no longer. */
async function grantTime(base: string, key: string): Promise<void> {
  const { territories } = await ask<Territories>({ base }, key, "Territories", {});
  for (const { territory } of territories ?? [])
    await ask({ base }, key, "UpsertTerritory",
      { territory: { ...territory, policy: { ...territory?.policy, acceptTimeoutSeconds: 43_200 } } });
}

/* The visit on top and what its button says. */
const offer = (page: Page) => page.evaluate((button) =>
  `${document.querySelector(".next-head")?.getAttribute("href")} ${document.querySelector(button)?.textContent}`, big);

/* Whatever the app offers next, until all his orders are done; how many visits he ended himself. */
async function work(page: Page): Promise<number> {
  const button = page.locator(big), over = page.locator(".row.over"), dialog = page.locator("dialog[open]");
  for (let ended = 0; ; ) {
    await button.or(over.nth(own - 1)).first().waitFor();
    if (await over.count() >= own) return ended;
    const was = await offer(page);
    await button.click();
    await until(async () => await dialog.count() > 0 || await offer(page) !== was, Boolean, `what comes after ${was}`);
    if (await dialog.count() === 0) continue;
    await dialog.locator(".primary.big").click();
    await dialog.waitFor({ state: "detached" });
    ended++;
  }
}

async function othersAreDone(base: string, key: string, territoryId: string): Promise<void> {
  const statuses = async () => ((await ask<Board>({ base }, key, "Board", { territoryId })).appointments ?? [])
    .map((one) => one.appointment?.status);
  await until(statuses, (all) => all.length === own + others && all.every((one) => one === "COMPLETED"), "all is done");
}

test("one of the fleet is a person with the app, from the demo's link until all is done", { timeout: 300_000 }, async () => {
  const link = await until(() => Promise.resolve(/app: (\S+) +you are T01/.exec(told)?.[1] ?? ""),
    (found) => found !== "", "the demo's link");
  const base = new URL(link).origin, key = await admin(data, "key", "--name", "test", "--role", "admin");
  await grantTime(base, key);
  const phone = await addPhone(browser, base);
  await phone.page.goto(link);
  await phone.page.waitForSelector(".frame");
  await shoot(phone.page, "fleet");
  assert.ok(await work(phone.page) > 0, "the virtual one was quicker");
  await until(() => unsent(phone.page), (count) => count === 0, "all is sent");
  await shoot(phone.page, "fleet-over");
  await othersAreDone(base, key, "main");
  demo.kill("SIGINT");
  await new Promise((resolve) => demo.once("exit", resolve));
  const summary = JSON.parse(said) as Summary;
  /* What the virtual T01 says once he was replaced is refused, and told him: that is not lost. */
  assert.deepEqual(summary, { ...summary, ok: true, handovers: 1, commands_lost: 0, served: own + others });
  assert.deepEqual(phone.errors, []);
  await phone.context.close();
});
