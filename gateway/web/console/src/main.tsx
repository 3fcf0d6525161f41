/* main.tsx - the operator console: language and colours, who is there, then the board. */
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { loadLanguage, preferredLanguage } from "@callout/shared/i18n";
import { listenForKeys } from "@callout/shared/keys";
import { startSession, who } from "@callout/shared/session";
import { startTheme } from "@callout/shared/theme";
import { followHistory, view } from "@callout/shared/view";
import { Board } from "./board/board.tsx";
import { Login } from "./login.tsx";
import { startContact } from "./model/contact.ts";
import { startStore } from "./model/store.ts";
import { Wall } from "./wall.tsx";

function Screens() {
  useEffect(startStore, []);
  useEffect(startContact, []);
  return view.value["view"] === "wall" ? <Wall /> : <Board />;
}

function App() {
  const [ready, setReady] = useState(false);
  useEffect(() => {
    void startSession().then(() => setReady(true));
  }, []);
  if (!ready || who.value === undefined) return null;
  return who.value === null ? <Login /> : <Screens />;
}

async function start(): Promise<void> {
  startTheme();
  followHistory();
  listenForKeys();
  await loadLanguage(preferredLanguage([view.value["lang"] ?? "", ...navigator.languages]));
  const place = document.getElementById("app");
  if (place !== null) render(<App />, place);
}

void start();
