/* system.ts - the demo's system and a browser, for the tests of the console.
 *
 * `callout sim demo` starts all of it on ports that are free, and prints where to log in; so what is
 * tested is what a reader of the README sees. Whatever was opened is closed at the end, however the
 * tests end. No test waits for a time: it waits for what shall be seen, with a generous limit.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";

export const patience = 60_000;

export interface Login {
  address: string;
  name: string;
  password: string;
}

export interface System {
  login: Login;
  data: string; // its folder
  pid: number;
  stop(): Promise<void>;
}

function readLogin(text: string): Login | null {
  const found = /console: (\S+)\/ +name (\S+) +password (\S+)/.exec(text);
  if (found === null) return null;
  return { address: found[1] ?? "", name: found[2] ?? "", password: found[3] ?? "" };
}

function awaitLogin(child: ChildProcess): Promise<Login> {
  return new Promise((resolve, reject) => {
    let said = "";
    const limit = setTimeout(() => reject(new Error(`no login: ${said}`)), 3 * patience);
    const hear = (part: Buffer) => {
      said += part.toString();
      const login = readLogin(said);
      if (login === null) return;
      clearTimeout(limit);
      resolve(login);
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    child.on("exit", () => reject(new Error(`the demo ended: ${said}`)));
  });
}

/* A day that passes `rate` times as fast as life. */
export async function startDemo(rate: number, more: string[] = []): Promise<System> {
  const folder = mkdtempSync(join(tmpdir(), "callout-console-"));
  const data = join(folder, "data");
  const child = spawn(process.env["CALLOUT_BINARY"] ?? "", ["sim", "demo", "--data", data, "--day",
    process.env["CALLOUT_DAY"] ?? "", "--rate", String(rate), "--seed", "7", "--http", "127.0.0.1:0",
    ...more], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const stop = async () => {
    child.kill("SIGINT");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return { login: await awaitLogin(child), data, pid: child.pid ?? 0, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/* Somebody else who logs in. */
export function addPerson(system: System, name: string, role: string): Promise<Login> {
  const password = `the password of ${name}`;
  const child = spawn(process.env["CALLOUT_BINARY"] ?? "", ["admin", "person", "add", name, "--data", system.data,
    "--role", role], { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin?.end(`${password}\n`);
  return new Promise((resolve, reject) => child.on("exit", (code) => {
    if (code === 0) resolve({ ...system.login, name, password });
    else reject(new Error(`callout admin person add: exit ${code}`));
  }));
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CALLOUT_CHROMIUM"] ?? "/usr/bin/chromium", headless: true,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
      "--disable-background-networking", "--disable-component-update"],
  });
}

export interface PageOptions {
  dark?: boolean;
  locale?: string;
  view?: string; // of the address: "?view=wall"
  anonymous?: boolean; // stays at the login
}

export interface Watched {
  page: Page;
  errors: string[]; // of scripts, and of what the content policy blocked
  foreign: string[]; // requests to any other host
}

/* A page of its own session, logged in, with what it must not do written down. */
export async function openPage(browser: Browser, login: Login, options: PageOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1600, height: 950 }, colorScheme: options.dark === true ? "dark" : "light",
    locale: options.locale ?? "en-GB", reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  const errors: string[] = [], foreign: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !text.startsWith("Failed to load resource")) errors.push(text);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${login.address}/`) && !/^(data|blob):/.test(url)) foreign.push(url);
  });
  await page.goto(`${login.address}/${options.view ?? ""}`);
  if (options.anonymous !== true) await logIn(page, login);
  return { page, errors, foreign };
}

export async function fillIn(page: Page, login: Login): Promise<void> {
  await page.fill("[name=name]", login.name);
  await page.fill("[name=password]", login.password);
  await page.click("button[type=submit]");
}

export async function logIn(page: Page, login: Login): Promise<void> {
  await fillIn(page, login);
  await page.waitForSelector(".board, .wall");
}

/* For a look at it: only where somebody asked for pictures. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env["CALLOUT_SHOTS"] ?? "";
  if (folder !== "") await page.screenshot({ path: join(folder, `${name}.png`) });
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/* Without the page's own policy in the way, which allows no script but its own. `within`: of a page
 * that was looked at before, only what is new. */
export async function barriers(page: Page, within = ":root"): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: axe });
  return page.evaluate(async (part) => {
    const run = (globalThis as unknown as { axe: { run: (...given: unknown[]) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe.run;
    const found = await run(part === ":root" ? document : part, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return found.violations.map((one) => `${one.id}: ${one.nodes[0]?.html}`);
  }, within);
}
