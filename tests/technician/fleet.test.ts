/* fleet.test.ts - a day of the live fleet in which one technician is a person: by the link that the
 * demo prints he becomes T01, accepts, drives, works and completes what the plan gives him, beside
 * virtual ones, until the day is over. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { big, unsent, until } from "./hands.ts";
import { addPhone, openBrowser, patience, shoot } from "./system.ts";

interface Summary {
  ok: boolean;
  handovers: number;
  orders: number;
  served: number;
  commands_lost: number;
}

const own = 6; // orders that only the person can do
const others = 6;
const rate = 120; // who does not accept within ten minutes is not asked again: five seconds here
let browser: Browser, folder: string, demo: ChildProcess, said = "", told = "";

/* Three technicians, short visits near each other; it ends when all are done. */
function writeDay(): string {
  const day = join(folder, "day"), date = "2026-11-23T";
  mkdirSync(day);
  const technician = (id: string, skill: string) => `${id},Person ${id},9.52,47.37,${date}08:00,${date}18:00,` +
    `${date}08:30,${date}09:30,0,${skill},60`;
  writeFileSync(join(day, "technicians.csv"), [
    "technician_id,name,home_lon,home_lat,shift_start,shift_end,break_earliest,break_latest,break_minutes,skills," +
      "overtime_minutes_max",
    technician("T01", "gas:1"), technician("T02", "network:1"), technician("T03", "network:1"), "",
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
  demo = spawn(process.env["CALLOUT_BINARY"] ?? "", ["sim", "demo", "--json", "--data", join(folder, "data"), "--day",
    writeDay(), "--rate", String(rate), "--seed", "1", "--http", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "pipe"] });
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

/* Whatever the app offers next, until all his orders are done; how many visits he ended himself. */
async function work(page: Page): Promise<number> {
  for (let ended = 0; ; ) {
    const button = page.locator(big), over = page.locator(".row.over");
    await button.or(over.nth(own - 1)).first().waitFor({ timeout: 2 * patience });
    if (await over.count() >= own) return ended;
    const label = await button.textContent() ?? "";
    await button.click();
    if (label !== "Check out") {
      /* It is another button, or another visit has come first meanwhile. */
      await page.waitForFunction(([place, was]) => document.querySelector(place!)?.textContent !== was, [big, label])
        .catch(() => undefined);
      continue;
    }
    await page.click("dialog[open] .primary.big");
    await page.waitForSelector("dialog", { state: "detached" });
    ended++;
  }
}

test("one of the fleet is a person with the app, from the demo's link to the end of the day", { timeout: 300_000 }, async () => {
  const link = await until(() => Promise.resolve(/app: (\S+) +you are T01/.exec(told)?.[1] ?? ""),
    (found) => found !== "", "the demo's link");
  const phone = await addPhone(browser, new URL(link).origin);
  await phone.page.goto(link);
  await phone.page.waitForSelector(".frame");
  await shoot(phone.page, "fleet");
  const ended = await work(phone.page);
  assert.ok(ended > 0, "the virtual one was quicker");
  await until(() => unsent(phone.page), (count) => count === 0, "all is sent");
  await shoot(phone.page, "fleet-over");
  if (demo.exitCode === null) await new Promise((resolve) => demo.once("exit", resolve));
  const summary = JSON.parse(said) as Summary;
  /* What the virtual T01 says once he was replaced is refused, and told him: that is not lost. */
  assert.deepEqual(summary, { ...summary, ok: true, handovers: 1, commands_lost: 0 });
  assert.ok(summary.served > own, `only ${summary.served} of ${summary.orders} were served`);
  assert.deepEqual(phone.errors, []);
  await phone.context.close();
});
