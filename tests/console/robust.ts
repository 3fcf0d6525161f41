/* robust.ts - what may go wrong around the console: the server goes and comes back, a proxy keeps the
 * stream, another dispatcher is quicker, a day is large, and names are not what anybody expects.
 *
 * They are tests of the system and browser that somebody else has opened (edit.test.ts), so that
 * nothing is started twice. What takes its time goes on beside the other tests (`begin`).
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import type { Browser, Page, Route } from "playwright-core";
import { openPage, patience, shoot, type System, type Watched } from "./system.ts";

export interface Appointment {
  appointmentId: string; workOrderId: string; status: string; version: string; plannedStartUs?: string;
  assignment?: { technicianId: string }; pin?: { technician?: boolean };
}

/* What edit.test.ts has; of things that are there only when tests run. */
export interface Desk {
  system(): System;
  browser(): Browser;
  page(): Page;
  api<Body>(method: string, request: object): Promise<Body>;
  find(id: string): Promise<Appointment>;
  planned(): Promise<Appointment>;
  select(id: string): Promise<void>;
  clearAll(): Promise<void>;
  addOrder(id: string, more: object): Promise<string>;
  until(id: string, holds: (it: Appointment) => boolean): Promise<Appointment>;
}

/* The process of that role that comes from our demo. */
export function findRole(root: number, role: string): number | null {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      /* it has just ended */
    }
  }
  const queue = [root];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[1] === role) return pid;
    } catch {
      /* the same */
    }
    queue.push(...(children.get(pid) ?? []));
  }
  return null;
}

const barOf = (id: string) => `.g-bar[data-visit="${id}"]`;
const isPinned = (id: string) => `${barOf(id)} .icon-pin`;

/* By a click on its bar, or on its line in the list, once that is drawn. */
export async function openDrawer(page: Page, id: string): Promise<void> {
  const place = `${barOf(id)}, .exception[data-key="${id}"]`;
  await page.waitForSelector(place, { state: "attached" });
  await page.evaluate((selector) => document.querySelector<HTMLElement>(selector)?.click(), place);
  await page.waitForSelector(`[data-visit-drawer="${id}"]`);
}

/* The dispatcher's own page at the board, whatever was looked at before. */
async function home(desk: Desk): Promise<Page> {
  const page = desk.page();
  if (page.url().includes("screen=")) await page.goto(desk.system().login.address);
  await page.waitForSelector(".g-bar");
  return page;
}

/* --- a proxy that keeps what streams --- */

let behindProxy: Watched;

/* Opened before the other tests: that nothing streams is noticed after a while only. */
export async function begin(desk: Desk): Promise<void> {
  behindProxy = await openPage(desk.browser(), desk.system().login, { anonymous: true });
  await behindProxy.page.route("**/api/stream*", () => undefined); // neither answered nor refused
  await behindProxy.page.fill("[name=name]", desk.system().login.name);
  await behindProxy.page.fill("[name=password]", desk.system().login.password);
  await behindProxy.page.click("button[type=submit]");
}

function streamTests(desk: Desk): void {
  test("where a proxy keeps the stream, held questions do the same", async () => {
    const { page } = behindProxy;
    await page.waitForRequest("**/api/EventFeed", { timeout: 3 * patience });
    const it = await desk.planned();
    await desk.api("SetPin", { appointmentId: it.appointmentId, expectedVersion: it.version,
      pin: { technician: true, technicianId: it.assignment?.technicianId } });
    await page.waitForSelector(isPinned(it.appointmentId));
    assert.equal(await page.getAttribute(".connection", "data-state"), "live");
    assert.deepEqual(behindProxy.errors, []);
    await page.context().close();
  });
}

/* --- the gateway goes and comes back --- */

function restartTests(desk: Desk): void {
  test("the gateway ends under the page: its age is shown, an edit waits, and all comes back by itself", async () => {
    const page = await home(desk), it = await desk.planned();
    await desk.select(it.appointmentId);
    let away = true;
    const kill = () => {
      const pid = findRole(desk.system().pid, "gateway");
      if (pid !== null) process.kill(pid, "SIGKILL");
      if (away) setTimeout(kill, 100);
    };
    kill();
    try {
      await page.waitForSelector('.connection[data-state="lost"]', { timeout: 2 * patience });
      assert.match(await page.textContent(".connection") ?? "", /\d+ s/);
      await page.keyboard.press("p");
      await page.waitForSelector(`.g-unconfirmed[data-visit="${it.appointmentId}"]`);
    } finally {
      away = false;
    }
    await page.waitForSelector('.connection[data-state="live"]', { timeout: 3 * patience });
    await desk.until(it.appointmentId, (now) => now.pin?.technician === true);
    await page.waitForSelector(`${barOf(it.appointmentId)}:not(.g-unconfirmed) .icon-pin`);
    await desk.clearAll();
  });
}

/* --- two at once --- */

function togetherTests(desk: Desk): void {
  test("two dispatchers at once: each sees what the other does, and of two at one visit one is told", async () => {
    const other = await openPage(desk.browser(), desk.system().login);
    await other.page.waitForSelector(".g-bar");
    await home(desk);
    const one = await desk.planned();
    await desk.select(one.appointmentId);
    await openDrawer(other.page, one.appointmentId);
    await Promise.all([desk.page().keyboard.press("p"), other.page.keyboard.press("p")]);
    await desk.until(one.appointmentId, (it) => it.pin?.technician === true);
    for (const page of [desk.page(), other.page]) await page.waitForSelector(isPinned(one.appointmentId));
    await Promise.any([desk.page(), other.page].map((page) => page.waitForSelector("dialog.ask .facts, .toast[data-bad=true]")));
    await desk.clearAll();
    await other.page.context().close();
  });
}

/* --- a large day --- */

interface BoardBody {
  technicians?: { technician?: { technicianId?: string; name?: string }; stops?: object[] }[];
  appointments?: { appointment?: { appointmentId?: string; workOrderId?: string; assignment?: object; status?: string } }[];
  nextPageToken?: string;
}

/* The day as it is, with the first technician's visits for five hundred of them. */
function enlarge(body: BoardBody): void {
  const [technician] = body.technicians ?? [];
  const model = (body.appointments ?? []).find((one) => one.appointment?.status === "SCHEDULED");
  if (technician === undefined || model === undefined) return;
  body.technicians = Array.from({ length: 500 }, (_, i) => ({ ...technician, stops: [],
    technician: { ...technician.technician, technicianId: `L${i}`, name: `Large ${i}` } }));
  body.appointments = body.technicians.flatMap((_, i) => Array.from({ length: 10 }, (_, j) => ({ ...model,
    predictedStartUs: "0", appointment: { ...model.appointment, appointmentId: `L${i}-${j}.1`, workOrderId: `L${i}-${j}`,
      assignment: { technicianId: `L${i}`, tentative: true },
      plannedStartUs: String(BigInt((model.appointment as { plannedStartUs?: string }).plannedStartUs ?? "0") + BigInt(j - 5) * 2_400_000_000n),
      plannedEndUs: String(BigInt((model.appointment as { plannedStartUs?: string }).plannedStartUs ?? "0") + BigInt(j - 5) * 2_400_000_000n + 1_800_000_000n) } })));
}

function largeTests(desk: Desk): void {
  test("500 technicians x 10 visits open, are walked by keys, and not all of them are in the document", async () => {
    const large = await openPage(desk.browser(), desk.system().login, { anonymous: true });
    const { page } = large;
    await page.route("**/api/Board", async (route: Route) => {
      const response = await route.fetch();
      const envelope = (await response.json()) as { body?: BoardBody };
      const asked = route.request().postDataJSON() as { afterSeq?: string };
      if (asked.afterSeq === undefined) enlarge(envelope.body ?? {});
      else Object.assign(envelope.body ?? {}, { technicians: [], appointments: [], fixes: [] });
      await route.fulfill({ response, json: envelope });
    });
    await page.fill("[name=name]", desk.system().login.name);
    await page.fill("[name=password]", desk.system().login.password);
    await page.click("button[type=submit]");
    await page.waitForSelector(".g-bar");
    assert.equal(await page.getAttribute(".g-grid", "aria-rowcount"), "501");
    assert.ok(await page.locator(".g-row").count() < 60);
    await page.locator(".g-name").first().click();
    for (let i = 0; i < 12; i++) await page.keyboard.press("PageDown");
    const row = () => page.evaluate(() => document.activeElement?.closest(".g-row")?.getAttribute("aria-rowindex"));
    assert.equal(await row(), "122");
    await page.keyboard.press("ArrowRight");
    assert.equal(await page.evaluate(() => (document.activeElement as HTMLElement).dataset["visit"]), "L120-0.1");
    await page.keyboard.press("/");
    await page.keyboard.type("large 499");
    await page.waitForSelector("#hit-0");
    await page.keyboard.press("Enter");
    await page.waitForSelector('.g-row-selected[data-technician="L499"] .g-bar');
    assert.ok(await page.locator(".g-row").count() < 60);
    await shoot(page, "large");
    assert.deepEqual(large.errors, []);
    await page.context().close();
  });

  test("a change of one visit touches one row of the Gantt, and no other", async () => {
    const quiet = await openPage(desk.browser(), desk.system().login, { anonymous: true });
    const { page } = quiet;
    let wanted = ""; // the visit that the next difference is about
    const sent: string[] = [];
    await page.route("**/api/Board", async (route: Route) => {
      const response = await route.fetch();
      const envelope = (await response.json()) as { body: BoardBody & { fixes?: object[]; complete?: boolean } };
      const asked = route.request().postDataJSON() as { afterSeq?: string };
      if (asked.afterSeq !== undefined && envelope.body.complete !== true) {
        const only = (envelope.body.appointments ?? []).filter((one) => one.appointment?.appointmentId === wanted);
        Object.assign(envelope.body, { technicians: [], fixes: [], appointments: only });
        if (only.length > 0) sent.push(wanted);
      }
      await route.fulfill({ response, json: envelope });
    });
    await page.fill("[name=name]", desk.system().login.name);
    await page.fill("[name=password]", desk.system().login.password);
    await page.click("button[type=submit]");
    await page.waitForFunction(() => document.querySelectorAll(".g-row").length === 8);
    const it = await desk.planned();
    await page.evaluate(() => {
      const rows = new Set<string>();
      (globalThis as unknown as { touched: Set<string> }).touched = rows;
      new MutationObserver((changes) => {
        for (const { target } of changes) {
          const element = target instanceof Element ? target : target.parentElement;
          /* The bars of whom is at work grow with time. */
          if (element?.closest(".g-working, .g-paused") != null) continue;
          const row = element?.closest<HTMLElement>(".g-row")?.dataset["technician"];
          if (row !== undefined) rows.add(row);
        }
      }).observe(document.querySelector(".g-body") ?? document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    });
    wanted = it.appointmentId;
    await desk.api("SetPin", { appointmentId: it.appointmentId, expectedVersion: it.version,
      pin: { technician: true, technicianId: it.assignment?.technicianId } });
    await page.waitForSelector(isPinned(it.appointmentId));
    assert.ok(sent.length > 0);
    const touched = await page.evaluate(() => [...(globalThis as unknown as { touched: Set<string> }).touched]);
    assert.deepEqual(touched, [it.assignment?.technicianId]);
    await page.context().close();
  });
}

/* --- names --- */

const names = [
  `"><script>window.hacked=1</script>`, `</textarea><svg/onload=window.hacked=1>`, `{name}`, `%s%n`,
  "\u202Etxt.exe\u202C \u0645\u0631\u062D\u0628\u0627 \u05E9\u05DC\u05D5\u05DD", "\u{1F469}\u200D\u{1F527}\u{20BB7}\u{1D11E}", "e\u0301\u0301\u0301\u0301\u0301",
  "\u540D".repeat(40), "W".repeat(120),
];

function nameTests(desk: Desk): void {
  test("scripts, letters from right to left, of four bytes and names without end are text, and the page keeps its shape", async () => {
    const page = await home(desk);
    for (const [index, name] of names.entries()) {
      const id = `N${index}`;
      await desk.addOrder(id, {
        customer: { customerId: `C-${id}`, name }, note: name,
        site: { siteId: `S-${id}`, customerId: `C-${id}`, address: name, point: { latE7: 473700000, lonE7: 95500000 } },
        contact: { contactId: `K-${id}`, customerId: `C-${id}`, name, phone: "+4235550101" },
      });
    }
    for (const [index, name] of names.entries()) {
      await desk.select(`N${index}.1`);
      assert.ok((await page.textContent(".drawer"))?.includes(name), name);
    }
    await shoot(page, "names");
    assert.equal(await page.evaluate(() => (globalThis as unknown as { hacked?: number }).hacked), undefined);
    assert.equal(await page.locator("script:not([src]), svg[onload]").count(), 0);
    const wider = await page.evaluate(() => [...document.querySelectorAll(".drawer, .list, .header, .strip, body")]
      .filter((it) => it.scrollWidth > it.clientWidth + 1).map((it) => it.className));
    assert.deepEqual(wider, []);
    await desk.clearAll();
  });
}

/* --- a normal start --- */

function startTests(desk: Desk): void {
  test("a normal start writes nothing into the browser's console, not even of what is missing", async () => {
    const context = await desk.browser().newContext();
    const page = await context.newPage();
    const said: string[] = [], refused: string[] = [];
    page.on("console", (message) => { if (message.type() !== "log") said.push(message.text()); });
    page.on("response", (response) => { if (response.status() >= 400) refused.push(`${response.status()} ${response.url()}`); });
    await page.goto(desk.system().login.address);
    await page.fill("[name=name]", desk.system().login.name);
    await page.fill("[name=password]", desk.system().login.password);
    await page.click("button[type=submit]");
    await page.waitForSelector(".g-bar");
    await page.waitForSelector("canvas.m-technicians");
    await page.reload();
    await page.waitForSelector(".g-bar");
    assert.deepEqual([said, refused], [[], []]);
    await context.close();
  });
}

export function robustTests(desk: Desk): void {
  startTests(desk);
  nameTests(desk);
  largeTests(desk);
  togetherTests(desk);
  streamTests(desk);
  restartTests(desk);
}
