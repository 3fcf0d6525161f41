/* technicians.tsx - who there is to send, with the shifts of the next days. */
import { useState } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t, tn } from "@callout/shared/i18n";
import { usToMs } from "@callout/shared/units";
import type { TechnicianEntry } from "@callout/shared/wire";
import { territory, territoryZone, today } from "../model/store.ts";
import { usePaged } from "../edit/paged.ts";
import { TechnicianSheet } from "./technician_sheet.tsx";
import { rowsOf } from "./week.ts";

export const daysAhead = 14;
const daysListed = 7;

/* "08:00-17:00", "free", "away": a day in one cell. */
function dayText(entry: TechnicianEntry, day: number): string {
  const row = rowsOf(entry.technician?.shifts ?? [], day, 1, territoryZone.value)[0];
  if (row === undefined || !row.works) return t("roster.free");
  const { startMs, endMs } = territoryZone.value.dayBounds(day);
  const away = (entry.absences ?? []).some((one) => usToMs(one.startUs) < endMs && usToMs(one.endUs) > startMs);
  return away ? t("roster.away") : `${row.from}\u2013${row.until}`;
}

export function Technicians() {
  const [version, setVersion] = useState(0);
  const [wanted, setWanted] = useState("");
  const [open, setOpen] = useState<TechnicianEntry | "new" | null>(null);
  const id = territory.value?.id ?? "", first = today.value;
  const { pages, failed, more } = usePaged("Technicians",
    { territoryId: id, firstDay: String(first), days: daysAhead }, id, `${version} ${first}`);
  const all = pages.flatMap((page) => page.technicians ?? []);
  const words = wanted.toLowerCase();
  const found = all.filter(({ technician }) =>
    `${technician?.name ?? ""} ${technician?.technicianId ?? ""} ${(technician?.skills ?? []).map((one) => one.name).join(" ")}`
      .toLowerCase().includes(words));
  const days = Array.from({ length: daysListed }, (_, index) => first + index);
  return (
    <div class="cards cards-wide">
      {failed !== "" && <p class="bad">{failed}</p>}
      <div class="line">
        <input type="search" aria-label={t("roster.find")} placeholder={t("roster.find")} value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)} />
        <button type="button" class="primary" onClick={() => setOpen("new")}><Icon name="plus" />{t("roster.new")}</button>
      </div>
      <p class="soft" role="status">{tn("roster.count", found.length)}</p>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("screen.technicians")}>
        <table class="table"><thead><tr><th scope="col">{t("drawer.technician")}</th><th scope="col">{t("technician.skills")}</th>
          {days.map((day) => <th key={day} scope="col">{territoryZone.value.dayName(day)}</th>)}
          <th scope="col">{t("drawer.actions")}</th></tr></thead>
          <tbody>{found.map((entry) => (
            <tr key={entry.technician?.technicianId} data-technician={entry.technician?.technicianId}>
              <th scope="row">{entry.technician?.name || entry.technician?.technicianId}</th>
              <td>{(entry.technician?.skills ?? []).map((skill) => `${skill.name ?? ""} ${skill.level ?? ""}`).join(" · ")}</td>
              {days.map((day) => <td key={day} class="nowrap">{dayText(entry, day)}</td>)}
              <td><button type="button" onClick={() => setOpen(entry)}
                aria-label={t("roster.changeOf", { name: entry.technician?.name || (entry.technician?.technicianId ?? "") })}>
                {t("person.change")}</button></td>
            </tr>))}</tbody></table>
      </div>
      {more !== null && <p><button type="button" onClick={more}>{t("list.more")}</button></p>}
      {open !== null && <TechnicianSheet key={open === "new" ? "new" : open.technician?.technicianId}
        entry={open === "new" ? null : open} firstDay={first} days={daysAhead}
        close={() => setOpen(null)} saved={() => { setVersion(version + 1); setOpen(null); }}
        changed={() => setVersion(version + 1)} />}
    </div>
  );
}
