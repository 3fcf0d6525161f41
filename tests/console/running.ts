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

  test("a pinned visit is moved after a question only, and one technician is asked why not he", async () => {
    const bar = page.locator(".g-bar.g-planned:not(.g-over)").last();
    await page.goto(`${login.address}/`);
    await bar.click();
    const drawer = page.locator(".drawer[data-visit-drawer]"), id = await drawer.getAttribute("data-visit-drawer") ?? "";
    const pin = page.locator(`.g-bar[data-visit="${id}"] .icon-pin`);
    if (await pin.count() === 0) await page.keyboard.press("p");
    await pin.waitFor();
    await page.locator(".candidate-name").first().waitFor();
    const owner = () => page.locator(`.g-row:has([data-visit="${id}"])`).getAttribute("data-technician");
    const before = await owner();
    await page.locator(".candidate-name").first().click();
    await page.waitForSelector("dialog.ask >> text=is pinned");
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await shoot(page, "pinned");
    await page.keyboard.press("Escape");
    await closed();
    assert.equal(await owner(), before);
    assert.equal(await page.locator(".g-unconfirmed").count(), 0);
    await page.locator(".why-not select").selectOption({ index: 1 });
    await page.locator(".why-not-answer li, .why-not-answer .verdict").first().waitFor();
    assert.deepEqual(await barriers(page, ".drawer"), []);
    await shoot(page, "why-not");
  });

  /* The optimizer's plan is told here instead of waited for; all else is the server's own. */
  async function tellProposal(): Promise<string[]> {
    const bars = await page.evaluate(() => [...document.querySelectorAll<HTMLElement>(".g-row:has(.g-bar.g-planned)")]
      .map((row) => ({ technicianId: row.dataset["technician"] ?? "",
        appointmentId: row.querySelector<HTMLElement>(".g-bar.g-planned")?.dataset["visit"] ?? "" })));
    const [first, second] = bars;
    assert.ok(first !== undefined && second !== undefined);
    const ids = [first.technicianId, second.technicianId], now = String(Date.now() * 1000);
    const changes = [first, second].map(({ technicianId, appointmentId }) => ({ appointmentId, technicianBefore: technicianId,
      technicianAfter: technicianId, startBeforeUs: now, startAfterUs: String(Number(now) - 900e6) }));
    const figures = { travelSeconds: "7200", lateSeconds: "600", costSeconds: "9000" };
    const body = { waitSeconds: 600, number: "4000000000", madeUs: now, untilUs: now,
      diff: { plan: { version: "7", changes }, rescheduled: 2, before: figures, after: { ...figures, travelSeconds: "5400" } },
      parts: ids.map((id, at) => ({ technicianIds: [id], appointmentIds: [changes[at]?.appointmentId ?? ""] })) };
    await page.route("**/api/Proposal", async (route) => {
      const answer = await (await route.fetch()).json() as object;
      await route.fulfill({ json: { ...answer, body } });
    });
    return ids;
  }

  test("plans wait where that is wanted; of one that waits a part is taken, by keys", async () => {
    await page.goto(`${login.address}/?screen=review`);
    const wait = page.locator("select[name=review]");
    await wait.waitFor();
    assert.equal(await wait.inputValue(), "0");
    await wait.selectOption("600");
    await page.waitForSelector(".toast >> text=wait for review");
    await page.goto(`${login.address}/`);
    await page.waitForSelector(".g-bar.g-planned");
    const ids = await tellProposal();
    await page.goto(`${login.address}/?screen=review`);
    await page.waitForSelector(".card-waiting .figures dd b");
    assert.equal(await wait.inputValue(), "600"); // the server kept it
    assert.equal(await page.locator(".card-waiting .parts > li").count(), 2);
    assert.deepEqual(await barriers(page, ".screen"), []);
    await shoot(page, "proposal");
    const some = page.locator(".card-waiting footer button").nth(1);
    assert.ok(await some.isDisabled());
    await page.locator(".card-waiting .parts input").nth(1).focus();
    await page.keyboard.press("Space");
    const asked = page.waitForRequest("**/api/AcceptProposal");
    await some.focus();
    await page.keyboard.press("Enter");
    assert.deepEqual((await asked).postDataJSON().technicianIds, [ids[1]]);
    await page.waitForSelector(".toast[data-bad=true]"); // no such plan waits on the server
    await page.unroute("**/api/Proposal");
    await wait.selectOption("0");
    await page.waitForSelector(".card-waiting", { state: "detached" });
  });

  test("on the phone the best arrival windows are offered, and the one that is chosen is promised", async () => {
    await page.goto(`${login.address}/`);
    await page.waitForSelector(".g-bar");
    await page.keyboard.press("n");
    await page.fill("dialog [name=customer]", "Ms Vogt");
    await page.fill("dialog [name=minutes]", "15");
    await page.fill("dialog [name=address]", "Castle Road 3");
    await page.fill("dialog [name=place]", "47.37, 9.52"); // drawn again, and what was typed is still there
    assert.equal(await page.inputValue("dialog [name=minutes]"), "15");
    await page.selectOption("dialog [name=hours]", "8");
    await page.uncheck("dialog [name=emergency]");
    await page.keyboard.press("Enter");
    await page.waitForSelector("dialog .slots button");
    assert.deepEqual(await barriers(page, "dialog.ask"), []);
    await shoot(page, "slots");
    const first = page.locator("dialog .slots button").first(), time = await first.innerText();
    assert.match(await page.locator("dialog .slots li").first().innerText(), /travel.*technicians? free/s);
    await first.focus();
    await page.keyboard.press("Enter");
    await closed();
    await page.waitForFunction((text) => [...document.querySelectorAll(".drawer .facts div")].some((it) =>
      it.querySelector("dt")?.textContent === "Promised" && it.querySelector("dd")?.textContent === text), time);
  });

  test("one long word for a name makes no drawer wider", async () => {
    const name = `${"Donaudampfschifffahrtsgesellschaftskapitän".repeat(2)}${hostile}`;
    await page.goto(`${login.address}/?screen=technicians`);
    await page.locator(".table tbody button").first().click();
    await page.fill("dialog [name=name]", name);
    await page.click("dialog footer button[type=submit]");
    await closed();
    await page.goto(`${login.address}/`);
    await page.waitForFunction((text) => [...document.querySelectorAll(".g-name-text")].some((it) => it.textContent === text), name);
    const fits = (place: string) => page.waitForFunction((at) => {
      const it = document.querySelector(at);
      return it !== null && it.scrollWidth <= it.clientWidth;
    }, place);
    await page.locator(".g-name", { hasText: "Donaudampf" }).click();
    await page.waitForSelector(".drawer .route, .drawer .facts");
    await fits(".drawer");
    await page.locator(".g-bar.g-planned").last().click();
    await page.waitForSelector(".candidate-name");
    await fits(".drawer");
    await shoot(page, "long-name");
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
    await row.locator("button").nth(1).waitFor({ state: "detached" });
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
