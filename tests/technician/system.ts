/* system.ts - `callout serve` with a day of two technicians, and phones in a browser.
 *
 * What is tested is what a technician gets: the pages that the gateway gives away, over HTTP on
 * localhost. Whatever was opened is closed at the end, however the tests end. No test waits for a
 * time: it waits for what shall be seen, with a generous limit.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";

export const patience = 60_000;
const callout = process.env["CALLOUT_BINARY"] ?? "";
const day = process.env["CALLOUT_DAY"] ?? "";

export interface System {
  base: string; // http://127.0.0.1:PORT
  web: string; // the folder of its pages, a copy
  data: string;
  admin(verb: string, ...words: string[]): Promise<string>;
  key(): Promise<string>; // of an API with all rights
  renew(): void; // the gateway reads its files anew
  stop(): Promise<void>;
}

function awaitReady(child: ChildProcess): Promise<{ base: string; gateway: number }> {
  return new Promise((resolve, reject) => {
    let said = "";
    const limit = setTimeout(() => reject(new Error(`not ready: ${said}`)), patience);
    const hear = (part: Buffer) => {
      said += part.toString();
      const found = /listening on (http:\/\/[0-9.]+:\d+)/.exec(said);
      if (found === null || !/^ready /m.test(said)) return;
      clearTimeout(limit);
      resolve({ base: found[1] ?? "", gateway: Number(/gateway\[(\d+)\]/.exec(said)?.[1]) });
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.on("exit", () => reject(new Error(`ended: ${said}`)));
  });
}

/* The first technicians of the demo's day, with three orders that only one of them can do, each. */
function writeDay(folder: string, technicians: number): void {
  mkdirSync(folder);
  const lines = (name: string) => readFileSync(join(day, name), "utf8").split("\n");
  writeFileSync(join(folder, "technicians.csv"),
    `${lines("technicians.csv").slice(0, 1 + technicians).join("\n")}\n`);
  const [head, ...orders] = lines("orders.csv");
  const fit = ["plumbing:1", "network:2"].slice(0, technicians)
    .flatMap((skill) => orders.filter((line) => line.includes(skill)).slice(0, 3));
  writeFileSync(join(folder, "orders.csv"), `${[head, ...fit].join("\n")}\n`);
}

const run = async (...words: string[]) => (await promisify(execFile)(callout, words)).stdout.trim();

/* What an operator says to the system of that folder. */
export const admin = (data: string, verb: string, ...words: string[]) => run("admin", verb, "--data", data, ...words);

export async function startSystem(technicians: number): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), "callout-technician-"));
  const data = join(folder, "data"), web = join(folder, "web");
  cpSync(process.env["CALLOUT_WEB"] ?? "", web, { recursive: true });
  const child = spawn(callout, ["serve", "--data", data, "--listen", "tcp://127.0.0.1:0", "--http",
    "127.0.0.1:0", "--admin", "127.0.0.1:0", "--web", web, "--lab", "--clock",
    "2026-11-23T06:30:00Z,1"], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { base, gateway } = await awaitReady(child);
    const files = join(folder, "day");
    writeDay(files, technicians);
    await run("import", "--data", data, "--territory", "north", "--time-zone", "Europe/Vaduz",
      join(files, "technicians.csv"), join(files, "orders.csv"));
    return {
      base, web, data, stop, renew: () => process.kill(gateway, "SIGHUP"),
      admin: (verb: string, ...words: string[]) => admin(data, verb, ...words),
      key: () => admin(data, "key", "--name", "test", "--role", "dispatcher"),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/* A question of a dispatcher's program. */
export async function ask<Reply>(system: Pick<System, "base">, key: string, method: string, body: object): Promise<Reply> {
  const response = await fetch(`${system.base}/api/${method}`, {
    method: "POST", body: JSON.stringify(body),
    headers: {
      "Content-Type": "application/json", Authorization: `Bearer ${key}`,
      "Idempotency-Key": Math.random().toString(36),
    },
  });
  const answer = (await response.json()) as { status?: string; text?: string; body?: Reply };
  if ((answer.status ?? "OK") !== "OK") throw new Error(`${method}: ${answer.status} ${answer.text}`);
  return answer.body ?? ({} as Reply);
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CALLOUT_CHROMIUM"] ?? "/usr/bin/chromium", headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
      "--disable-background-networking", "--disable-component-update"],
  });
}

export interface Phone {
  context: BrowserContext;
  page: Page;
  errors: string[]; // of scripts, and of what the content policy blocked
  foreign: string[]; // requests to any other host
}

function watch(phone: Phone, base: string): void {
  phone.page.setDefaultTimeout(patience);
  phone.page.on("pageerror", (error) => phone.errors.push(String(error)));
  phone.page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) phone.errors.push(text);
  });
  phone.page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${base}/`) && !/^(data|blob):/.test(url)) phone.foreign.push(url);
  });
}

interface PhoneOptions {
  width?: number;
  height?: number;
  dark?: boolean;
  locale?: string;
  idle?: boolean; // there may be nothing for him to do
}

/* A phone of its own that knows nothing yet. */
export async function addPhone(browser: Browser, base: string, options: PhoneOptions = {}): Promise<Phone> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 390, height: options.height ?? 780 },
    colorScheme: options.dark === true ? "dark" : "light", locale: options.locale ?? "en-GB",
    reducedMotion: "reduce",
  });
  const phone: Phone = { context, page: await context.newPage(), errors: [], foreign: [] };
  watch(phone, base);
  return phone;
}

/* Enrolled by the link that a dispatcher shows. */
export async function openPhone(
  browser: Browser, system: System, technician: string, options: PhoneOptions = {},
): Promise<Phone> {
  const token = await system.admin("enrol", technician);
  const phone = await addPhone(browser, system.base, options);
  await phone.page.goto(`${system.base}/technician/#enrol=${token}`);
  await phone.page.waitForSelector(options.idle === true ? ".frame" : ".next");
  return phone;
}

/* The app was killed, and is opened again. */
export async function reopen(phone: Phone, base: string): Promise<void> {
  await phone.page.close({ runBeforeUnload: false });
  phone.page = await phone.context.newPage();
  watch(phone, base);
  await phone.page.goto(`${base}/technician/`);
  await phone.page.waitForSelector(".frame");
}

/* The service worker has the whole app, so that it opens without a network. */
export async function awaitWorker(phone: Phone): Promise<void> {
  await phone.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller !== null) return;
    await new Promise((resolve) =>
      navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }));
  });
}

/* For a look at it: only where somebody asked for pictures. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env["CALLOUT_SHOTS"] ?? "";
  if (folder !== "") await page.screenshot({ path: join(folder, `${name}.png`) });
}

export interface Heard {
  seq?: string;
  text?: string;
  fromTechnician?: boolean;
}

/* All messages of a technician that dispatchers can read, page by page. */
export async function messagesOf(system: System, key: string, technicianId: string): Promise<Heard[]> {
  const all: Heard[] = [];
  for (let afterSeq = "0"; ; ) {
    const page = await ask<{ messages?: Heard[]; more?: boolean }>(system, key, "Messages",
      { territoryId: "north", technicianId, afterSeq });
    all.push(...(page.messages ?? []));
    if (page.more !== true) return all;
    afterSeq = all[all.length - 1]?.seq ?? "0";
  }
}
