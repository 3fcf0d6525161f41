/* ports.ts - the engine's ports in a browser. */
import { toHex } from "../sync/bytes.ts";
import type { Ports, Stop } from "../sync/ports.ts";
import { httpLine } from "./http_line.ts";
import { IdbStore } from "./idb_store.ts";
import { webKeys } from "./web_keys.ts";

declare const APP_BUILD: string;

function sleep(ms: number, stop: Stop): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.whenStopped(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/* What a dispatcher reads in the list of devices. */
function deviceName(): string {
  const agent = navigator.userAgent;
  const system = /Android|iPhone|iPad|Windows|Mac OS|Linux/.exec(agent)?.[0] ?? "";
  const browser = /Firefox|Edg|OPR|SamsungBrowser|Chrome|Safari/.exec(agent)?.[0] ?? "";
  return `${system} ${browser}`.trim() || "browser";
}

export async function browserPorts(onReplaced: () => void): Promise<Ports> {
  const store = await IdbStore.open(onReplaced);
  return {
    store, line: httpLine, keys: webKeys(store), appBuild: APP_BUILD, deviceName: deviceName(),
    clock: { monoMs: () => performance.now(), wallMs: () => Date.now(), sleep },
    chance: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
    chunkBytes: 64 * 1024,
    bootId: toHex(crypto.getRandomValues(new Uint8Array(8))),
  };
}
