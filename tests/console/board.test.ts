/* The board: who logs in sees the fleet live, finds what needs him, by mouse and by keys alone. */
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { barriers, fillIn, openBrowser, openPage, patience, shoot, startDemo, type System, type Watched } from "./system.ts";

let system: System, browser: Browser, board: Watched;

before(async () => {
  [system, browser] = await Promise.all([startDemo(240), openBrowser()]);
  board = await openPage(browser, system.login);
  await board.page.waitForSelector(".g-bar");
});
after(async () => {
  await browser?.close();
  await system?.stop();
});

const query = (page: Page, name: string) => new URL(page.url()).searchParams.get(name);

test("a wrong password is told without telling what was wrong, and the right one is asked for by name", async () => {
  const { page, errors } = await openPage(browser, system.login, { anonymous: true });
  await fillIn(page, { ...system.login, password: "not the password" });
  await page.waitForSelector("text=Name or password is wrong.");
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "login");
  assert.deepEqual(errors, []);
  await page.context().close();
});

test("the fleet lives on the board, without anybody touching it", async () => {
  const { page } = board;
  assert.equal(await page.locator(".g-row").count(), 8);
  await page.waitForSelector(".m-technicians canvas, canvas.m-technicians");
  for (const phase of [".g-driving", ".g-working", ".g-done"])
    await page.waitForSelector(phase, { timeout: 3 * patience });
  const line = () => page.locator(".g-now").evaluate((it) => it.style.transform);
  const then = await line();
  await page.waitForFunction((was) => (document.querySelector(".g-now") as HTMLElement).style.transform !== was, then);
  assert.equal(await page.textContent(".connection"), "Live");
  await shoot(page, "board");
});

test("chips and list say the same", async () => {
  await board.page.waitForFunction(() => {
    const sum = [...document.querySelectorAll(".chip b")].reduce((all, it) => all + Number(it.textContent), 0);
    return sum === document.querySelectorAll(".exception").length;
  });
});

test("what is selected is selected everywhere, and in the address", async () => {
  const { page } = board;
  await page.locator(".g-bar").first().click();
  const id = query(page, "visit");
  assert.notEqual(id, null);
  await page.waitForSelector(`.g-bar.g-selected[data-visit="${id}"]`);
  await page.keyboard.press("Escape");
  await page.waitForFunction(() => !location.search.includes("visit="));
});

test("`/` finds a technician, by keys alone", async () => {
  const { page } = board;
  await page.keyboard.press("/");
  await page.keyboard.type("kaya");
  await page.waitForSelector("#hit-0");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".g-row-selected");
  assert.equal(await page.locator(".g-row-selected .g-name-text").textContent(), "Elif Kaya");
  await page.keyboard.press("Escape");
});

test("the grid is one tab stop, and arrows walk it", async () => {
  const { page } = board;
  await page.locator(".g-row:has(.g-bar) .g-name").first().click();
  assert.equal(await page.locator('.g-grid [tabindex="0"]').count(), 1);
  const focused = () => page.evaluate(() => {
    const it = document.activeElement as HTMLElement;
    return { role: it.getAttribute("role"), row: it.closest<HTMLElement>(".g-row")?.dataset["technician"], visit: it.dataset["visit"] };
  });
  assert.equal((await focused()).role, "rowheader");
  const row = (await focused()).row;
  await page.keyboard.press("ArrowRight");
  assert.equal((await focused()).role, "gridcell");
  await page.keyboard.press("ArrowDown");
  assert.notEqual((await focused()).row, row);
  await page.keyboard.press("ArrowUp");
  assert.equal((await focused()).row, row);
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  const { visit } = await focused();
  await page.keyboard.press("Enter");
  await page.waitForFunction((id) => new URLSearchParams(location.search).get("visit") === id, visit ?? "");
  assert.equal(await page.locator('.g-grid [tabindex="0"]').count(), 1);
  await page.keyboard.press("Escape");
});

test("every bar is wide and high enough for a finger", async () => {
  const small = await board.page.locator(".g-bar").evaluateAll((bars) =>
    bars.filter((bar) => bar.clientWidth < 20 || bar.getBoundingClientRect().width < 24 || bar.getBoundingClientRect().height < 24).length);
  assert.equal(small, 0);
});

test("no bar is more than one part of what is painted, and its words end within it", async () => {
  const { page } = board;
  const wrong = await page.evaluate(() => {
    const parts = (it: Element) => {
      const style = getComputedStyle(it);
      return it instanceof SVGElement || style.overflow !== "visible" || style.filter !== "none" || style.transform !== "none" ||
        style.willChange !== "auto" || style.clipPath !== "none" || style.maskImage !== "none";
    };
    return [...document.querySelectorAll(".g-bar")].flatMap((bar) => {
      const box = bar.getBoundingClientRect();
      const inner = [...bar.querySelectorAll("*")];
      const outside = inner.filter((it) => it.matches(".g-label") && it.getBoundingClientRect().right > box.right + 1);
      return [bar, ...inner].filter(parts).concat(outside).map((it) => `${it.outerHTML} of ${bar.outerHTML}`);
    });
  });
  assert.deepEqual(wrong, []);
  const glyph = await page.evaluate(() => getComputedStyle(document.querySelector(".g-glyph") ?? document.body).backgroundImage);
  assert.match(glyph, /^url\("data:image\/svg/);
});

test("the bars between the panes are dragged, pressed and moved by keys, and stay where they were left", async () => {
  const { page } = board;
  const size = async (selector: string, side: "height" | "width") => (await page.locator(selector).boundingBox())?.[side] ?? 0;
  const flat = page.locator(".splitter-flat"), upright = page.locator(".splitter-upright");
  const height = await size(".map-pane", "height"), width = await size(".list", "width");
  const from = await flat.boundingBox() ?? assert.fail();
  await page.mouse.move(from.x + 200, from.y + 3);
  await page.mouse.down();
  await page.mouse.move(from.x + 200, from.y - 100, { steps: 3 });
  await page.mouse.up();
  assert.ok(Math.abs(height - 103 - await size(".map-pane", "height")) < 8);
  await upright.focus();
  await page.keyboard.press("ArrowLeft");
  assert.equal(await size(".list", "width"), width + 20);
  await page.reload();
  await page.waitForSelector(".g-bar");
  assert.equal(await size(".list", "width"), width + 20);
  assert.equal(await upright.getAttribute("aria-valuenow"), String(width + 20));
  for (const bar of [flat, upright]) await bar.click();
  await flat.focus();
  await page.keyboard.press("Home");
  assert.ok(await size(".map-pane", "height") < 80);
  for (let i = 0; i < 2; i++) await page.keyboard.press("Enter");
  const low = await page.locator(".g-row").first().boundingBox() ?? assert.fail();
  await page.locator(".gantt-tools button:has(.icon-rows)").click();
  await page.waitForFunction((was) => (document.querySelector(".g-row")?.getBoundingClientRect().height ?? was) !== was, low.height);
});

test("`?` lists the keys; those of a single letter can be turned off", async () => {
  const { page } = board;
  await page.keyboard.press("?");
  await page.waitForSelector("dialog.keys[open]");
  await page.click("dialog.keys input[type=checkbox]");
  await page.keyboard.press("Escape");
  await page.waitForSelector("dialog.keys", { state: "hidden" });
  await page.keyboard.press("w");
  assert.equal(query(page, "view"), null);
  await page.keyboard.press("?");
  await page.click("dialog.keys input[type=checkbox]");
  await page.keyboard.press("Escape");
  await page.keyboard.press("w");
  await page.waitForSelector(".wall");
  assert.deepEqual(await barriers(page), []);
  await shoot(page, "wall");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".g-bar");
});

test("nothing stands in the way of who cannot see or point, in light and dark and German", async () => {
  assert.deepEqual(await barriers(board.page), []);
  const dark = await openPage(browser, system.login, { dark: true, locale: "de-CH" });
  await dark.page.waitForSelector(".g-bar");
  assert.equal(await dark.page.getAttribute("html", "lang"), "de");
  assert.deepEqual(await barriers(dark.page), []);
  await shoot(dark.page, "board-dark-de");
  assert.deepEqual(dark.errors, []);
  await dark.page.context().close();
});

test("a page loaded anew goes on: the same session, the same view", async () => {
  const { page } = board;
  await page.click(".chip-noContact");
  await page.waitForFunction(() => location.search.includes("show=noContact"));
  await page.reload();
  await page.waitForSelector(".g-bar");
  assert.equal(await page.getAttribute(".chip-noContact", "aria-pressed"), "true");
  await page.click(".chip-noContact");
});

test("a server that is out of reach is told, and so is that it is back", async () => {
  const { page } = board;
  await page.context().setOffline(true);
  await page.waitForSelector('.connection[data-state="lost"]', { timeout: patience });
  await page.context().setOffline(false);
  await page.waitForSelector('.connection[data-state="live"]', { timeout: patience });
});

test("who logs out is out, and nothing was asked of any other host", async () => {
  const { page, errors, foreign } = board;
  await page.click("text=Log out");
  await page.waitForSelector(".login");
  await page.reload();
  await page.waitForSelector(".login");
  assert.deepEqual(errors, []);
  assert.deepEqual(foreign, []);
});
