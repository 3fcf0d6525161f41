/* main.tsx - the technician's app: language and colours, the one window that has the device, its
 * engine, then the screens. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { startTheme } from "@callout/shared/theme";
import { App } from "./app.tsx";
import { browserPorts } from "./device/ports.ts";
import { followShift } from "./position.ts";
import { followAddress, takeEnrolCode, tidyCode } from "./router.ts";
import { device, standing, tick, useEngine } from "./state.ts";
import { Engine } from "./sync/engine.ts";
import { lookForUpdate, startUpdates } from "./update.ts";
import { loadLanguage } from "./words.ts";

const tickMs = 5_000;
const updateEveryMs = 3_600_000;

async function openDevice(code: string): Promise<Engine> {
  const engine = await Engine.open(await browserPorts(() => {
    engine.stop();
    standing.value = "elsewhere";
  }));
  useEngine(engine);
  engine.start();
  if (code !== "" && engine.life === "new") await engine.enrol(tidyCode(code));
  return engine;
}

/* Two windows would number commands twice: the second one waits until the first is closed, or
 * takes the device over. */
async function holdDevice(code: string, steal: boolean): Promise<void> {
  let engine: Engine | null = null;
  try {
    await navigator.locks.request("callout-technician", steal ? { steal } : { ifAvailable: true },
      async (lock) => {
        if (lock === null) {
          standing.value = "elsewhere";
          return;
        }
        engine = await openDevice(code);
        await new Promise(() => undefined); // for as long as the page lives
      });
  } catch {
    (engine as Engine | null)?.stop();
    standing.value = standing.value === "starting" ? "broken" : "elsewhere";
  }
}

function keepAwake(): void {
  const look = () => {
    if (document.visibilityState !== "visible" || standing.value !== "here") return;
    tick();
    device().nudge(true);
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("online", look); // a hint that trying may be worth it, nothing more
  addEventListener("pageshow", look);
  setInterval(() => {
    if (standing.value !== "here") return;
    tick();
    followShift();
  }, tickMs);
  setInterval(() => void lookForUpdate(), updateEveryMs);
}

async function start(): Promise<void> {
  startTheme();
  const code = takeEnrolCode();
  followAddress();
  void holdDevice(code, false); // reads the day while the words are on their way
  await loadLanguage();
  const place = document.getElementById("app");
  if (place !== null) render(<App onTakeOver={() => void holdDevice("", true)} />, place);
  keepAwake();
  effect(() => {
    if (standing.value === "here" && device().life === "live") void navigator.storage?.persist?.();
  });
  void startUpdates();
}

void start();
