/* team.tsx - technicians' devices, to enrol and to end; and accounts of people, for administrators. */
import { useEffect, useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { t, tMaybe } from "@callout/shared/i18n";
import { who } from "@callout/shared/session";
import { usToMs } from "@callout/shared/units";
import type { Device, MakeEnrolTokenReply, Person } from "@callout/shared/wire";
import { territories, territory, zone } from "../model/store.ts";
import { usePaged } from "../edit/paged.ts";
import { Dialog } from "../edit/dialog.tsx";
import { say } from "../edit/toasts.ts";
import { problemText } from "../edit/problem.ts";
import { qrCode, qrPath } from "./qr.ts";

type Open = { kind: "token"; reply: MakeEnrolTokenReply; name: string } | { kind: "revoke"; device: Device }
  | { kind: "person"; person: Person | null } | { kind: "disable"; name: string };

function deviceState(device: Device): string {
  if (device.revoked === true) return t("device.revoked");
  return device.inUse === true ? t("device.inUse") : t("device.replaced");
}

function Qr({ link, label }: { link: string; label: string }) {
  const code = qrCode(link), side = code.length + 8;
  return (
    <svg class="qr" viewBox={`0 0 ${side} ${side}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={side} height={side} fill="#fff" /><path d={qrPath(code)} fill="#000" /></svg>
  );
}

/* For phones that do not know who vouches for this server; nothing where the world knows. */
function Authority() {
  const [fingerprint, setFingerprint] = useState("");
  useEffect(() => {
    fetch("/authority/fingerprint").then((answer) => (answer.ok ? answer.text() : "")).then(setFingerprint, () => undefined);
  }, []);
  if (fingerprint === "") return null;
  return (
    <details>
      <summary>{t("authority.title")}</summary>
      <p>{t("authority.how")}</p>
      <Qr link={`${location.origin}/authority/`} label={t("authority.qr")} />
      <p>{t("authority.compare")} <code class="token">{fingerprint}</code></p>
    </details>
  );
}

/* The technician's app takes it out of its address and erases it there; what stands behind # reaches no
 * server. */
function EnrolCode({ token }: { token: string }) {
  const link = `${location.origin}/technician/#enrol=${token}`;
  return (
    <>
      <Qr link={link} label={t("device.qr")} />
      <p>{t("device.byHand")} <code class="token">{token.replace(/(.{4})(?=.)/g, "$1 ")}</code></p>
      <p><button type="button" onClick={() => void navigator.clipboard?.writeText(link).then(() => say(t("device.copied")))}>
        {t("device.copy")}</button></p>
      <Authority />
    </>
  );
}

const roles = ["dispatcher", "planner", "integrator", "auditor", "admin"] as const;

function PersonForm({ person, close, saved }: { person: Person | null; close: () => void; saved: () => void }) {
  const [problem, setProblem] = useState("");
  async function put(form: FormData): Promise<void> {
    try {
      await call("PutPerson", {
        name: person?.name ?? String(form.get("name") ?? ""), role: String(form.get("role")),
        allTerritories: form.get("all") !== null, territoryIds: form.get("all") !== null ? [] : form.getAll("territory").map(String),
        newPassword: String(form.get("password") ?? ""), ownPassword: String(form.get("own") ?? ""),
      });
    } catch (error) {
      return setProblem(problemText(error));
    }
    saved();
  }
  return (
    <Dialog title={person?.name ?? t("person.new")} submit={t("person.save")} onClose={close} onSubmit={(form) => void put(form)}>
      {person === null && <label>{t("login.name")}
        <input name="name" required maxLength={64} pattern="[^\s,]+" title={t("person.nameRule")} autocomplete="off" autofocus /></label>}
      <label>{t("person.role")}<select name="role">{roles.map((role) =>
        <option key={role} value={role} selected={role === (person?.role ?? "dispatcher")}>{tMaybe(`role.${role}`)}</option>)}</select></label>
      <fieldset><legend>{t("person.territories")}</legend>
        <label class="check"><input type="checkbox" name="all" defaultChecked={person?.allTerritories === true} />{t("person.all")}</label>
        {territories.value.map((one) => <label class="check" key={one.id}><input type="checkbox" name="territory" value={one.id}
          defaultChecked={person?.territoryIds?.includes(one.id) === true} />{one.name}</label>)}
      </fieldset>
      <label>{t("person.password")}<input name="password" type="password" minLength={12} maxLength={1024}
        required={person === null} autocomplete="new-password" /></label>
      <label>{t("person.own")}<input name="own" type="password" required maxLength={1024} autocomplete="current-password" /></label>
      <p class="bad" role="alert">{problem}</p>
    </Dialog>
  );
}

export function Team() {
  const [version, setVersion] = useState(0);
  const [open, setOpen] = useState<Open | null>(null);
  const [technicianId, setTechnician] = useState("");
  const id = territory.value?.id ?? "";
  const isAdmin = who.value?.role === "admin";
  const devices = usePaged("Devices", { territoryId: id }, id, `${version}`);
  const people = usePaged("PeopleList", {}, isAdmin ? "people" : "", `${version}`);
  /* All of the territory, at work today or not. */
  const roster = usePaged("Technicians", { territoryId: id, days: 1 }, id, "");
  const technicians = roster.pages.flatMap((page) => page.technicians ?? [])
    .map(({ technician }) => ({ id: technician?.technicianId ?? "", name: technician?.name || (technician?.technicianId ?? "") }))
    .sort((a, b) => a.name.localeCompare(b.name));
  useEffect(() => roster.more?.(), [roster.pages.length]);
  const technicianName = (wanted: string | undefined) => technicians.find((one) => one.id === wanted)?.name ?? wanted ?? "";

  async function settle<Reply>(work: Promise<Reply>): Promise<Reply | null> {
    try {
      const reply = await work;
      setOpen(null);
      setVersion(version + 1);
      return reply;
    } catch (error) {
      say(t("edit.refused", { text: error instanceof Error ? error.message : String(error) }), { bad: true });
      return null;
    }
  }

  async function enrol(): Promise<void> {
    const reply = await settle(call("MakeEnrolToken", { technicianId }));
    if (reply !== null) setOpen({ kind: "token", reply, name: technicianName(technicianId) });
  }

  return (
    <div class="cards">
      <section class="card"><h3>{t("device.title")}</h3>
        {devices.failed !== "" && <p class="bad">{devices.failed}</p>}
        <form class="line" onSubmit={(event) => { event.preventDefault(); void enrol(); }}>
          <select aria-label={t("drawer.technician")} required value={technicianId}
            onChange={(event) => setTechnician(event.currentTarget.value)}>
            <option value="">{t("place.choose")}</option>
            {technicians.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
          </select>
          <button type="submit" class="primary">{t("device.enrol")}</button>
        </form>
        <table class="table"><thead><tr><th scope="col">{t("drawer.technician")}</th><th scope="col">{t("device.name")}</th>
          <th scope="col">{t("drawer.status")}</th><th scope="col">{t("device.seen")}</th><th scope="col">{t("drawer.actions")}</th></tr></thead>
          <tbody>{devices.pages.flatMap((page) => page.devices ?? []).map((device) => (
            <tr key={device.deviceId}><th scope="row">{technicianName(device.technicianId)}</th><td>{device.name || device.deviceId}</td>
              <td>{deviceState(device)}</td><td>{usToMs(device.seenUs) === 0 ? "" : zone.value.dayAndTime(usToMs(device.seenUs))}</td>
              <td>{device.revoked !== true && <button type="button" onClick={() => setOpen({ kind: "revoke", device })}>
                {t("device.revoke")}</button>}</td></tr>))}</tbody></table>
        {devices.more !== null && <p><button type="button" onClick={devices.more}>{t("list.more")}</button></p>}
      </section>
      {isAdmin && <section class="card"><h3>{t("person.title")}</h3>
        {people.failed !== "" && <p class="bad">{people.failed}</p>}
        <p><button type="button" class="primary" onClick={() => setOpen({ kind: "person", person: null })}>{t("person.new")}</button></p>
        <table class="table"><thead><tr><th scope="col">{t("login.name")}</th><th scope="col">{t("person.role")}</th>
          <th scope="col">{t("person.territories")}</th><th scope="col">{t("drawer.actions")}</th></tr></thead>
          <tbody>{people.pages.flatMap((page) => page.people ?? []).map((person) => (
            <tr key={person.name}><th scope="row">{person.name}</th>
              <td>{person.disabled === true ? t("person.disabled") : tMaybe(`role.${person.role ?? ""}`)}</td>
              <td>{person.allTerritories === true ? t("person.all") : (person.territoryIds ?? []).join(", ")}</td>
              <td><button type="button" onClick={() => setOpen({ kind: "person", person })}>{t("person.change")}</button>{" "}
                {person.disabled !== true && person.name !== who.value?.name &&
                  <button type="button" onClick={() => setOpen({ kind: "disable", name: person.name ?? "" })}>{t("person.disable")}</button>}</td></tr>))}
          </tbody></table>
        {people.more !== null && <p><button type="button" onClick={people.more}>{t("list.more")}</button></p>}
      </section>}
      {open?.kind === "token" && <Dialog title={t("device.tokenTitle", { name: open.name })} onClose={() => setOpen(null)}>
        <p>{t("device.tokenHint", { time: zone.value.dayAndTime(usToMs(open.reply.expiresUs)) })}</p>
        <EnrolCode token={open.reply.enrolToken ?? ""} /></Dialog>}
      {open?.kind === "revoke" && <Dialog title={t("device.revokeTitle", { name: technicianName(open.device.technicianId) })}
        submit={t("device.revoke")} danger onClose={() => setOpen(null)}
        onSubmit={() => void settle(call("RevokeDevice", { deviceId: open.device.deviceId ?? "" }))}>
        <p>{t("device.revokeHint")}</p></Dialog>}
      {open?.kind === "disable" && <Dialog title={t("person.disableTitle", { name: open.name })} submit={t("person.disable")} danger
        onClose={() => setOpen(null)} onSubmit={() => void settle(call("DisablePerson", { name: open.name }))}>
        <p>{t("person.disableHint")}</p></Dialog>}
      {open?.kind === "person" && <PersonForm person={open.person} close={() => setOpen(null)} saved={() => {
        setOpen(null);
        setVersion(version + 1);
      }} />}
    </div>
  );
}
