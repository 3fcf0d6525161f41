/* app.tsx - the frame: title and stamp above, the way to the screens below, within a thumb's reach. */
import { Icon, type IconName } from "./icons.tsx";
import { watching } from "./position.ts";
import { address, place } from "./router.ts";
import { Changes } from "./screens/changes.tsx";
import { Enrol } from "./screens/enrol.tsx";
import { DayMap } from "./screens/map.tsx";
import { Me } from "./screens/me.tsx";
import { Messages } from "./screens/messages.tsx";
import { Outbox } from "./screens/outbox.tsx";
import { Today } from "./screens/today.tsx";
import { Visit } from "./screens/visit.tsx";
import { Stamp } from "./stamp.tsx";
import { device, standing } from "./state.ts";
import { Toast } from "./ui.tsx";
import { takeUpdate, updateReady } from "./update.ts";
import { t, type Text } from "./words.ts";

const tabs: { screen: string; icon: IconName; label: Text }[] = [
  { screen: "today", icon: "today", label: "today.title" },
  { screen: "map", icon: "map", label: "map.title" },
  { screen: "changes", icon: "changes", label: "tab.changes" },
  { screen: "messages", icon: "chat", label: "tab.messages" },
  { screen: "me", icon: "me", label: "me.title" },
];

/* How much on a screen nobody has looked at yet. */
function waitingOn(screen: string): number {
  const { changes, messages } = device().replica;
  if (screen === "changes") return [...changes.values()].filter((row) => !row.accepted).length;
  if (screen === "messages") return [...messages.values()].filter((row) => row.read !== true).length;
  return 0;
}

function Tabs() {
  return (
    <nav class="tabs" aria-label={t("nav")}>
      {tabs.map(({ screen, icon, label }) => (
        <a key={screen} href={address(screen)}
          aria-current={place.value.screen === screen ? "page" : undefined}>
          <Icon name={icon} /><span>{t(label)}</span>
          {waitingOn(screen) > 0 && <b>{waitingOn(screen)}</b>}
        </a>
      ))}
    </nav>
  );
}

function Screen() {
  switch (place.value.screen) {
    case "visit": return <Visit key={place.value.id} id={place.value.id} />;
    case "map": return <DayMap />;
    case "changes": return <Changes />;
    case "messages": return <Messages about={place.value.id} />;
    case "me": return <Me />;
    case "outbox": return <Outbox />;
    default: return <Today />;
  }
}

function Update() {
  if (updateReady.value === null) return null;
  return (
    <p class="notice">
      <Icon name="changes" /><span>{t("update.ready")}</span>
      <button onClick={takeUpdate}>{t("update.take")}</button>
    </p>
  );
}

function Frame() {
  return (
    <div class="frame">
      <header class="top">
        <img src="/technician/icon.svg" alt="" width="28" height="28" />
        {watching.value && <span class="tracked"><Icon name="pin" />{t("position.on")}</span>}
        <Stamp />
      </header>
      <main class="screen"><Update /><Screen /></main>
      <Tabs />
      <Toast />
    </div>
  );
}

function Alone({ text, button, onClick }: { text: string; button?: string; onClick?: () => void }) {
  return (
    <main class="enrol"><div>
      <img src="/technician/icon.svg" alt="" width="72" height="72" />
      <h1>Callout</h1>
      <p>{text}</p>
      {button !== undefined && <button class="primary big" onClick={onClick}>{button}</button>}
    </div></main>
  );
}

export function App({ onTakeOver }: { onTakeOver: () => void }) {
  if (standing.value === "starting") return null;
  if (standing.value === "broken") return <Alone text={t("broken")} />;
  if (standing.value === "elsewhere")
    return <Alone text={t("elsewhere")} button={t("elsewhere.take")} onClick={onTakeOver} />;
  const { life } = device();
  if (life === "new" || life === "ended") return <Enrol ended={life === "ended"} />;
  if (life === "outdated") return <Alone text={t("outdated")} button={t("update.take")} onClick={() => location.reload()} />;
  if (life === "ending") return <Alone text={t("ending")} />;
  return <Frame />;
}
