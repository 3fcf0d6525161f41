/* pages.test.ts - random days of the app itself in a browser: two phones on a network that loses
 * requests and answers, delivers twice and goes away, with kills at any time. The thousand days of
 * `npm test` have the same oracle without a page.
 *
 * What was shown as saved is with the dispatchers once and in order, and nothing that nobody wrote.
 * CALLOUT_ROUNDS=N has so many days, CALLOUT_SEED=N that one alone.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Route } from "playwright-core";
import { chanceOf, type Chance } from "../../gateway/web/technician/test/world.ts";
import { show, unsent, until } from "./hands.ts";
import { browser, key, openRoom, system } from "./room.ts";
import { awaitWorker, messagesOf, openPhone, reopen, type Phone } from "./system.ts";

const rounds = Number(process.env["CALLOUT_ROUNDS"] ?? (process.env["CALLOUT_SHORT"] === undefined ? 2 : 1));
const only = process.env["CALLOUT_SEED"];
const steps = 16;
openRoom(2);

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

class Person {
  readonly said: string[] = []; // was shown as saved
  readonly murmured = new Set<string>(); // was being saved when the app was killed
  private calm = false;
  private offline = false;
  private words = 0;

  constructor(readonly name: string, readonly phone: Phone, private readonly chance: Chance) {}

  async begin(): Promise<void> {
    await awaitWorker(this.phone);
    await this.phone.context.route("**/api/Push", (route) => this.carry(route).catch(() => undefined));
    await show(this.phone.page, "messages");
  }

  /* Lost on the way, applied and not told, applied twice, or well. A page may be gone by then. */
  private async carry(route: Route): Promise<void> {
    const luck = this.calm ? 1 : this.chance();
    if (this.offline || luck < 0.2) return route.abort();
    if (luck < 0.6) await route.fetch();
    return luck < 0.4 ? route.abort() : route.continue();
  }

  async say(killed: boolean): Promise<void> {
    const { page } = this.phone, text = `${this.name} ${this.words++}`;
    this.murmured.add(text);
    await page.fill(".add textarea", text);
    await page.click(".add button");
    if (killed) return this.restart();
    await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>(".add textarea")?.value === "");
    this.murmured.delete(text);
    this.said.push(text);
  }

  private async restart(): Promise<void> {
    await reopen(this.phone, system.base);
    await show(this.phone.page, "messages");
    await this.phone.page.waitForSelector(".add textarea");
  }

  async live(): Promise<void> {
    for (let step = 0; step < steps; step++) {
      await pause(this.chance() * 200);
      const luck = this.chance();
      if (luck < 0.55) await this.say(false);
      else if (luck < 0.65) await this.say(true);
      else if (luck < 0.75) await this.restart();
      else if (luck < 0.9) {
        this.offline = !this.offline;
        await this.phone.context.setOffline(this.offline);
      } else await this.phone.page.evaluate(() => void dispatchEvent(new Event("online")));
    }
  }

  async makeWell(): Promise<void> {
    this.calm = true;
    this.offline = false;
    await this.phone.context.setOffline(false);
    await this.phone.page.evaluate(() => void dispatchEvent(new Event("online")));
    await until(() => unsent(this.phone.page), (count) => count === 0, `${this.name}: all is sent`);
  }
}

async function judge(person: Person, technician: string): Promise<void> {
  const heard = (await messagesOf(system, key, technician)).filter((one) => one.text?.startsWith(`${person.name} `))
    .sort((one, other) => Number(one.seq) - Number(other.seq)).map((one) => one.text ?? "");
  assert.equal(new Set(heard).size, heard.length, `${person.name}: twice`);
  assert.deepEqual(heard.filter((text) => !person.murmured.has(text)), person.said,
    `${person.name}: lost, or out of order`);
}

async function day(seed: number): Promise<number> {
  const technicians = ["T01", "T02"], persons: Person[] = [];
  for (const [index, technician] of technicians.entries()) {
    const phone = await openPhone(browser, system, technician);
    persons.push(new Person(`${technician}.${seed}`, phone, chanceOf(1000 * seed + index)));
  }
  try {
    await Promise.all(persons.map((person) => person.begin()));
    await Promise.all(persons.map((person) => person.live()));
    await Promise.all(persons.map((person) => person.makeWell()));
    for (const [index, person] of persons.entries()) await judge(person, technicians[index] ?? "");
    for (const { phone } of persons) assert.deepEqual(phone.errors, []);
  } finally {
    for (const { phone } of persons) await phone.context.close();
  }
  return persons.reduce((sum, person) => sum + person.said.length, 0);
}

test("random days in a browser: nothing lost, nothing twice, in order", { timeout: 900_000 }, async () => {
  const seeds = only === undefined ? Array.from({ length: rounds }, (_, index) => index + 1) : [Number(only)];
  let said = 0;
  for (const seed of seeds)
    try {
      said += await day(seed);
    } catch (error) {
      throw new Error(`CALLOUT_SEED=${seed}: ${String(error)}`, { cause: error });
    }
  console.log(`note: ${seeds.length} days in a browser, ${said} messages`);
});
