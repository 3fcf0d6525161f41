/* hands.ts - what a technician does on his phone, and what the dispatchers' side says about it. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { ask, type System } from "./system.ts";

export const big = ".next .primary.big";

interface Board {
  appointments?: { appointment?: {
    appointmentId?: string; status?: string; assignment?: { technicianId?: string };
  } }[];
}

/* How many commands the phone keeps that the server does not have. */
export function unsent(page: Page): Promise<number> {
  return page.evaluate(() => new Promise<number>((resolve, reject) => {
    const opening = indexedDB.open("callout-technician");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const db = opening.result;
      const reading = db.transaction("meta").objectStore("meta").get("mark");
      reading.onsuccess = () => {
        db.close();
        resolve(reading.result.lastSeq - reading.result.ackedSeq);
      };
    };
  }));
}

export async function nextId(page: Page): Promise<string> {
  return decodeURIComponent((await page.getAttribute(".next-head", "href") ?? "").split("/").pop() ?? "");
}

export async function show(page: Page, place: string): Promise<void> {
  await page.evaluate((hash) => void (location.hash = hash), `#/${place}`);
}

export async function standingOf(
  system: System, key: string, appointment: string,
): Promise<{ status: string; technician: string }> {
  const board = await ask<Board>(system, key, "Board", { territoryId: "north" });
  const one = board.appointments?.find((entry) => entry.appointment?.appointmentId === appointment);
  return {
    status: one?.appointment?.status ?? "",
    technician: one?.appointment?.assignment?.technicianId ?? "",
  };
}

export async function statusOf(system: System, key: string, appointment: string): Promise<string> {
  return (await standingOf(system, key, appointment)).status;
}

/* Until it holds, and at last for the assertion's own words. */
export async function until<Value>(
  look: () => Promise<Value>, holds: (value: Value) => boolean, what: string,
): Promise<Value> {
  for (let tries = 0; ; tries++) {
    const value = await look();
    if (holds(value)) return value;
    assert.ok(tries < 600, `${what}: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/* Until the server says so. */
export async function awaitStatus(
  system: System, key: string, appointment: string, status: string,
): Promise<void> {
  await until(() => statusOf(system, key, appointment), (now) => now === status,
    `${appointment} shall be ${status}`);
}

export async function tap(page: Page, text: string): Promise<void> {
  await page.click(`${big}:has-text("${text}")`);
}

/* From its offer to the end, or from wherever it stands. */
export async function serve(page: Page): Promise<void> {
  const steps = ["Accept", "On my way", "Check in", "Check out"];
  const first = steps.indexOf((await page.textContent(big)) ?? "");
  for (const step of steps.slice(Math.max(first, 0))) await tap(page, step);
  await page.click("dialog[open] .primary.big");
  await page.waitForSelector("dialog", { state: "detached" });
}
