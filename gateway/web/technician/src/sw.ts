/* sw.ts - the service worker: this version of the app opens from the phone, whatever the network.
 *
 * A version is a cache of its own, filled whole or not at all. Another version is fetched beside it
 * and waits until the person says "update", or until no window shows the old one: a page never gets
 * parts of two versions. What is asked of /api is never touched: data lives in IndexedDB.
 */
declare const APP_BUILD: string;
declare const APP_FILES: readonly string[];

interface Waiting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Waiting {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}
interface Worker extends EventTarget {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

const worker = self as unknown as Worker;
const prefix = "technician-";
const cacheName = prefix + APP_BUILD;
const page = "/technician/";

async function install(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll(APP_FILES.map((file) => new Request(file, { cache: "reload" })));
}

async function activate(): Promise<void> {
  for (const name of await caches.keys())
    if (name.startsWith(prefix) && name !== cacheName) await caches.delete(name);
  await worker.clients.claim();
}

async function answer(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(path)) ?? fetch(request);
}

worker.addEventListener("install", (event) => (event as Waiting).waitUntil(install()));
worker.addEventListener("activate", (event) => (event as Waiting).waitUntil(activate()));
worker.addEventListener("message", (event) => {
  if ((event as MessageEvent).data === "take over") void worker.skipWaiting();
});
worker.addEventListener("fetch", (event) => {
  const { request, respondWith } = event as Fetching;
  const path = new URL(request.url).pathname;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  const isPage = request.mode === "navigate" && path.startsWith(page);
  if (isPage || APP_FILES.includes(path))
    respondWith.call(event, answer(request, isPage ? page : path));
});
