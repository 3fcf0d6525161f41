/* Editing: each of the most frequent actions by mouse, by keys alone and without dragging, in no more
 * clicks and keys than promised; two dispatchers; what comes from outside stays text. */
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { begin, openDrawer, robustTests, type Appointment, type Desk } from "./robust.ts";
import { administration } from "./admin.ts";
import { runningIt } from "./running.ts";
import { barriers, openBrowser, openPage, shoot, startDemo, type System, type Watched } from "./system.ts";

const hostile = `<img src=x onerror="window.hacked=1"><b>&amp;`;

let system: System, browser: Browser, desk: Watched, page: Page, token = "";
let keys = 0, clicks = 0;

async function api<Body>(method: string, request: object): Promise<Body> {
  const answer = await fetch(`${system.login.address}/api/${method}`, {
    method: "POST", body: JSON.stringify(request),
    headers: { "Content-Type": "application/json", "Idempotency-Key": randomUUID(),
      ...(token === "" ? {} : { Authorization: `Bearer ${token}` }) },
  });
  const envelope = (await answer.json()) as { status: string; text?: string; body?: Body; serverTimeUs: string };
  assert.equal(envelope.status, "OK", `${method}: ${envelope.text ?? ""}`);
  return envelope.body ?? ({} as Body);
}

async function appointments(): Promise<Appointment[]> {
  const { appointments } = await api<{ appointments: { appointment: Appointment }[] }>("Board", { territoryId: "main" });
  return appointments.map((one) => one.appointment);
}

async function find(id: string): Promise<Appointment> {
  const found = (await appointments()).find((one) => one.appointmentId === id);
  assert.ok(found, id);
  return found;
}

/* Waits until the server says so; the answer is what it then is. */
async function until(id: string, holds: (it: Appointment) => boolean, meanwhile?: () => Promise<void>): Promise<Appointment> {
  for (let tries = 0; tries < 600; tries++) {
    const it = await find(id);
    if (holds(it)) return it;
    await meanwhile?.();
    await page.waitForTimeout(100);
  }
  const shown = await page.locator("dialog[open], .toasts").allInnerTexts();
  assert.fail(`${id}: ${JSON.stringify(await find(id))}; on the page: ${shown.join(" | ")}`);
}

/* The fleet lives: where the plan moved the visit meanwhile, the page asks, and is told to go on. */
async function untilPinned(id: string): Promise<void> {
  await until(id, (now) => now.pin !== undefined, async () => {
    const again = page.locator("dialog.ask[open] button[type=submit]");
    if (await again.count() > 0) await again.first().click({ timeout: 5000 }).catch(() => undefined);
  });
}

/* An order that nobody has the skill for, so that it stays where it is put. */
async function addOrder(id: string, more: object = {}): Promise<string> {
  const { appointment } = (await api<{ appointments: { appointment: Appointment }[] }>("Board", { territoryId: "main" }))
    .appointments.find((one) => one.appointment.plannedStartUs !== undefined) ?? assert.fail("no plan");
  const nowUs = BigInt(appointment.plannedStartUs ?? "0");
  await api("UpsertWorkOrder", { workOrder: {
    workOrderId: id, territoryId: "main", workType: "repair", serviceSeconds: 1800, priority: 5,
    customer: { customerId: `C-${id}`, name: `Customer ${id}` },
    site: { siteId: `S-${id}`, customerId: `C-${id}`, address: "Mill Lane 1", point: { latE7: 473700000, lonE7: 95500000 } },
    contact: { contactId: `K-${id}`, customerId: `C-${id}`, name: "Ms Vogt", phone: "+4235550100" },
    skills: [{ name: "electrical", level: 9 }],
    windows: [{ startUs: String(nowUs), endUs: String(nowUs + 7n * 3_600_000_000n) }], ...more,
  } });
  await page.waitForSelector(`.exception[data-key="${id}.1"]`);
  return `${id}.1`;
}

/* One that a technician has, is not begun, and lies in the afternoon. */
async function planned(): Promise<Appointment> {
  const all = (await appointments()).filter((one) => one.status === "SCHEDULED" && one.assignment !== undefined && one.pin === undefined)
    .sort((a, b) => Number(b.plannedStartUs) - Number(a.plannedStartUs));
  for (const one of all) {
    const { fitting } = await api<{ fitting?: number }>("Candidates", { appointmentId: one.appointmentId });
    if ((fitting ?? 0) >= 3) return one;
  }
  assert.fail("nobody could take anything over");
}

function counted(): void {
  keys = clicks = 0;
}
async function press(key: string): Promise<void> {
  keys++;
  await page.keyboard.press(key);
}
async function click(selector: string): Promise<void> {
  clicks++;
  await page.locator(selector).first().click();
}
async function giveReason(): Promise<void> {
  await page.waitForSelector("dialog.ask[open] .reason input");
  await page.fill("dialog.ask .reason input", "the customer agreed");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog.ask", { state: "detached" });
}
async function clearAll(): Promise<void> {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let tries = 0; tries < 6 && (await page.locator(".drawer, dialog[open]").count()) > 0; tries++) {
    await page.keyboard.press("Escape");
    await page.waitForTimeout(50);
  }
  await page.waitForSelector(".drawer", { state: "detached" });
}
async function select(id: string): Promise<void> {
  await clearAll();
  await openDrawer(page, id);
}

const here: Desk = {
  system: () => system, browser: () => browser, page: () => page, api, find, planned, select, clearAll, addOrder, until,
};

before(async () => {
  [system, browser] = await Promise.all([startDemo(8, ["--ill", "0", "--emergencies", "0", "--cancels", "0"]), openBrowser()]);
  token = (await api<{ sessionToken: string }>("Login", { name: system.login.name, password: system.login.password })).sessionToken;
  desk = await openPage(browser, system.login);
  page = desk.page;
  await page.waitForSelector(".g-bar");
  await begin(here);
});
after(async () => {
  await browser?.close();
  await system?.stop();
});

test("the top exception is fixed with Enter and 1, and a rule that does not hold asks once for a reason", async () => {
  const id = await addOrder("A1");
  await clearAll();
  counted();
  await press("Enter");
  await press("1");
  assert.deepEqual([keys, clicks], [2, 0]);
  await giveReason();
  await until(id, (it) => it.assignment !== undefined);
  await page.waitForSelector(".changes");
  await page.waitForFunction(() => document.querySelector(".changes")?.textContent?.includes("the customer agreed"));
  await page.waitForSelector(".drawer .facts .bad >> text=lacks"); // and stays said as long as it is so
  await page.waitForSelector(`.g-bar[data-visit="${id}"] .icon-rule`);
});

test("the top exception is fixed with two clicks", async () => {
  const id = await addOrder("A2");
  await clearAll();
  counted();
  await click(".exception");
  await click(".candidate-name");
  assert.deepEqual([keys, clicks], [0, 2]);
  await giveReason();
  await until(id, (it) => it.assignment !== undefined);
});

test("an unassigned order goes to somebody by u, Enter, 1, by two clicks, and by one drag from the list", async () => {
  const byKeys = await addOrder("B1");
  await clearAll();
  counted();
  await press("u");
  await press("Enter");
  await press("1");
  assert.deepEqual([keys, clicks], [3, 0]);
  await giveReason();
  await until(byKeys, (it) => it.assignment !== undefined);

  const byDrag = await addOrder("B2");
  await clearAll();
  const from = await page.locator(`.exception[data-key="${byDrag}"]`).boundingBox() ?? assert.fail();
  const name = page.locator(".g-name").nth(3);
  const to = await name.boundingBox() ?? assert.fail();
  await page.mouse.move(from.x + 60, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(to.x + 700, to.y + 14, { steps: 8 });
  await page.waitForSelector('.drag-hint[data-judged="broken"]');
  await shoot(page, "drag");
  await page.mouse.up();
  await giveReason();
  const technicianId = await name.evaluate((it) => it.closest<HTMLElement>(".g-row")?.dataset["technician"]);
  await until(byDrag, (it) => it.assignment?.technicianId === technicianId);
});

test("a visit goes to another technician by m, arrows, Enter; by two clicks; and by a form for any time", async () => {
  const one = await planned();
  await select(one.appointmentId);
  counted();
  await press("m");
  await page.waitForSelector(".candidate-name:focus");
  await press("ArrowDown");
  await press("Enter");
  assert.ok(keys <= 3);
  await until(one.appointmentId, (it) => it.assignment?.technicianId !== one.assignment?.technicianId);
  await page.waitForSelector(".toast");

  const two = await planned();
  await select(two.appointmentId);
  counted();
  await click(".drawer-actions button");
  await click(".candidate-name");
  assert.deepEqual([keys, clicks], [0, 2]);
  await until(two.appointmentId, (it) => it.assignment?.technicianId !== two.assignment?.technicianId);

  const three = await planned();
  await select(three.appointmentId);
  await press("a");
  await page.fill("dialog.ask input[type=time]", "15:05");
  await page.waitForSelector(".ask-verdict .verdict");
  await page.click("dialog.ask button[type=submit]");
  if (await page.locator(".reason").count() > 0) await giveReason();
  await until(three.appointmentId, (it) => it.plannedStartUs !== three.plannedStartUs);
});

test("a drag is judged before it is let go, and Escape leaves everything as it was", async () => {
  const it = await planned();
  await clearAll();
  const bar = page.locator(`.g-bar[data-visit="${it.appointmentId}"]`);
  const target = page.locator(".g-row", { hasNot: page.locator(`[data-visit="${it.appointmentId}"]`) }).first();
  const technicianId = await target.getAttribute("data-technician");
  const go = async () => { // the fleet lives: each time from where the bar is
    const from = await bar.boundingBox() ?? assert.fail(), to = await target.boundingBox() ?? assert.fail();
    await page.mouse.move(from.x + 6, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(from.x - 20, to.y + 14, { steps: 6 });
    await page.waitForFunction(() => (document.querySelector<HTMLElement>(".drag-hint")?.dataset["judged"] ?? "") !== "");
  };
  await go();
  await page.keyboard.press("Escape");
  await page.mouse.up();
  await page.waitForSelector(".drag-ghost", { state: "detached" });
  assert.equal((await find(it.appointmentId)).version, it.version);
  await go();
  await page.mouse.up();
  await until(it.appointmentId, (now) => now.assignment?.technicianId === technicianId, async () => {
    if (await page.locator("dialog.ask[open] .reason input").count() > 0) await giveReason();
  });
  await clearAll();
});

test("p pins and unpins; so do two clicks", async () => {
  const it = await planned();
  await select(it.appointmentId);
  await press("p");
  await untilPinned(it.appointmentId);
  await page.waitForSelector(`.g-bar[data-visit="${it.appointmentId}"] .icon-pin`);
  await clearAll();
  counted();
  await click(`.g-bar[data-visit="${it.appointmentId}"]`);
  await click('.drawer-actions button:has(.icon-pin)');
  assert.deepEqual([keys, clicks], [0, 2]);
  await until(it.appointmentId, (now) => now.pin === undefined);
});

test("Ctrl+Z and one click take back what this dispatcher did last", async () => {
  const it = await planned();
  await select(it.appointmentId);
  const pinned = page.locator(`.g-bar[data-visit="${it.appointmentId}"] .icon-pin`);
  await press("p");
  await untilPinned(it.appointmentId);
  await pinned.waitFor(); // or the sign that is not drawn yet would pass for the one taken back
  counted();
  await press("Control+z");
  assert.deepEqual([keys, clicks], [1, 0]);
  await until(it.appointmentId, (now) => now.pin === undefined);
  await pinned.waitFor({ state: "detached" });
  await press("p");
  await untilPinned(it.appointmentId);
  await pinned.waitFor();
  counted();
  await click(".header-actions .iconic");
  assert.deepEqual([keys, clicks], [0, 1]);
  await until(it.appointmentId, (now) => now.pin === undefined);
});

test("an order is found by typing, shown by g, and its customer called with c", async () => {
  const id = await addOrder("F1");
  await clearAll();
  await press("/");
  await page.keyboard.type("customer f1");
  await page.waitForSelector("#hit-0");
  await press("Enter");
  await page.waitForSelector(`[data-visit-drawer="${id}"]`);
  await press("g");
  counted();
  await press("c");
  await page.waitForSelector('a[href="tel:+4235550100"]');
  assert.deepEqual([keys, clicks], [1, 0]);
  assert.deepEqual(await barriers(page), []);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.ask", { state: "detached" });
  await clearAll();
});

test("e: a technician is written to; so do two clicks", async () => {
  await clearAll();
  await page.locator(".g-name").first().click();
  await page.waitForSelector(".drawer");
  counted();
  await press("e");
  await page.waitForSelector("dialog.ask textarea:focus");
  assert.deepEqual([keys, clicks], [1, 0]);
  await page.keyboard.type(hostile);
  await page.click("dialog.ask button[type=submit]");
  await page.waitForSelector(".toast");
  await page.evaluate(() => (document.querySelector<HTMLElement>(".menu summary")?.click()));
  await page.click(".menu button:nth-of-type(3)");
  await page.waitForFunction(() => document.querySelector(".said")?.textContent?.includes("<img src=x"));
  await shoot(page, "messages");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".screen", { state: "detached" });
});

test("s, a, Enter: a technician is away, and where his work went is shown; three clicks do the same", async () => {
  const names = page.locator(".g-name");
  await clearAll();
  await names.nth(6).click();
  await page.waitForSelector(".drawer");
  counted();
  await press("s");
  await page.waitForSelector("dialog.ask");
  await shoot(page, "sick");
  await press("a");
  await press("Enter");
  assert.deepEqual([keys, clicks], [3, 0]);
  await page.waitForSelector(".g-row-absent");
  await page.waitForFunction(() => /Where the work went/.test(document.querySelector(".drawer")?.textContent ?? ""));
  await clearAll();
  counted();
  clicks++;
  await names.nth(7).click();
  await click('.drawer-actions button[aria-keyshortcuts="s"]');
  await click("dialog.ask button[type=submit]");
  assert.deepEqual([keys, clicks], [0, 3]);
  await page.waitForFunction(() => document.querySelectorAll(".g-row-absent").length === 2);
  await shoot(page, "absent");
  await clearAll();
});

test("n: an urgent order is taken on, and whom it displaces is said before anything moves", async () => {
  await clearAll();
  await press("n");
  await page.waitForSelector("dialog.ask");
  assert.deepEqual(await barriers(page), []);
  await page.keyboard.type("Hospital");
  await page.fill("dialog.ask [name=address]", "Castle Road 3");
  await page.click("dialog.ask .place-field button");
  await page.waitForSelector("dialog.ask", { state: "hidden" });
  await page.locator(".map-place").click({ position: { x: 300, y: 120 } });
  await page.waitForSelector("dialog.ask[open]");
  assert.match(await page.inputValue("dialog.ask [name=place]"), /^4\d\.\d{5}, \d+\.\d{5}$/);
  assert.equal(await page.inputValue("dialog.ask [name=customer]"), "Hospital");
  await page.fill("dialog.ask [name=place]", "47.3700, 9.5500");
  await shoot(page, "new-order");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".option, dialog.ask p button");
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "emergency");
  const option = page.locator(".option button.primary");
  if (await option.count() > 0) {
    await option.first().click();
    await page.waitForSelector("[data-visit-drawer]");
    if (await page.locator(".reason").count() > 0) await giveReason();
  } else await page.click("dialog.ask p button");
  await page.waitForFunction(() => /Hospital/.test(document.querySelector(".drawer h2")?.textContent ?? ""));
  await clearAll();
});

test("an edit without an answer is hatched; the other dispatcher sees it when it is done", async () => {
  const other = await openPage(browser, system.login);
  await other.page.waitForSelector(".g-bar");
  const it = await planned();
  await select(it.appointmentId);
  let go: () => void = () => undefined;
  const held = new Promise<void>((resolve) => { go = resolve; });
  await page.route("**/api/SetPin", async (route) => {
    await held;
    await route.continue();
  });
  await press("p");
  await page.waitForSelector(`.g-unconfirmed[data-visit="${it.appointmentId}"]`);
  await shoot(page, "unconfirmed");
  assert.equal(await other.page.locator(`.g-bar[data-visit="${it.appointmentId}"] .icon-pin`).count(), 0);
  go();
  await page.waitForSelector(`.g-unconfirmed[data-visit="${it.appointmentId}"]`, { state: "detached" });
  await page.unroute("**/api/SetPin");
  await other.page.waitForSelector(`.g-bar[data-visit="${it.appointmentId}"] .icon-pin`);
  assert.deepEqual(other.errors, []);
  await other.page.context().close();
});

test("who was too late sees both versions, and nothing is changed until he says so", async () => {
  const it = await planned();
  await select(it.appointmentId);
  await page.route("**/api/SetPin", async (route) => {
    await api("Unassign", { appointmentId: it.appointmentId, reason: "somebody was before" });
    await route.continue();
  }, { times: 1 });
  await press("p");
  await page.waitForSelector("dialog.ask .facts");
  assert.match(await page.textContent("dialog.ask") ?? "", /demo/);
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "clash");
  assert.equal((await find(it.appointmentId)).pin, undefined);
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.ask", { state: "detached" });
});

test("whatever comes from outside stays text, in every field", async () => {
  const id = await addOrder("H1", {
    workType: hostile, note: hostile, customer: { customerId: "C-H1", name: hostile },
    site: { siteId: "S-H1", customerId: "C-H1", address: hostile, point: { latE7: 473700000, lonE7: 95500000 } },
    contact: { contactId: "K-H1", customerId: "C-H1", name: hostile, phone: "+4235550101" },
  });
  await select(id);
  assert.match(await page.textContent(".drawer") ?? "", /<img src=x/);
  await press("1");
  await page.waitForSelector("dialog.ask");
  await page.fill("dialog.ask .reason input", hostile);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => /<img src=x/.test(document.querySelector(".changes")?.textContent ?? ""));
  await press("c");
  await page.waitForSelector("dialog.ask a");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.ask", { state: "detached" });
  await press("/");
  await page.keyboard.type("img src");
  await page.waitForSelector("#hit-0");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => (globalThis as unknown as { hacked?: number }).hacked), undefined);
  assert.equal(await page.locator("img").count(), 0);
});

test("a CSV is nothing that a spreadsheet would compute", async () => {
  const id = await addOrder("=1+1", { customer: { customerId: "C-X", name: "=HYPERLINK(\"x\")" } });
  assert.ok(id);
  await page.goto(`${system.login.address}/?screen=data`);
  await page.waitForSelector("[data-export=unserved]");
  const [file] = await Promise.all([page.waitForEvent("download"), page.click("[data-export=unserved]")]);
  const text = readFileSync(await file.path(), "utf8");
  assert.match(text, /^order,customer/);
  assert.match(text, /'=1\+1,"'=HYPERLINK\(""x""\)"/);
  assert.doesNotMatch(text, /(^|,)"?[=+@-]/m);
});

test("every screen is without barriers, light and dark, English and German", async () => {
  for (const name of ["review", "inbox", "messages", "data"]) {
    await page.goto(`${system.login.address}/?screen=${name}`);
    await page.waitForSelector(".screen header");
    await page.waitForSelector(name === "review" ? ".card .figures dd b" : ".screen button");
    assert.deepEqual(await barriers(page), [], name);
    await shoot(page, name);
  }
  const dark = await openPage(browser, system.login, { dark: true, locale: "de-DE" });
  await dark.page.waitForSelector(".g-bar");
  await dark.page.locator(".g-bar").last().click();
  await dark.page.waitForSelector(".candidate, .changes li");
  assert.deepEqual(await barriers(dark.page), []);
  await shoot(dark.page, "drawer-dark-de");
  await dark.page.locator(".g-name").nth(2).click();
  await dark.page.waitForSelector(".route");
  assert.deepEqual(await barriers(dark.page), []);
  await shoot(dark.page, "technician-dark-de");
  assert.deepEqual(dark.errors, []);
  await dark.page.context().close();
});

robustTests(here);

administration(() => ({ system, browser, board: page }));
runningIt(() => ({ system, browser, board: page }));

test("nothing went wrong in a script, and nothing was asked of any other host", () => {
  assert.deepEqual(desk.errors, []);
  assert.deepEqual(desk.foreign, []);
});
