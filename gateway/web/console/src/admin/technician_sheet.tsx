/* technician_sheet.tsx - one technician, to make or to change: name, home, skills, shifts, absences. */
import { useState } from "preact/hooks";
import { ask, call, Refused } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import { msToUs, toPlace, usToMs } from "@callout/shared/units";
import type { Absence, Skill, TechnicianEntry } from "@callout/shared/wire";
import { dayFromText, dayToText } from "@callout/shared/zone";
import { territory, territoryZone } from "../model/store.ts";
import { picking } from "../board/commands.ts";
import { useAsked } from "../edit/asked.ts";
import { Dialog } from "../edit/dialog.tsx";
import { PickHint, placeText, PlaceField, readPlace, toPoint, usePicking } from "../edit/place_field.tsx";
import { problemText } from "../edit/problem.ts";
import { say } from "../edit/toasts.ts";
import { changeOf, problemOf, rowsOf, type DayRow } from "./week.ts";

/* --- skills --- */

/* A validity is whole days of the territory: from the beginning of the first to the end of the last. */
const dateOf = (us: string | undefined, lastMoment: boolean) => {
  const ms = usToMs(us);
  return ms === 0 ? "" : dayToText(territoryZone.peek().serviceDay(lastMoment ? ms - 1 : ms));
};
const momentOf = (text: string, after: number) => {
  const day = dayFromText(text);
  return day === null ? "0" : msToUs(territoryZone.peek().instant(day + after, 0));
};

function Skills({ skills, names, put }: { skills: readonly Skill[]; names: readonly string[]; put: (skills: Skill[]) => void }) {
  const change = (index: number, more: Partial<Skill>) =>
    put(skills.map((one, at) => (at === index ? { ...one, ...more } : one)));
  const free = names.filter((name) => !skills.some((one) => one.name === name));
  return (
    <fieldset><legend>{t("technician.skills")}</legend>
      {skills.map((skill, index) => (
        <div class="line" key={skill.name} role="group" aria-label={skill.name ?? ""}>
          <b class="grow">{skill.name}</b>
          <label>{t("order.level")}<input type="number" min={1} max={9} required value={skill.level ?? 1}
            onInput={(event) => change(index, { level: Number(event.currentTarget.value) })} /></label>
          <label>{t("roster.validFrom")}<input type="date" value={dateOf(skill.validFromUs, false)}
            onChange={(event) => change(index, { validFromUs: momentOf(event.currentTarget.value, 0) })} /></label>
          <label>{t("roster.validTo")}<input type="date" value={dateOf(skill.validToUs, true)}
            onChange={(event) => change(index, { validToUs: momentOf(event.currentTarget.value, 1) })} /></label>
          <button type="button" onClick={() => put(skills.filter((_, at) => at !== index))}
            aria-label={t("roster.dropSkill", { name: skill.name ?? "" })}>{t("roster.drop")}</button>
        </div>))}
      {free.length > 0 && <select aria-label={t("roster.addSkill")} value=""
        onChange={(event) => {
          const name = event.currentTarget.value;
          event.currentTarget.value = "";
          if (name !== "") put([...skills, { name, level: 1 }]);
        }}>
        <option value="">{t("roster.addSkill")}</option>
        {free.map((name) => <option key={name} value={name}>{name}</option>)}</select>}
    </fieldset>
  );
}

/* --- shifts --- */

function Week({ rows, put }: { rows: readonly DayRow[]; put: (rows: DayRow[]) => void }) {
  const zone = territoryZone.value;
  const change = (index: number, more: Partial<DayRow>) => put(rows.map((row, at) => (at === index ? { ...row, ...more } : row)));
  const weekend = (day: number) => (day + 4) % 7 === 0 || (day + 4) % 7 === 6;
  const first = rows.find((row) => row.works);
  return (
    <fieldset><legend>{t("roster.shifts")}</legend>
      <div class="scroll" tabIndex={0} role="region" aria-label={t("roster.shifts")}>
      <table class="table week"><thead><tr>{(["week.day", "week.from", "week.until", "week.break", "week.breakFrom", "week.breakUntil", "week.overtime"] as const)
        .map((name) => <th key={name} scope="col">{t(name)}</th>)}</tr></thead>
        <tbody>{rows.map((row, index) => {
          const name = zone.dayName(row.day), problem = problemOf(row);
          const time = (field: "from" | "until" | "breakFrom" | "breakUntil", label: string, off = false) => (
            <td><input type="time" required={!off} disabled={off} aria-label={`${name}: ${label}`} value={row[field]}
              onInput={(event) => change(index, { [field]: event.currentTarget.value })} /></td>);
          const minutes = (field: "breakMinutes" | "overtimeMinutes", label: string, most: number) => (
            <td><input type="number" min={0} max={most} required aria-label={`${name}: ${label}`}
              value={row[field]} onInput={(event) => change(index, { [field]: Number(event.currentTarget.value) })} /></td>);
          return (
            <tr key={row.day} data-day={row.day}>
              <th scope="row"><label class="check"><input type="checkbox" checked={row.works}
                onChange={(event) => change(index, { works: event.currentTarget.checked })} />{name}</label>
                {problem !== null && <span class="bad" role="alert">{t(problem)}</span>}</th>
              {!row.works ? <td colSpan={6} class="soft">{t("roster.free")}</td> : <>
                {time("from", t("week.from"))}{time("until", t("week.until"))}
                {minutes("breakMinutes", t("week.break"), 240)}
                {time("breakFrom", t("week.breakFrom"), row.breakMinutes === 0)}
                {time("breakUntil", t("week.breakUntil"), row.breakMinutes === 0)}
                {minutes("overtimeMinutes", t("week.overtime"), 720)}</>}
            </tr>);
        })}</tbody></table></div>
      {first !== undefined && <p><button type="button" onClick={() =>
        put(rows.map((row) => (weekend(row.day) || row.day < first.day ? row : { ...first, day: row.day })))}>
        {t("roster.asFirst", { day: zone.dayName(first.day) })}</button></p>}
    </fieldset>
  );
}

/* --- absences: each is a change by itself, at once --- */

const wallText = (ms: number) => {
  const offset = territoryZone.peek().offset(ms);
  return new Date(ms + offset).toISOString().slice(0, 16);
};
function wallMs(text: string): number | null {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2})/.exec(text);
  const day = dayFromText(match?.[1] ?? "");
  return match === null || day === null ? null : territoryZone.peek().instant(day, Number(match[2]) * 60 + Number(match[3]));
}

function Absences({ entry, changed }: { entry: TechnicianEntry; changed: () => void }) {
  const [absences, setAbsences] = useState<readonly Absence[]>(entry.absences ?? []);
  const [from, setFrom] = useState(""), [until, setUntil] = useState(""), [reason, setReason] = useState("");
  const [problem, setProblem] = useState("");
  const technicianId = entry.technician?.technicianId ?? "", zone = territoryZone.value;
  async function settle(work: Promise<unknown>, then: () => void): Promise<void> {
    setProblem("");
    try {
      await work;
      then();
      changed();
    } catch (error) {
      setProblem(problemText(error));
    }
  }
  const add = () => {
    const startMs = wallMs(from), endMs = wallMs(until);
    if (startMs === null || endMs === null || endMs <= startMs) return setProblem(t("absence.badTime"));
    const absence = { technicianId, startUs: msToUs(startMs), endUs: msToUs(endMs), reason };
    void settle(call("ReportAbsence", { absence }), () => {
      setAbsences([...absences.filter((one) => one.startUs !== absence.startUs), absence]);
      setFrom("");
      setUntil("");
      setReason("");
    });
  };
  return (
    <fieldset><legend>{t("absence.title")}</legend>
      <p class="soft">{t("absence.hint")}</p>
      <ul class="absences">{absences.map((one) => (
        <li key={one.startUs} class="line"><span class="grow">{zone.dayAndTime(usToMs(one.startUs))} – {zone.dayAndTime(usToMs(one.endUs))} {one.reason}</span>
          <button type="button" onClick={() => void settle(
            call("CancelAbsence", { technicianId, startUs: one.startUs ?? "0", reason: t("absence.takenBack") }),
            () => setAbsences(absences.filter((other) => other !== one)))}
            aria-label={t("absence.takeBackOf", { time: zone.dayAndTime(usToMs(one.startUs)) })}>{t("absence.takeBack")}</button></li>))}</ul>
      <div class="line" role="group" aria-label={t("absence.add")}>
        <label>{t("week.from")}<input type="datetime-local" value={from} min={wallText(0)}
          onInput={(event) => setFrom(event.currentTarget.value)} /></label>
        <label>{t("week.until")}<input type="datetime-local" value={until} onInput={(event) => setUntil(event.currentTarget.value)} /></label>
        <label class="grow">{t("ask.reason")}<input maxLength={200} value={reason} autocomplete="off"
          onInput={(event) => setReason(event.currentTarget.value)} /></label>
        <button type="button" onClick={add}>{t("absence.add")}</button>
      </div>
      <p class="bad" role="alert">{problem}</p>
    </fieldset>
  );
}

/* --- the sheet --- */

export function TechnicianSheet({ entry, firstDay, days, close, saved, changed }: {
  entry: TechnicianEntry | null; firstDay: number; days: number;
  close: () => void; saved: () => void; changed: () => void;
}) {
  const before = entry?.technician, zone = territoryZone.value;
  const rowsBefore = rowsOf(before?.shifts ?? [], firstDay, days, zone);
  const [skills, setSkills] = useState<readonly Skill[]>(before?.skills ?? []);
  const [rows, setRows] = useState<readonly DayRow[]>(rowsBefore);
  const home = toPlace(before?.home);
  const [place, setPlace] = useState(home === null ? "" : placeText(home));
  const [problem, setProblem] = useState("");
  const { reply } = useAsked("Territories", {}, "territories", "");
  usePicking();

  async function save(form: FormData): Promise<void> {
    const where = place === (home === null ? "" : placeText(home)) ? home : readPlace(place);
    if (where === null) return setProblem(t("order.placeMissing"));
    if (rows.some((row) => problemOf(row) !== null)) return setProblem(t("roster.mendShifts"));
    const technicianId = before?.technicianId ?? String(form.get("id")).trim();
    const week = changeOf(rowsBefore, rows, technicianId, before?.shifts ?? [], home, zone);
    try {
      await ask("UpsertTechnician", {
        technician: {
          technicianId, territoryId: territory.peek()?.id ?? "", name: String(form.get("name")).trim(),
          home: toPoint(where), skills: [...skills], shifts: week.shifts,
          legSecondsMax: Number(form.get("leg")) * 60, travelSecondsMax: Number(form.get("travel")) * 60,
        },
        daysOff: week.daysOff, expectedVersion: entry?.version ?? "0",
      });
    } catch (error) {
      const late = error instanceof Refused && error.status === "CONFLICT";
      return setProblem(late ? t("roster.clash", { text: problemText(error) }) : problemText(error));
    }
    say(t("roster.saved", { name: String(form.get("name")) }));
    saved();
  }

  return (
    <>
      <PickHint />
      <Dialog wide away={picking.value !== null} title={entry === null ? t("roster.new") : before?.name || (before?.technicianId ?? "")}
        submit={t("person.save")} onClose={close} onSubmit={(form) => void save(form)}>
        <div class="columns">
          {entry === null && <label>{t("roster.id")}<input name="id" required maxLength={64} autofocus autocomplete="off" /></label>}
          <label>{t("login.name")}<input name="name" required maxLength={128} autocomplete="off" defaultValue={before?.name ?? ""}
            autofocus={entry !== null} /></label>
          <label>{t("roster.leg")}<input name="leg" type="number" min={0} max={1440} required
            defaultValue={String(Math.round((before?.legSecondsMax ?? 0) / 60))} /></label>
          <label>{t("roster.travel")}<input name="travel" type="number" min={0} max={1440} required
            defaultValue={String(Math.round((before?.travelSecondsMax ?? 0) / 60))} /></label>
          <div class="whole"><PlaceField label={t("roster.home")} value={place} onValue={setPlace} /></div>
        </div>
        <Skills skills={skills} names={reply?.skillNames ?? []} put={setSkills} />
        <Week rows={rows} put={setRows} />
        {entry !== null && <Absences entry={entry} changed={changed} />}
        <p class="bad" role="alert">{problem}</p>
      </Dialog>
    </>
  );
}
