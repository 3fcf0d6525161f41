/* Administration in the browser, on the system that the tests of editing have running: its day is long
 * enough for the slowest machine. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { qrCode } from "../../gateway/web/console/src/screens/qr.ts";
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
    await stage().board.goto(`${stage().system.login.address}/`);
    await stage().board.waitForSelector(".g-bar");
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

  test("a device is enrolled by a code for a camera, which holds the app's link and nothing else", async () => {
    await open("team", ".table tbody tr");
    await page.waitForFunction(() => document.querySelectorAll("form.line select option").length > 8);
    await page.selectOption("form.line select", { index: 1 });
    await page.click("form.line button");
    await page.waitForSelector("dialog .qr path");
    const drawn = await page.locator(".qr").evaluate((it) => ({
      box: it.getAttribute("viewBox"), dark: (it.querySelector("path")?.getAttribute("d") ?? "").split("M").length - 1 }));
    const token = (await page.textContent(".token") ?? "").replace(/ /g, "");
    const code = qrCode(`${stage().system.login.address}/technician/#enrol=${token}`);
    assert.deepEqual(drawn, { box: `0 0 ${code.length + 8} ${code.length + 8}`, dark: code.flat().filter(Boolean).length });
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await shoot(page, "enrol");
    assert.equal(await page.locator("dialog details").count(), 0, "without TLS there is nothing to trust");
    await page.keyboard.press("Escape");
    await closed();
  });

  test("beside it stands how a phone comes to trust a server that vouches for itself", async () => {
    const fingerprint = Array.from({ length: 32 }, (_, at) => (at * 7).toString(16).padStart(2, "0").toUpperCase()).join(":");
    await page.route("**/authority/fingerprint", (route) => route.fulfill({ body: fingerprint })); // as a door with TLS says it
    await open("team", ".table tbody tr");
    await page.waitForFunction(() => document.querySelectorAll("form.line select option").length > 8);
    await page.selectOption("form.line select", { index: 1 });
    await page.click("form.line button");
    await page.click("dialog details summary");
    await page.waitForSelector("dialog details .qr path");
    assert.equal(await page.textContent("dialog details .token"), fingerprint);
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await shoot(page, "authority");
    await page.unroute("**/authority/fingerprint");
    await page.keyboard.press("Escape");
    await closed();
  });

  const choose = (name: string, text: string) => page.setInputFiles("input[type=file]",
    { name, mimeType: "text/csv", buffer: Buffer.from(text) });
  const order = (id: string, more: { priority?: string; lat?: string } = {}) =>
    `${id},2026-11-23T06:00,9.55,${more.lat ?? "47.12"},"Gasse 1, Vaduz",meter,20,${more.priority ?? "3"},,2026-11-27T07:00,2026-11-27T20:00,`;
  const head = "order_id,received_at,lon,lat,address,work_type,service_minutes,priority,skill,window_start,window_end,due_at";

  test("a file with errors is told by line and column, and nothing of it is taken", async () => {
    await open("import", "input[type=file]");
    await choose("orders.csv", [head, order("I1"), order("I2", { priority: "12" }), order("I3", { lat: "north" }), ""].join("\n"));
    await page.waitForSelector("text=2 errors");
    const cells = await page.locator(".table tbody tr").allTextContents();
    assert.match(cells[0] ?? "", /^3priority.*most urgent/);
    assert.match(cells[1] ?? "", /^4lat.*Degrees/);
    assert.equal(await page.locator("button:has-text('Take')").count(), 0);
    assert.deepEqual(await barriers(page, ".screen"), []);
    await shoot(page, "import-errors");
  });

  test("a file is looked at, taken, and the same the second time", async () => {
    const text = [head, order("I1"), order("I2"), ""].join("\n");
    await choose("orders.csv", text);
    await page.waitForSelector('[data-fresh="2"][data-same="0"]');
    await page.click("button:has-text('Take 2 rows')");
    await page.waitForSelector("[data-import-done]");
    await choose("orders.csv", text);
    await page.waitForSelector('[data-fresh="0"][data-changed="0"][data-same="2"]');
    await page.waitForSelector("text=There is nothing to change.");
    await choose("orders.csv", text.replace("I2,", "I3,").replace("Gasse 1", "Gasse 2"));
    await page.waitForSelector('[data-fresh="1"][data-changed="1"][data-same="0"]');
    await shoot(page, "import");
  });

  test("a list of addresses is taken, and a new order finds its place in it by keys", async () => {
    await page.selectOption(".screen select", "addresses");
    await choose("addresses.csv", `address,lat,lon\n"Bahnhofstrasse 1, Zürich",47.37,8.54\n"Große Gasse 7 ${hostile.replace(/"/g, "")}",47.14,9.52\n`);
    await page.click("button:has-text('Take 2 rows')");
    await page.waitForSelector("text=2 added");
    await page.click(".screen header button");
    await page.waitForSelector(".g-bar");
    await page.keyboard.press("n");
    await page.fill("dialog [name=customer]", "Ms Vogt");
    await page.locator("dialog [name=address]").focus();
    await page.keyboard.type("zurich bahn");
    await page.waitForSelector("#address-0");
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await page.keyboard.press("Enter");
    assert.equal(await page.inputValue("dialog [name=place]"), "47.37000, 8.54000");
    assert.equal(await page.inputValue("dialog [name=address]"), "Bahnhofstrasse 1, Zürich");
    await page.keyboard.press("Escape");
    await closed();
  });

  test("administration asked no other host, and nothing from outside became markup", async () => {
    assert.deepEqual(desk.errors, []);
    assert.deepEqual(desk.foreign, []);
    assert.equal(await page.evaluate(() => (globalThis as unknown as { hacked?: number }).hacked), undefined);
    await page.context().close();
  });
}
