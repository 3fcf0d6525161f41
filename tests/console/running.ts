/* Running it: how the system is, and who may use it; on the system that the tests before have running. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { Stage } from "./admin.ts";
import { findRole } from "./robust.ts";
import { addPerson, barriers, openPage, patience, shoot, type Login, type Watched } from "./system.ts";

const hostile = `<img/src=x/onerror="window.hacked=1">`; // a name has no spaces

/* It is started again each time; only a process that was not there before is ended. */
async function endOptimizer(root: number, times: number): Promise<void> {
  let last: number | null = null;
  const limit = Date.now() + 3 * patience;
  while (times > 0 && Date.now() < limit) {
    const pid = findRole(root, "optimizer");
    if (pid !== null && pid !== last) {
      process.kill(pid, "SIGKILL");
      last = pid;
      times--;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(times, 0, "the optimizer was started again");
}

export function runningIt(stage: () => Stage): void {
  let desk: Watched, page: Page, login: Login;
  const closed = () => page.waitForSelector("dialog.ask", { state: "detached" });

  test("system health is looked at by keys; an optimizer that keeps ending is told on every screen", async () => {
    login = await addPerson(stage().system, "keeper", "admin");
    desk = await openPage(stage().browser, login);
    page = desk.page;
    await page.waitForSelector(".g-bar");
    await page.locator(".menu summary").focus();
    await page.keyboard.press("Enter");
    await page.locator(".menu button", { hasText: "System health" }).focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector(".tile progress");
    assert.equal(await page.locator(".tile").count(), 5);
    assert.equal(await page.locator('[data-warning="HEALTH_OPTIMIZER_DIES"]').count(), 0);
    assert.match(await page.locator(".tile").nth(0).innerText(), /free[^]*the store takes \d/);
    assert.match(await page.locator(".tile").nth(1).innerText(), /None yet/);
    assert.equal(await page.locator(".table tbody tr").count(), 3);
    assert.deepEqual(await barriers(page, ".screen"), []);
    await shoot(page, "health");
    await endOptimizer(stage().system.pid, 3);
    await page.waitForSelector('[data-warning="HEALTH_OPTIMIZER_DIES"]');
    assert.match(await page.locator(".table tbody tr", { hasText: "Optimizer" }).innerText(), /killed by signal 9/);
    assert.deepEqual(await barriers(page, ".screen"), []);
    await shoot(page, "health-warning");
    await page.keyboard.press("Escape");
    await page.locator(".chip-system").click();
    await page.waitForSelector(".tile progress");
  });

  test("a person is made, logs in, changes and is ended; his name stays text", async () => {
    await page.goto(`${login.address}/?screen=team`);
    await page.waitForSelector("text=New person");
    const name = `Rosa${hostile}`, row = page.locator("tr", { hasText: "Rosa" });
    await page.click("text=New person");
    await page.fill("dialog [name=name]", name);
    await page.selectOption("dialog select[name=role]", "dispatcher");
    await page.locator("dialog [name=territory]").first().check();
    await page.fill("dialog [name=password]", "the first password of Rosa");
    await page.fill("dialog [name=own]", "not my password");
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await shoot(page, "person");
    await page.click("dialog footer button[type=submit]");
    await page.waitForSelector("dialog [role=alert]:not(:empty)");
    assert.equal(await row.count(), 0);
    await page.fill("dialog [name=own]", login.password);
    await page.click("dialog footer button[type=submit]");
    await closed();
    await row.waitFor();
    assert.match(await row.innerText(), /dispatcher/i);
    const rosa = { ...login, name, password: "the first password of Rosa" };
    const other = await openPage(stage().browser, rosa);
    await other.page.waitForSelector(".g-bar");
    await page.locator("tr", { hasText: "Rosa" }).locator("button").nth(1).focus();
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog.ask");
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await page.click("dialog footer button[type=submit]");
    await closed();
    await other.page.waitForSelector("[name=password]");
    assert.equal(await row.locator("button").count(), 1);
    assert.deepEqual(await barriers(page, ".screen"), []);
    await shoot(page, "people");
    assert.deepEqual(other.errors, []);
    await other.page.context().close();
  });

  test("running it asked no other host, and nothing from outside became markup", async () => {
    assert.deepEqual(desk.errors, []);
    assert.deepEqual(desk.foreign, []);
    assert.equal(await page.evaluate(() => (globalThis as unknown as { hacked?: number }).hacked), undefined);
    await page.context().close();
  });
}
