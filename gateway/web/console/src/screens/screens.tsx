/* screens.tsx - what is over the board when it is not enough: a part that comes when it is opened. */
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { picking } from "../board/commands.ts";
import { openScreen, type Screen } from "../edit/state.ts";
import { Data } from "./data.tsx";
import { Inbox } from "./inbox.tsx";
import { Messages } from "./messages.tsx";
import { Review } from "./review.tsx";
import { Team } from "./team.tsx";

/* Administration comes as parts of its own. */
function lazy(load: () => Promise<ComponentType>): ComponentType {
  return function Lazy() {
    const [Part, setPart] = useState<ComponentType | null>(null);
    useEffect(() => {
      void load().then((part) => setPart(() => part));
    }, []);
    return Part === null ? null : <Part />;
  };
}

const contents: Record<Screen, ComponentType> = {
  review: Review, inbox: Inbox, messages: Messages, team: Team, data: Data,
  technicians: lazy(async () => (await import("../admin/technicians.tsx")).Technicians),
  import: lazy(async () => (await import("../admin/import.tsx")).Import),
  health: lazy(async () => (await import("../admin/health.tsx")).Health),
  territories: lazy(async () => (await import("../admin/territories.tsx")).Territories),
};

export function ScreenView({ name }: { name: Screen }) {
  const place = useRef<HTMLElement>(null);
  useEffect(() => place.current?.focus(), [name]);
  const Content = contents[name];
  return (
    <main class="screen" ref={place} tabIndex={-1} data-away={picking.value !== null} aria-label={t(`screen.${name}`)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        openScreen(null);
      }}>
      <header><h2>{t(`screen.${name}`)}</h2>
        <button type="button" onClick={() => openScreen(null)}><Icon name="close" />{t("screen.board")}</button></header>
      <Content />
    </main>
  );
}
