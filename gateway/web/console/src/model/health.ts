/* health.ts - how the installation itself is, asked for once a minute: disks fill slowly. */
import { computed, effect, signal } from "@preact/signals";
import { call } from "@callout/shared/client";
import { who } from "@callout/shared/session";
import type { HealthWarning, SystemHealthReply } from "@callout/shared/wire";

const askMs = 60_000;

export const health = signal<SystemHealthReply | null>(null); // null: not known, or not for this role
export const warnings = computed<readonly HealthWarning[]>(() => health.value?.warnings ?? []);

export async function askHealth(signal: AbortSignal): Promise<void> {
  health.value = await call("SystemHealth", {}, { signal, patienceMs: 0 });
}

/* Returns what ends it. */
export function startHealth(): () => void {
  return effect(() => {
    if (who.value == null) return;
    const gone = new AbortController();
    const once = () => void askHealth(gone.signal).catch(() => undefined); // the store says what is wrong
    once();
    const timer = setInterval(once, askMs);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  });
}
