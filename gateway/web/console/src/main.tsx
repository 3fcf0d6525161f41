/* main.tsx - the operator console: language and colours, who is there, then the board. */
import { render } from "preact";
import { computed, effect, untracked } from "@preact/signals";
import { loadLanguage, preferredLanguage } from "@callout/shared/i18n";
import { listenForKeys } from "@callout/shared/keys";
import { startSession, who } from "@callout/shared/session";
import { startTheme } from "@callout/shared/theme";
import { followHistory, view } from "@callout/shared/view";
import { Board } from "./board/board.tsx";
import { Login } from "./login.tsx";
import { startContact } from "./model/contact.ts";
import { startHealth } from "./model/health.ts";
import { startStore } from "./model/store.ts";
import { Wall } from "./wall.tsx";

function App() {
  if (who.value === undefined) return null; // not known yet
  if (who.value === null) return <Login />;
  return view.value["view"] === "wall" ? <Wall /> : <Board />;
}

/* The day is asked for as soon as it is known who asks, not when the page is drawn. */
const isIn = computed(() => who.value != null);
function followWhileIn(): void {
  effect(() => {
    if (!isIn.value) return;
    return untracked(() => {
      const ends = [startStore(), startContact(), startHealth()];
      return () => ends.forEach((end) => end());
    });
  });
}

async function start(): Promise<void> {
  startTheme();
  followHistory();
  listenForKeys();
  const language = loadLanguage(preferredLanguage([view.value["lang"] ?? "", ...navigator.languages]));
  void startSession(); // on its way while the language comes
  await language;
  followWhileIn();
  const place = document.getElementById("app");
  if (place !== null) render(<App />, place);
}

void start();
