/* room.ts - what the tests of one file share: a system and a browser, there before the first test and
 * gone after the last, however they end. A file has one room, since it is a program of its own. */
import { after, before } from "node:test";
import type { Browser } from "playwright-core";
import { openBrowser, startSystem, type System } from "./system.ts";

export let system: System;
export let browser: Browser;
export let key: string; // of a dispatcher's program

/* `prepare` may use all three. */
export function openRoom(technicians: number, prepare: () => Promise<void> = () => Promise.resolve()): void {
  before(async () => {
    browser = await openBrowser();
    system = await startSystem(technicians);
    key = await system.key();
    await prepare();
  });
  after(async () => {
    await browser?.close();
    await system?.stop();
  });
}
