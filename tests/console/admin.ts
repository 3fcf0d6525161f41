/* Administration in the browser, on the system that the board's tests have running. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { addPerson, barriers, openPage, shoot, type System, type Watched } from "./system.ts";

export interface Stage {
  system: System;
  browser: Browser;
  board: Page; // of another session, which sees what is done here
}

const hostile = `<img src=x onerror="window.hacked=1">`;

export function administration(stage: () => Stage): void {
  let desk: Watched, page: Page;

  const open = async (screen: string, ready: string) => {
    await page.goto(`${stage().system.login.address}/?screen=${screen}`);
    await page.waitForSelector(ready);
  };
  const closed = () => page.waitForSelector("dialog.ask", { state: "detached" });
  const row = (id: string) => `tr[data-technician="${id}"]`;

  test("a technician is changed by mouse, and the other dispatcher's board shows it", async () => {
    desk = await openPage(stage().browser, await addPerson(stage().system, "chief", "admin"));
    page = desk.page;
    await open("technicians", ".table tbody tr");
    assert.equal(await page.locator(".table tbody tr").count(), 8);
    assert.deepEqual(await barriers(page, ".screen"), []);
    await shoot(page, "technicians");
    const first = page.locator(".table tbody tr").first();
    const id = await first.getAttribute("data-technician") ?? "";
    await first.locator("button").click();
    await page.fill("dialog [name=name]", `Ann ${hostile}`);
    const days = page.locator("dialog .week tbody tr");
    await days.nth(2).locator("input[type=checkbox]").check();
    await days.nth(2).locator("input[type=time]").nth(0).fill("09:15");
    await days.nth(2).locator("input[type=time]").nth(1).fill("15:45");
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await shoot(page, "technician-sheet");
    await page.click("dialog footer button[type=submit]");
    await closed();
    await page.waitForFunction(([at, text]) => document.querySelector(at ?? "")?.textContent?.includes(text ?? "") === true,
      [row(id), "09:15\u201315:45"]);
    await stage().board.waitForFunction((name) =>
      [...document.querySelectorAll(".g-name-text")].some((it) => it.textContent === name), `Ann ${hostile}`);
  });

  test("a technician is made by keys alone, with a skill, a place and the usual shift", async () => {
    await page.locator("button.primary").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog [name=id]");
    await page.keyboard.type("T-NEW");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Nora Neu");
    for (let i = 0; i < 3; i++) await page.keyboard.press("Tab");
    await page.keyboard.type("47.17, 9.51");
    for (let i = 0; i < 2; i++) await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    await page.waitForSelector("dialog [role=group]");
    await page.locator("dialog .week input[type=checkbox]").first().focus();
    await page.keyboard.press("Space");
    await page.locator("dialog [name=name]").focus();
    await page.keyboard.press("Enter");
    await closed();
    await page.waitForSelector(row("T-NEW"));
    assert.match(await page.textContent(row("T-NEW")) ?? "", /Nora Neu.*1.*08:00.17:00/);
  });

  test("an absence is added and taken back; who saw an older sheet is told", async () => {
    await page.click(`${row("T-NEW")} button`);
    const day = await page.locator("dialog .week tbody tr").nth(3).getAttribute("data-day");
    const text = new Date(Number(day) * 86_400_000).toISOString().slice(0, 10);
    const fields = page.locator("dialog input[type=datetime-local]");
    await fields.nth(0).fill(`${text}T00:00`);
    await fields.nth(1).fill(`${text}T23:00`);
    await page.click("text=Add absence");
    await page.waitForSelector("dialog .absences li");
    await page.click("dialog .absences button");
    await page.waitForSelector("dialog .absences li", { state: "detached" });
    await page.route("**/api/UpsertTechnician", async (route) => {
      const request = route.request().postDataJSON() as { expectedVersion: string };
      assert.notEqual(request.expectedVersion, "0");
      await route.continue({ postData: JSON.stringify({ ...request, expectedVersion: "1" }) });
    }, { times: 1 });
    await page.click("dialog footer button[type=submit]");
    await page.waitForSelector("text=Somebody else was before");
    await page.keyboard.press("Escape");
    await closed();
  });

  test("territories and skills are listed, and a skill is added", async () => {
    await open("territories", ".table tbody tr");
    await page.fill("[name=skill]", "heat pumps");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".tags >> text=heat pumps");
    await page.locator(".table tbody button").first().click();
    await page.waitForSelector("dialog [name=freezeSeconds]");
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await shoot(page, "territory");
    await page.fill("dialog [name=freezeSeconds]", "31");
    await page.click("dialog footer button[type=submit]");
    await closed();
    await page.waitForSelector("text=Policy 2");
  });

  test("administration asked no other host, and nothing from outside became markup", async () => {
    assert.deepEqual(desk.errors, []);
    assert.deepEqual(desk.foreign, []);
    assert.equal(await page.evaluate(() => (globalThis as unknown as { hacked?: number }).hacked), undefined);
    await page.context().close();
  });
}
