/* contact.ts - which phones are heard of, and who has seen his plan: asked for now and then, since
 * neither is a change of the plan. */
import { effect, signal } from "@preact/signals";
import { call } from "@callout/shared/client";
import { clockRate } from "@callout/shared/clock";
import { usToMs } from "@callout/shared/units";
import type { PlanAck } from "@callout/shared/wire";
import { silentMs, type Heard } from "./attention.ts";
import { territory } from "./store.ts";

const askMs = 10_000;
/* A phone's question is held for 25 s of real time, so where a clock runs fast silence takes longer
 * to mean anything. */
const heldMs = 90_000;

export const acks = signal<ReadonlyMap<string, PlanAck>>(new Map());
export const heard = signal<Heard>(new Map());

export function patienceMs(): number {
  return Math.max(silentMs, heldMs * clockRate());
}

async function ask(territoryId: string, signal: AbortSignal): Promise<void> {
  const reply = await call("PlanAcks", { territoryId }, { signal, patienceMs: 0 });
  const fresh = new Map<string, PlanAck>(), times = new Map<string, number>();
  for (const ack of reply.acks ?? []) {
    fresh.set(ack.technicianId ?? "", ack);
    times.set(ack.technicianId ?? "", usToMs(ack.heardUs));
  }
  acks.value = fresh;
  heard.value = times;
}

/* Returns what ends it. */
export function startContact(): () => void {
  return effect(() => {
    const id = territory.value?.id;
    if (id === undefined) return;
    const gone = new AbortController();
    const once = () => void ask(id, gone.signal).catch(() => undefined); // the store says so already
    once();
    const timer = setInterval(once, askMs);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  });
}
