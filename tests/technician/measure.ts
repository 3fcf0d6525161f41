/* measure.ts - what the technicians' app costs, as "metric,value,unit" lines for tests/bench/technician.sh:
 * bytes over the wire until it can be used offline, a tap until it is saved, a change of plan until an
 * open app shows it, an offline start until the day can be used: by the page's own clock, from the
 * navigation to the picture with the button in it, and by ours, with the making of a new tab and what
 * asking the browser takes. */
import { createServer, connect, type AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { big, nextId, show } from "./hands.ts";
import {
  addPhone, ask, awaitWorker, openBrowser, openPhone, reopen, startSystem, type Phone, type System,
} from "./system.ts";

const count = 40;
const print = (metric: string, value: number, unit: string) => console.log(`${metric},${value.toFixed(1)},${unit}`);

function printQuantiles(metric: string, times: number[]): void {
  const sorted = [...times].sort((one, other) => one - other);
  for (const share of [50, 95])
    print(`${metric}_p${share}`, sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * share) / 100))] ?? 0, "ms");
}

/* Counts what comes down; the worker's own fetches are among it, which no page sees. */
async function countingProxy(base: string): Promise<{ base: string; bytes(): number; close(): void }> {
  let bytes = 0;
  const server = createServer((phone) => {
    const gateway = connect(Number(new URL(base).port), "127.0.0.1");
    gateway.on("data", (part: Buffer) => (bytes += part.length));
    gateway.pipe(phone).pipe(gateway);
    for (const end of [phone, gateway]) end.on("error", () => { phone.destroy(); gateway.destroy(); });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bytes: () => bytes, close: () => void server.close(),
  };
}

async function firstLoad(system: System, browser: Awaited<ReturnType<typeof openBrowser>>): Promise<void> {
  const proxy = await countingProxy(system.base);
  const phone = await addPhone(browser, proxy.base);
  await phone.page.goto(`${proxy.base}/technician/`);
  await phone.page.waitForSelector(".enrol");
  const page = proxy.bytes();
  await awaitWorker(phone);
  print("first_load", page / 1024, "KB");
  print("first_load_with_worker", proxy.bytes() / 1024, "KB");
  await phone.context.close();
  proxy.close();
}

/* With the page's own clock: from the press to the emptied field, which is said after the store. */
function savedMs(page: Page, text: string): Promise<number> {
  return page.evaluate((words) => new Promise<number>((resolve) => {
    const place = document.querySelector<HTMLTextAreaElement>(".add textarea")!;
    place.value = words;
    place.dispatchEvent(new Event("input", { bubbles: true }));
    requestAnimationFrame(() => {
      const from = performance.now();
      const look = () => (place.value === "" ? resolve(performance.now() - from) : void setTimeout(look, 0));
      document.querySelector<HTMLButtonElement>(".add button")!.click();
      look();
    });
  }), text);
}

async function planChanges(system: System, key: string, page: Page, id: string): Promise<number[]> {
  const times: number[] = [];
  for (let change = 0; change < count; change++) {
    const technicianId = change % 2 === 0 ? "T01" : "T02";
    const seen = page.waitForSelector(`a.row[href$="${id}"]`, { state: change % 2 === 0 ? "attached" : "detached" });
    const from = performance.now();
    await ask(system, key, "Assign", { appointmentId: id, technicianId, overrideReason: "measured" });
    await seen;
    times.push(performance.now() - from);
  }
  return times;
}

declare global {
  var usableMs: Promise<number>;
}

/* In every page from now on: when the picture after the one big button came is on its way. */
function noteUsable(button: string): void {
  globalThis.usableMs = new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (document.querySelector(button) === null) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now()), 0));
    });
    observer.observe(document, { childList: true, subtree: true });
  });
}

async function offlineStarts(phone: Phone, base: string): Promise<{ page: number[]; tab: number[] }> {
  await awaitWorker(phone);
  await phone.context.setOffline(true);
  await phone.context.addInitScript(noteUsable, big);
  const page: number[] = [], tab: number[] = [];
  for (let start = 0; start < 20; start++) {
    const from = performance.now();
    await reopen(phone, base);
    page.push(await phone.page.evaluate(() => globalThis.usableMs));
    tab.push(performance.now() - from);
  }
  return { page, tab };
}

const browser = await openBrowser();
const system = await startSystem(2);
try {
  await firstLoad(system, browser);
  const key = await system.key();
  const other = await openPhone(browser, system, "T02");
  const id = await nextId(other.page);
  await other.context.close();
  const phone = await openPhone(browser, system, "T01");
  printQuantiles("plan_change_shown", await planChanges(system, key, phone.page, id));
  await show(phone.page, "messages");
  await phone.page.waitForSelector(".add textarea");
  const taps: number[] = [];
  for (let tap = 0; tap < count; tap++) taps.push(await savedMs(phone.page, `message ${tap}`));
  printQuantiles("tap_saved", taps);
  const { page, tab } = await offlineStarts(phone, system.base);
  printQuantiles("offline_reload", page);
  printQuantiles("offline_start", tab);
} finally {
  await browser.close();
  await system.stop();
}
