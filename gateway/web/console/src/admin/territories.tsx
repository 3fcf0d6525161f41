/* territories.tsx - where there is somebody to send, by which rules, and what skills there are. */
import { useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { t, tn } from "@callout/shared/i18n";
import { who } from "@callout/shared/session";
import type { Policy, TerritoryEntry } from "@callout/shared/wire";
import { useAsked } from "../edit/asked.ts";
import { Dialog } from "../edit/dialog.tsx";
import { say } from "../edit/toasts.ts";
import { problemText } from "../edit/problem.ts";

/* What an administrator may set, in the unit that he thinks in: seconds by `unit`. */
const fields = [
  { name: "freezeSeconds", label: "policy.freeze", unit: 60, least: 0 },
  { name: "dispatchAheadSeconds", label: "policy.dispatchAhead", unit: 60, least: 0 },
  { name: "acceptTimeoutSeconds", label: "policy.acceptTimeout", unit: 60, least: 1 },
  { name: "overtimePricePercent", label: "policy.overtimePrice", unit: 1, least: 100 },
  { name: "latenessPricePercent", label: "policy.latenessPrice", unit: 1, least: 0 },
  { name: "travelPricePercent", label: "policy.travelPrice", unit: 1, least: 0 },
  { name: "unservedSecondsPerPriority", label: "policy.unserved", unit: 60, least: 1 },
  { name: "changeTechnicianSeconds", label: "policy.changeTechnician", unit: 60, least: 0 },
  { name: "changeStartSeconds", label: "policy.changeStart", unit: 60, least: 0 },
  { name: "preferredWindowMissedSeconds", label: "policy.preferredWindow", unit: 60, least: 0 },
  { name: "preferredTechnicianMissedSeconds", label: "policy.preferredTechnician", unit: 60, least: 0 },
  { name: "changesPerTechnicianDayMax", label: "policy.changesMax", unit: 1, least: 0 },
] as const;

function policyOf(form: FormData, before: Policy): Policy {
  const after: Policy = { ...before };
  for (const { name, unit } of fields) {
    const text = String(form.get(name) ?? "");
    /* What was not touched stays to the second. */
    if (text !== String(Math.round((before[name] ?? 0) / unit))) after[name] = Number(text) * unit;
  }
  return after;
}

function TerritoryForm({ entry, close, saved }: { entry: TerritoryEntry | null; close: () => void; saved: () => void }) {
  const [problem, setProblem] = useState("");
  const before = entry?.territory, policy = before?.policy;
  async function save(form: FormData): Promise<void> {
    const territoryId = before?.territoryId ?? String(form.get("id")).trim();
    try {
      await call("UpsertTerritory", { territory: {
        territoryId, name: String(form.get("name")).trim(), timeZone: String(form.get("zone")).trim(),
        ...(policy === undefined ? {} : { policy: policyOf(form, policy) }) } });
    } catch (error) {
      return setProblem(problemText(error));
    }
    say(t("roster.saved", { name: String(form.get("name")) }));
    saved();
  }
  return (
    <Dialog wide title={entry === null ? t("territory.new") : before?.name || (before?.territoryId ?? "")} submit={t("person.save")}
      onClose={close} onSubmit={(form) => void save(form)}>
      <div class="columns">
        {entry === null && <label>{t("roster.id")}<input name="id" required maxLength={64} autofocus autocomplete="off" /></label>}
        <label>{t("login.name")}<input name="name" required maxLength={128} autocomplete="off" defaultValue={before?.name ?? ""} /></label>
        <label>{t("territory.zone")}<input name="zone" required maxLength={64} autocomplete="off"
          defaultValue={before?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone} /></label>
        {policy !== undefined && fields.map(({ name, label, unit, least }) => (
          <label key={name}>{t(label)}<input name={name} type="number" required min={least} step={1}
            defaultValue={String(Math.round((policy[name] ?? 0) / unit))} /></label>))}
      </div>
      {policy === undefined && <p class="soft">{t("territory.policyLater")}</p>}
      <p class="bad" role="alert">{problem}</p>
    </Dialog>
  );
}

export function Territories() {
  const [version, setVersion] = useState(0);
  const [open, setOpen] = useState<TerritoryEntry | "new" | null>(null);
  const { reply, failed } = useAsked("Territories", {}, "territories", `${version}`);
  const isAdmin = who.value?.role === "admin";
  const entries = reply?.territories ?? [], skills = reply?.skillNames ?? [];
  async function addSkill(form: HTMLFormElement): Promise<void> {
    const name = String(new FormData(form).get("skill")).trim(), first = entries[0]?.territory;
    if (name === "" || first === undefined) return;
    try { /* the catalogue is of all of them: any territory takes it, and stays as it is */
      await call("UpsertTerritory", { territory: { territoryId: first.territoryId ?? "", name: first.name ?? "",
        timeZone: first.timeZone ?? "" }, skillNames: [name] });
      form.reset();
      setVersion(version + 1);
      say(t("roster.saved", { name }));
    } catch (error) {
      say(t("edit.refused", { text: problemText(error) }), { bad: true });
    }
  }
  return (
    <div class="cards">
      {failed !== "" && <p class="bad">{failed}</p>}
      <section class="card"><h3>{t("person.territories")} <span class="soft">{entries.length}</span></h3>
        {isAdmin && <p><button type="button" class="primary" onClick={() => setOpen("new")}>{t("territory.new")}</button></p>}
        <table class="table"><thead><tr><th scope="col">{t("login.name")}</th><th scope="col">{t("territory.zone")}</th>
          <th scope="col">{t("screen.technicians")}</th><th scope="col">{t("territory.policy")}</th>
          {isAdmin && <th scope="col">{t("drawer.actions")}</th>}</tr></thead>
          <tbody>{entries.map((entry) => (
            <tr key={entry.territory?.territoryId}><th scope="row">{entry.territory?.name || entry.territory?.territoryId}</th>
              <td>{entry.territory?.timeZone}</td><td>{entry.technicians ?? 0}</td>
              <td>{t("header.policy", { version: entry.territory?.policy?.version ?? 0 })}</td>
              {isAdmin && <td><button type="button" onClick={() => setOpen(entry)}
                aria-label={t("roster.changeOf", { name: entry.territory?.name || (entry.territory?.territoryId ?? "") })}>
                {t("person.change")}</button></td>}</tr>))}</tbody></table>
      </section>
      <section class="card"><h3>{t("technician.skills")} <span class="soft">{tn("skill.count", skills.length)}</span></h3>
        {isAdmin && <form class="line" onSubmit={(event) => { event.preventDefault(); void addSkill(event.currentTarget); }}>
          <input name="skill" required maxLength={128} aria-label={t("skill.new")} placeholder={t("skill.new")} autocomplete="off" />
          <button type="submit">{t("skill.add")}</button></form>}
        <ul class="tags">{skills.map((name) => <li key={name}>{name}</li>)}</ul>
      </section>
      {open !== null && <TerritoryForm entry={open === "new" ? null : open} close={() => setOpen(null)}
        saved={() => { setOpen(null); setVersion(version + 1); }} />}
    </div>
  );
}
