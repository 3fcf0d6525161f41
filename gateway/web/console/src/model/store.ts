/* store.ts - the day that is looked at, kept as new as the server has it.
 *
 * Idea: one whole Board first, then what changed since: whenever something did (changes.ts) the
 * Board is asked for the difference, at most once in `fetchMs`. A store that was restored from a
 * backup (its epoch changed) or a difference that cannot be told brings a whole Board again, so
 * nothing stale stays.
 */
import { batch, computed, effect, signal } from "@preact/signals";
import { ask, Refused, Unreachable } from "@callout/shared/client";
import { serverNow } from "@callout/shared/clock";
import { view } from "@callout/shared/view";
import { dayFromText, Zone } from "@callout/shared/zone";
import { locale } from "@callout/shared/i18n";
import { who } from "@callout/shared/session";
import type { BoardReply } from "@callout/shared/wire";
import { Changes } from "./changes.ts";
import { Merge, type Day } from "./day.ts";
import { forgetSeen, overlaid } from "../edit/overlay.ts";

const fetchMs = 400;
/* Positions and predictions move without a fact, and the connection's age shall be known. */
const idleMs = 4_000;
const pagesMax = 200;
const sliceMs = 1;

/* As the server has it, and with what this page did meanwhile. */
const serverDay = signal<Day | null>(null);
export const day = computed(() => overlaid(serverDay.value));
export const isLoaded = computed(() => day.value !== null);
export const problem = signal<string | null>(null); // of the last try; null: it went well

/* Domain time, a few times a second: what depends on it is drawn again; and its whole seconds and
 * minutes, for those who tell no more than that. */
export const nowMs = signal(serverNow());
export const nowSecond = computed(() => Math.floor(nowMs.value / 1_000) * 1_000);
export const nowMinute = computed(() => Math.floor(nowMs.value / 60_000) * 60_000);

export interface TerritoryInfo {
  id: string;
  name: string;
  zone: string;
}

export const territories = computed<TerritoryInfo[]>(() =>
  (who.value?.territories ?? []).map((one) => ({
    id: one.territoryId ?? "", name: one.name || (one.territoryId ?? ""), zone: one.timeZone || "UTC",
  })));

export const territory = computed<TerritoryInfo | null>(() => {
  const all = territories.value;
  return all.find((one) => one.id === view.value["territory"]) ?? all[0] ?? null;
});

/* Times are shown in the territory's zone, or in this machine's where the reader wants that. */
export const zone = computed(() => {
  const own = view.value["zone"] === "mine";
  const name = own ? new Intl.DateTimeFormat().resolvedOptions().timeZone : territory.value?.zone;
  return new Zone(name ?? "UTC", locale());
});

/* The day of service days is the territory's, whatever zone is shown. */
export const territoryZone = computed(() => new Zone(territory.value?.zone ?? "UTC", locale()));

const wantedDay = computed(() => dayFromText(view.value["day"] ?? ""));

export const today = computed(() => territoryZone.value.serviceDay(nowMinute.value));
export const serviceDay = computed(() => wantedDay.value ?? today.value);
export const dayBounds = computed(() => territoryZone.value.dayBounds(serviceDay.value));

async function fetchPages(
  territoryId: string, serviceDay: number, before: Day | null, signal: AbortSignal,
): Promise<{ pages: BoardReply[]; logSeq: string; epoch: string }> {
  const pages: BoardReply[] = [];
  let token = "", logSeq = "0", epoch = "0";
  do {
    const envelope = await ask("Board", {
      territoryId, serviceDay: String(serviceDay), pageToken: token,
      ...(before === null ? {} : { afterSeq: before.logSeq, fixesAfterUs: before.fixesUntilUs }),
    }, { signal, patienceMs: 3_000 });
    /* The first page is the oldest: what changed while the others came is asked for again. */
    if (pages.length === 0) logSeq = envelope.logSeq ?? "0";
    epoch = envelope.logEpoch ?? "0";
    pages.push(envelope.body ?? {});
    token = envelope.body?.nextPageToken ?? "";
  } while (token !== "" && pages.length < pagesMax);
  return { pages, logSeq, epoch };
}

const pause = (ms: number, signal: AbortSignal) => new Promise<void>((resolve) => {
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", end); // the signal outlives a day of pauses
    resolve();
  };
  const timer = setTimeout(end, ms);
  signal.addEventListener("abort", end);
});

class Follower {
  private epoch = "";
  private cursor = "0";
  private readonly gone = new AbortController();

  constructor(private readonly territoryId: string, private readonly serviceDay: number) {}

  stop(): void {
    this.gone.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.gone;
    const changes = new Changes(signal);
    let current: Day | null = null;
    while (!signal.aborted) {
      try {
        const began = performance.now();
        current = await this.refresh(current);
        await pause(Math.max(0, fetchMs - (performance.now() - began)), signal);
        if (signal.aborted) return;
        await changes.wait({ epoch: this.epoch, seq: this.cursor }, idleMs);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refused && error.status === "SUPERSEDED") continue;
        if (error instanceof Refused && error.status === "RESET") current = null;
        this.report(error);
        await pause(1_000, signal);
      }
    }
  }

  private async refresh(current: Day | null): Promise<Day> {
    const { signal } = this.gone;
    let answer = await fetchPages(this.territoryId, this.serviceDay, current, signal);
    if (current !== null && answer.epoch !== this.epoch)
      answer = await fetchPages(this.territoryId, this.serviceDay, current = null, signal);
    this.epoch = answer.epoch;
    this.cursor = answer.logSeq;
    const fresh = await this.merge(answer.pages, current);
    if (!signal.aborted)
      batch(() => {
        serverDay.value = fresh;
        forgetSeen(fresh.logSeq);
        nowMs.value = serverNow();
        problem.value = null;
      });
    return fresh;
  }

  /* A difference is taken in slices, between which the page lives; the first board as it is, since
   * nothing is seen before it. */
  private async merge(pages: readonly BoardReply[], current: Day | null): Promise<Day> {
    const merge = new Merge(this.territoryId, this.serviceDay, pages, current);
    for (;;) {
      const began = performance.now();
      if (merge.work(() => current !== null && performance.now() - began > sliceMs)) return merge.finish();
      await pause(0, this.gone.signal);
    }
  }

  private report(error: unknown): void {
    if (error instanceof Unreachable) problem.value = "unreachable";
    else problem.value = error instanceof Error ? error.message : String(error);
  }
}

/* What is asked of the server now can be asked at once, such as after an edit of our own. */
let follower: Follower | null = null;

/* Follows whatever territory and day the view has; returns what ends it. */
export function startStore(): () => void {
  nowMs.value = serverNow(); // by now somebody has answered
  const clock = setInterval(() => {
    nowMs.value = serverNow();
  }, 250);
  const end = effect(() => {
    const id = territory.value?.id;
    const wanted = serviceDay.value;
    follower?.stop();
    follower = null;
    if (id === undefined) return;
    if (day.peek()?.territoryId !== id || day.peek()?.serviceDay !== wanted) serverDay.value = null;
    follower = new Follower(id, wanted);
    void follower.run();
  });
  return () => {
    clearInterval(clock);
    end();
    follower?.stop();
    follower = null;
  };
}
