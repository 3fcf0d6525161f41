/* search.tsx - `/`: finds an order, a customer, an address or a technician of the day. */
import { useState } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import type { Day } from "../model/day.ts";
import { selectTechnician, selectVisit } from "../model/selection.ts";
import { day } from "../model/store.ts";
import { gotoSelection } from "./commands.ts";

interface Hit {
  key: string;
  title: string;
  detail: string;
  choose: () => void;
}

const hitsMax = 12;

/* Small letters without accents: whoever types quickly leaves them out. */
const plain = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function find(it: Day, typed: string): Hit[] {
  const words = plain(typed).split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const fits = (text: string) => words.every((word) => plain(text).includes(word));
  const hits: Hit[] = [];
  for (const technician of it.technicians.values())
    if (hits.length < hitsMax && fits(`${technician.id} ${technician.name}`))
      hits.push({ key: `t${technician.id}`, title: technician.name, detail: t("search.technician"),
        choose: () => selectTechnician(technician.id) });
  for (const visit of it.visits.values())
    if (hits.length < hitsMax && fits(`${visit.id} ${visit.customer} ${visit.address} ${visit.workType}`))
      hits.push({ key: `v${visit.id}`, title: `${visit.orderId} ${visit.customer}`,
        detail: visit.address, choose: () => selectVisit(visit.id) });
  return hits;
}

export function Search() {
  const [typed, setTyped] = useState("");
  const [active, setActive] = useState(0);
  const open = typed.trim() !== "";
  const hits = !open || day.value === null ? [] : find(day.value, typed); // day: only while it is looked through

  function choose(hit: Hit | undefined): void {
    if (hit === undefined) return;
    hit.choose();
    gotoSelection();
    setTyped("");
    document.getElementById("search")?.blur();
  }

  function press(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") setActive((active + 1) % Math.max(1, hits.length));
    else if (event.key === "ArrowUp") setActive((active + hits.length - 1) % Math.max(1, hits.length));
    else if (event.key === "Enter") choose(hits[active]);
    else if (event.key === "Escape") {
      setTyped("");
      (event.currentTarget as HTMLElement).blur();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class="search" role="search">
      <Icon name="search" />
      <input id="search" type="text" role="combobox" autocomplete="off" spellcheck={false}
        placeholder={t("header.search")} aria-label={t("header.search")} aria-expanded={open}
        aria-controls="search-hits" aria-keyshortcuts="/" value={typed}
        aria-activedescendant={open && hits.length > 0 ? `hit-${active}` : undefined}
        onInput={(event) => { setTyped(event.currentTarget.value); setActive(0); }} onKeyDown={press} />
      <kbd aria-hidden="true">/</kbd>
      <ul id="search-hits" role="listbox" aria-label={t("search.title")} hidden={!open}>
        {hits.map((hit, index) => (
          <li key={hit.key} id={`hit-${index}`} role="option" aria-selected={index === active}
            onMouseDown={(event) => { event.preventDefault(); choose(hit); }}>
            <b>{hit.title}</b> <span>{hit.detail}</span>
          </li>
        ))}
        {open && hits.length === 0 && <li class="none" role="option" aria-selected={false}>{t("search.none")}</li>}
      </ul>
    </div>
  );
}
