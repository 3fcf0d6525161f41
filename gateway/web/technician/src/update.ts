/* update.ts - a newer version of the app: fetched beside this one, taken when the person says so.
 *
 * The page is loaded again exactly once, after the new worker took over; what is in the outbox is in
 * IndexedDB, whose schema the new version brings up to its own (device/idb_store.ts).
 */
import { signal } from "@preact/signals";

export const updateReady = signal<ServiceWorker | null>(null);

function watch(registration: ServiceWorkerRegistration): void {
  const consider = (worker: ServiceWorker | null) => {
    /* The very first one has nothing to take over from. */
    if (worker?.state === "installed" && navigator.serviceWorker.controller !== null)
      updateReady.value = worker;
  };
  consider(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const fresh = registration.installing;
    fresh?.addEventListener("statechange", () => consider(fresh));
  });
}

let current: ServiceWorkerRegistration | null = null;

export async function startUpdates(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  /* The first worker that takes a page on is of the same version; the next one is not. */
  let controlled = navigator.serviceWorker.controller !== null, reloading = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (controlled && !reloading) {
      reloading = true;
      location.reload();
    }
    controlled = true;
  });
  try {
    current = await navigator.serviceWorker.register("/technician/sw.js", { updateViaCache: "none" });
    watch(current);
  } catch {
    /* without a secure context it works while there is a network */
  }
}

/* Asks whether there is one; costs a request of some hundred bytes. */
export async function lookForUpdate(): Promise<void> {
  await current?.update().catch(() => undefined);
}

export function takeUpdate(): void {
  updateReady.value?.postMessage("take over");
}
