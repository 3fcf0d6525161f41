/* work.test.ts - all that a visit may need: a checklist with required items, photos that are sent in
 * pieces through a kill, a signature, a further visit, what is missing; and positions, in shift only.
 * What came of it is looked at where dispatchers look: in the console's drawer. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page, Request } from "playwright-core";
import { addPerson, openPage } from "../console/system.ts";
import { awaitStatus, serve, show, standingOf, tap, unsent, until } from "./hands.ts";
import { browser, key, openRoom, system } from "./room.ts";
import { ask, openPhone, reopen, shoot, type Phone } from "./system.ts";

interface Detail {
  answers?: { itemId?: string; value?: string }[];
  notes?: { text?: string }[];
  attachments?: { kind?: string; size?: number; name?: string; kept?: boolean }[];
}
interface Board {
  appointments?: { appointment?: { appointmentId?: string }; workOrder?: object }[];
  technicians?: { technician?: { technicianId?: string }; lastFix?: { point?: { latE7?: number } } }[];
}

const id = "WORK.1";
const nowUs = BigInt(Date.parse("2026-11-23T06:30:00Z")) * 1000n;
const siteOf = (workOrderId: string) =>
  ({ siteId: `S-${workOrderId}`, address: "Mill Lane 1", point: { latE7: 473700000, lonE7: 95500000 } });

/* Nobody but T01 may have it. */
async function order(workOrderId: string, more: object = {}): Promise<void> {
  await ask(system, key, "UpsertWorkOrder", { workOrder: {
    workOrderId, territoryId: "north", workType: "repair", serviceSeconds: 1800, priority: 9,
    site: siteOf(workOrderId),
    requiredTechnicianIds: ["T01"],
    windows: [{ startUs: String(nowUs), endUs: String(nowUs + 8n * 3_600_000_000n) }], ...more,
  } });
}

openRoom(4, async () => {
  await order("WORK", { checklist: [
    { itemId: "gas", text: "Gas is off", required: true },
    { itemId: "bar", text: "Pressure in bar", required: true, kind: "ITEM_NUMBER" },
    { itemId: "word", text: "Remarks", kind: "ITEM_TEXT" },
  ] });
  for (const name of ["PART", "UNSAFE", "HELP"]) await order(name);
  await order("TYPE", { checklist: [{ itemId: "word", text: "Remarks", kind: "ITEM_TEXT" }] });
});

const detail = () => ask<Detail>(system, key, "WorkOrderDetail", { appointmentId: id });
const saved = (page: Page) => page.waitForSelector(".toast:not(.bad)");

/* Noise, as a camera of today takes it: what cannot be packed well. */
async function photo(page: Page): Promise<Buffer> {
  const text = await page.evaluate(() => {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: 2400, height: 1600 });
    const pen = canvas.getContext("2d")!, picture = pen.createImageData(2400, 1600);
    for (let at = 0, state = 1; at < picture.data.length; at++) {
      state = (state * 48_271) % 2_147_483_647;
      picture.data[at] = at % 4 === 3 ? 255 : state % 256;
    }
    pen.putImageData(picture, 0, 0);
    return canvas.toDataURL("image/jpeg", 0.9).split(",")[1] ?? "";
  });
  return Buffer.from(text, "base64");
}

const offsetOf = (request: Request) => Number((request.postDataJSON() as { offset?: string }).offset);

/* The app is killed when some of it is with the server, and goes on from there. */
async function photoThroughKill(phone: Phone): Promise<void> {
  const bytes = await photo(phone.page);
  assert.ok(bytes.length > 1_000_000, "it is large");
  let pieces = 0;
  await phone.context.route("**/api/PutBlob", (route) => (++pieces > 2 ? route.abort() : route.continue()));
  await phone.page.setInputFiles(".section input[type=file]", { name: "IMG.jpg", mimeType: "image/jpeg", buffer: bytes });
  await phone.page.waitForSelector(".proofs li img");
  await until(() => Promise.resolve(pieces), (count) => count > 2, "pieces");
  await shoot(phone.page, "photo");
  await reopen(phone, system.base);
  const offsets: number[] = [];
  phone.context.on("request", (request) => {
    if (request.url().endsWith("/api/PutBlob")) offsets.push(offsetOf(request));
  });
  await phone.context.unroute("**/api/PutBlob");
  await phone.page.evaluate(() => void dispatchEvent(new Event("online"))); // it need not wait
  const { attachments } = await until(detail, (it) => it.attachments?.[0]?.kept === true, "the photo is kept");
  assert.ok((attachments?.[0]?.size ?? 0) <= 300 * 1024, "it was made small");
  assert.ok((offsets[0] ?? 0) > 0, `it began at ${offsets[0]} again`);
}

async function sign(page: Page): Promise<void> {
  await page.click("button:has-text('Signature')");
  await page.fill("dialog[open] input", "Eva Vogt");
  const box = await page.locator("canvas.signature").boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + 30, box.y + 60);
  await page.mouse.down();
  for (let step = 1; step < 12; step++)
    await page.mouse.move(box.x + 30 + step * 20, box.y + 60 + (step % 2) * 40);
  await page.mouse.up();
  await shoot(page, "signature");
  await page.click("dialog[open] .primary.big");
  await page.waitForSelector("dialog", { state: "detached" });
}

test("a visit with all that belongs to it", async () => {
  const phone = await openPhone(browser, system, "T01", { idle: true });
  await show(phone.page, `visit/${id}`);
  for (const step of ["Accept", "On my way", "Check in", "Check out"]) await tap(phone.page, step);
  assert.ok(await phone.page.isDisabled("dialog[open] .primary.big"), "required items are open");
  assert.match(await phone.page.innerText("dialog[open] .notice"), /2 required items.*Gas is off.*Pressure/s);
  await shoot(phone.page, "required");
  await phone.page.keyboard.press("Escape");
  await phone.page.check(".check input");
  await saved(phone.page);
  await phone.page.fill(".stack .field input >> nth=0", "2.5");
  await phone.page.press(".stack .field input >> nth=0", "Tab");
  await phone.page.waitForSelector(".section h2:has-text('2/3')");
  await phone.page.fill(".notes ~ .add textarea, .add textarea", "the valve is old");
  await phone.page.click(".add button");
  await phone.page.waitForSelector(".notes li:has-text('the valve is old')");
  await until(() => unsent(phone.page), (count) => count === 0, "all is sent");
  assert.equal(await phone.page.locator(".notes li").count(), 1, "a note is shown once");
  await shoot(phone.page, "checklist");
  await photoThroughKill(phone);
  await show(phone.page, `visit/${id}`);
  await sign(phone.page);
  await until(detail, (it) => it.attachments?.length === 2 && it.attachments.every((one) => one.kept), "both are kept");
  await tap(phone.page, "Check out");
  await phone.page.check("dialog[open] .check input");
  await phone.page.fill("dialog[open] textarea", "a new valve");
  await shoot(phone.page, "outcome");
  await phone.page.click("dialog[open] .primary.big");
  await awaitStatus(system, key, id, "COMPLETED");
  const { answers, notes, attachments } = await detail();
  assert.deepEqual(answers?.map((one) => [one.itemId, one.value]).sort(), [["bar", "2.5"], ["gas", "yes"]]);
  assert.deepEqual(notes?.map((one) => one.text), ["the valve is old"]);
  assert.deepEqual(attachments?.map((one) => one.kind), ["PHOTO", "SIGNATURE"]);
  const { appointments } = await ask<Board>(system, key, "Board", { territoryId: "north" });
  assert.ok(appointments?.some((one) => one.appointment?.appointmentId?.startsWith("WORK-f")), "a further visit");
  assert.deepEqual(phone.errors, []);
  await phone.context.close();
});

test("the console's drawer shows it", async () => {
  const login = await addPerson({ ...system, login: { address: system.base, name: "", password: "" }, pid: 0 },
    "desk", "dispatcher");
  const { page, errors } = await openPage(browser, login, { view: `?visit=${id}` });
  await page.waitForSelector(".field-record img >> nth=1");
  const text = await page.innerText(".field-record");
  for (const word of ["Gas is off", "2.5", "the valve is old", "Eva Vogt"]) assert.ok(text.includes(word), word);
  const drawn = await page.locator(".field-record img").evaluateAll((all) =>
    Promise.all(all.map((one) => (one as HTMLImageElement).decode().then(() => (one as HTMLImageElement).naturalWidth))));
  assert.ok(drawn.every((width) => width > 100), `${drawn}`);
  await page.locator(".field-record").scrollIntoViewIfNeeded();
  await shoot(page, "drawer");
  assert.deepEqual(errors, []);
  await page.context().close();
});

async function need(page: Page, order: string, label: string, text: string): Promise<void> {
  await show(page, `visit/${order}.1`);
  await page.click(".next button:has-text('More')");
  await page.click(`dialog[open] .choice:has-text("${label}")`);
  await page.fill("dialog[open] textarea", text);
  await shoot(page, `need-${order}`);
  await page.click("dialog[open] .primary.big");
  await page.waitForSelector("dialog", { state: "detached" });
}

test("what is needed is heard: a part and an unsafe site take the visit off the route, help does not", async () => {
  const { page, context, errors } = await openPhone(browser, system, "T01");
  await need(page, "PART", "Need a part", "a valve");
  await need(page, "UNSAFE", "Not safe here", "a dog");
  await need(page, "HELP", "Need help", "too heavy");
  await page.waitForSelector(".next .notice:has-text('Help was asked for')");
  for (const name of ["PART", "UNSAFE"])
    await until(() => standingOf(system, key, `${name}.1`), (now) => now.technician === "", `${name} leaves his route`);
  await show(page, "visit/PART.1");
  await page.waitForSelector("h1:has-text('Not in your day')");
  assert.equal((await standingOf(system, key, "HELP.1")).technician, "T01");
  await show(page, "visit/HELP.1");
  await serve(page);
  await awaitStatus(system, key, "HELP.1", "COMPLETED");
  assert.deepEqual(errors, []);
  await context.close();
});

test("what is being typed outlives news of the same visit, the place of the next letter, too", async () => {
  const { page, context, errors } = await openPhone(browser, system, "T01", { idle: true });
  await show(page, "visit/TYPE.1");
  const remark = page.locator(".stack .field input"), note = page.locator(".add textarea");
  await note.fill("half a no");
  await remark.click();
  await page.keyboard.type("half a rrk");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  for (const accessNote of ["by the yard", "the bell is broken"]) {
    await order("TYPE", { site: { ...siteOf("TYPE"), accessNote }, checklist: [
      { itemId: "word", text: `Remarks, as ${accessNote}`, kind: "ITEM_TEXT" },
    ] });
    await page.waitForSelector(`.facts dd:has-text("${accessNote}")`);
    await page.keyboard.type("e");
  }
  assert.equal(await remark.inputValue(), "half a reerk");
  assert.equal(await note.inputValue(), "half a no");
  assert.deepEqual(errors, []);
  await context.close();
});

async function agree(phone: Phone): Promise<void> {
  await phone.context.grantPermissions(["geolocation"], { origin: system.base });
  await phone.context.setGeolocation({ latitude: 47.3712345, longitude: 9.55 });
  await show(phone.page, "me");
  await phone.page.click("button:has-text('Share my position')");
  await phone.page.waitForSelector("button:has-text('Stop sharing')");
}

const fixOf = async (technician: string) => (await ask<Board>(system, key, "Board", { territoryId: "north" }))
  .technicians?.find((one) => one.technician?.technicianId === technician)?.lastFix;

test("positions: after a yes, in shift, with a sign, and no more after a no", async () => {
  const phone = await openPhone(browser, system, "T01", { idle: true });
  await show(phone.page, "me");
  assert.equal(await phone.page.locator(".tracked").count(), 0);
  await agree(phone);
  await phone.page.waitForSelector(".tracked");
  await phone.page.waitForSelector(".notice.good:has-text('shared now')");
  await shoot(phone.page, "positions");
  const { point } = await until(async () => (await fixOf("T01")) ?? {}, (it) => it.point !== undefined,
    "his place is with the dispatchers");
  assert.equal(point?.latE7, 473712345);
  await phone.page.click("button:has-text('Stop sharing')");
  await phone.page.waitForSelector(".tracked", { state: "detached" });
  assert.deepEqual(phone.errors, []);
  await phone.context.close();
});

test("off shift the phone is not even asked for its place", async () => {
  const phone = await openPhone(browser, system, "T04", { idle: true });
  await phone.page.evaluate(() => {
    const real = navigator.geolocation.watchPosition.bind(navigator.geolocation);
    Object.assign(globalThis, { asked: 0 });
    navigator.geolocation.watchPosition = (...words) => {
      (globalThis as unknown as { asked: number }).asked++;
      return real(...words);
    };
  });
  await agree(phone);
  await phone.page.waitForSelector(".notice:has-text('Nothing is shared off shift')");
  assert.equal(await phone.page.locator(".tracked").count(), 0);
  assert.equal(await phone.page.evaluate(() => (globalThis as unknown as { asked: number }).asked), 0);
  assert.equal(await fixOf("T04"), undefined);
  assert.deepEqual(phone.errors, []);
  await phone.context.close();
});
