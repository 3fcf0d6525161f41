/* console.mjs - drives the operator console in Chromium and prints "metric,value,unit" lines.
 *
 * Frames are counted by the page's own animation frames; script is read from the browser's trace,
 * not from marks in the page, so what is measured is what is shipped. It is the thread's own time:
 * what others did with the core meanwhile is not in it.
 */
import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const { chromium } = createRequire(new URL("../../gateway/web/package.json", import.meta.url))("playwright-core");
const { values: options } = parseArgs({
  options: {
    name: { type: "string" }, url: { type: "string" }, user: { type: "string" }, password: { type: "string" },
    seconds: { type: "string", default: "10" }, "heap-hours": { type: "string", default: "0" },
    rate: { type: "string", default: "1" },
  },
});
const seconds = Number(options.seconds);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

const print = (metric, value, unit) => console.log(`${options.name}_${metric},${value},${unit}`);
const at = (sorted, share) => sorted.length === 0 ? 0 : sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const quantiles = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { p50: at(sorted, 0.5).toFixed(2), p95: at(sorted, 0.95).toFixed(2) };
};

async function open(browser) {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 950 } })).newPage();
  await page.goto(options.url);
  await page.locator("input[name=name]").fill(options.user);
  await page.locator("input[name=password]").fill(options.password);
  await page.keyboard.press("Enter");
  await page.locator("[data-visit]").first().waitFor({ timeout: 120_000 });
  return page;
}

/* Everything anew, as on the first day: bytes over the wire, and until bars are there. */
async function load(page) {
  const cdp = await page.context().newCDPSession(page);
  let bytes = 0;
  await cdp.send("Network.enable");
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: true });
  cdp.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; });
  const began = Date.now();
  await page.reload({ waitUntil: "commit" });
  await page.locator("[data-visit]").first().waitFor({ timeout: 120_000 });
  const ready = Date.now() - began;
  await page.waitForTimeout(2_000); /* the map's tiles count, too */
  print("first_load", (bytes / 1000).toFixed(0), "kB");
  print("ready", ready, "ms");
  await cdp.detach();
}

/* Intervals between animation frames while `act` goes on. */
async function frames(page, act) {
  await page.evaluate(() => {
    globalThis.benchFrames = [];
    let last = performance.now();
    const tick = (now) => {
      globalThis.benchFrames.push(now - last);
      last = now;
      globalThis.benchFrame = requestAnimationFrame(tick);
    };
    globalThis.benchFrame = requestAnimationFrame(tick);
  });
  await act();
  return page.evaluate(() => {
    cancelAnimationFrame(globalThis.benchFrame);
    return globalThis.benchFrames;
  });
}

async function liveFrames(page) {
  const intervals = await frames(page, () => page.waitForTimeout(seconds * 1000));
  const total = intervals.reduce((sum, ms) => sum + ms, 0);
  print("frames", (intervals.length / total * 1000).toFixed(1), "1/s");
}

/* Script of each turn of the page's main thread, of those that had any to speak of (0.1 ms): what an
 * update costs, drawing included. And how many facts came meanwhile. */
async function updates(browser, page) {
  let first = 0, last = 0;
  const hear = async (response) => {
    if (!/\/api\/(Board|EventFeed)/.test(response.url())) return;
    const seq = Number((await response.json().catch(() => ({}))).logSeq ?? 0);
    if (first === 0) first = seq;
    last = Math.max(last, seq);
  };
  page.on("response", hear);
  await browser.startTracing(page, { categories: ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel"] });
  await page.waitForTimeout(seconds * 1000);
  const trace = JSON.parse((await browser.stopTracing()).toString());
  const events = trace.traceEvents.filter((one) => one.ph === "X" && one.dur !== undefined);
  const threads = new Map();
  for (const one of events)
    if (one.name === "FireAnimationFrame") threads.set(`${one.pid}/${one.tid}`, (threads.get(`${one.pid}/${one.tid}`) ?? 0) + 1);
  const main = [...threads].sort((a, b) => b[1] - a[1])[0]?.[0];
  const names = new Set(["FireAnimationFrame", "RunMicrotasks", "FunctionCall", "TimerFire", "EventDispatch", "v8.callFunction"]);
  const script = events.filter((one) => names.has(one.name) && `${one.pid}/${one.tid}` === main).sort((a, b) => a.ts - b.ts);
  const turns = [];
  let until = 0;
  for (const one of script) {
    if (one.ts < until) continue; /* inside of the one before */
    until = one.ts + one.dur;
    const own = one.tdur ?? one.dur;
    if (own >= 100) turns.push(own / 1000);
  }
  const { p50, p95 } = quantiles(turns);
  print("update_script_p50", p50, "ms");
  print("update_script_p95", p95, "ms");
  page.off("response", hear);
  print("updates", ((last - first) / seconds).toFixed(1), "1/s");
}

async function drag(page) {
  const bar = page.locator("[role=gridcell][data-visit]").first();
  const box = await bar.boundingBox();
  if (box === null) return;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  const intervals = await frames(page, async () => {
    await page.mouse.down();
    for (let step = 0; step < 120; step++)
      await page.mouse.move(box.x + 20 + step * 4, box.y + 10 + (step % 60) * 3);
  });
  await page.keyboard.press("Escape");
  await page.mouse.up();
  const { p50, p95 } = quantiles(intervals);
  print("drag_frame_p50", p50, "ms");
  print("drag_frame_p95", p95, "ms");
}

/* From a key pressed here to its change on the other dispatcher's screen. The visits are those that
 * lie farthest ahead, so that nobody sets out for one meanwhile; an optimizer that planned one anew
 * makes it a clash, which its author affirms: then it begins there. What was not seen within
 * `sightMs` counts as that. */
const sightMs = 10_000;
async function together(browser, page) {
  const other = await open(browser);
  const took = [];
  let clashes = 0, unseen = 0;
  await page.keyboard.press("Escape");
  for (let round = 0; round < 20; round++) {
    const id = await page.evaluate((at) => {
      const bars = [...document.querySelectorAll(".g-bar.g-planned")].filter((bar) => bar.querySelector(".icon-pin") === null);
      bars.sort((a, b) => b.offsetLeft - a.offsetLeft || (a.dataset.visit < b.dataset.visit ? -1 : 1));
      return bars[at]?.dataset.visit;
    }, round);
    if (id === undefined) break;
    const selector = `.g-bar[data-visit="${id}"]`;
    await page.evaluate((where) => document.querySelector(where)?.click(), selector);
    await page.waitForSelector(`[data-visit-drawer="${id}"]`);
    let over = false;
    const seen = other.waitForSelector(`${selector} .icon-pin`, { state: "attached", timeout: sightMs })
      .then(() => true, () => false).finally(() => { over = true; });
    let began = Date.now();
    await page.keyboard.press("p");
    const affirm = async () => {
      while (!over) {
        const clash = await page.waitForSelector("dialog.ask[open] button[type=submit]", { timeout: 200 }).catch(() => null);
        if (clash === null) continue;
        clashes++;
        began = Date.now();
        await clash.click();
      }
    };
    const [isSeen] = await Promise.all([seen.then((it) => ({ it, at: Date.now() })), affirm()]);
    took.push(isSeen.it ? isSeen.at - began : sightMs);
    if (!isSeen.it) unseen++;
    if (await page.locator("dialog[open]").count() > 0) await page.keyboard.press("Escape");
  }
  await page.keyboard.press("Escape");
  const { p50, p95 } = quantiles(took);
  print("other_sees_p50", p50, "ms");
  print("other_sees_p95", p95, "ms");
  print("other_sees_clashes", clashes, "");
  print("other_sees_never", unseen, "");
  await other.context().close();
}

async function heap(page) {
  const cdp = await page.context().newCDPSession(page);
  const used = async () => {
    for (let i = 0; i < 3; i++) await cdp.send("HeapProfiler.collectGarbage");
    return (await cdp.send("Runtime.getHeapUsage")).usedSize;
  };
  await page.waitForTimeout(20_000); /* whatever is made once, is made by now */
  const before = await used();
  await page.waitForTimeout(Number(options["heap-hours"]) * 3_600_000 / Number(options.rate));
  const after = await used();
  print("heap", (after / 1e6).toFixed(2), "MB");
  print("heap_growth", ((after / before - 1) * 100).toFixed(1), "%");
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
try {
  const page = await open(browser);
  page.on("pageerror", (error) => console.error(`console: ${error.message}`));
  if (Number(options["heap-hours"]) > 0) await heap(page);
  else {
    await load(page);
    await liveFrames(page);
    await updates(browser, page);
    await drag(page);
    await together(browser, page);
  }
} finally {
  await browser.close();
}
