/* new_order.tsx - an urgent order: taken on, then how it could be served and whom that displaces. */
import { useState } from "preact/hooks";
import { call, newRequestId } from "@callout/shared/client";
import { serverNow } from "@callout/shared/clock";
import { Icon } from "@callout/shared/icons";
import { t, tn } from "@callout/shared/i18n";
import { msToUs, toNumber, usToMs, type Place } from "@callout/shared/units";
import { minutesText } from "@callout/shared/words";
import type { CandidatesReply, Displaced, EmergencyOption, EmergencyOptionsReply, Move, WorkOrder } from "@callout/shared/wire";
import { selectedVisit, selectVisit } from "../model/selection.ts";
import { day, territory, zone } from "../model/store.ts";
import { picking } from "../board/commands.ts";
import { AddressField } from "./address_field.tsx";
import { VerdictLines } from "./asks.tsx";
import { Dialog } from "./dialog.tsx";
import { assign } from "./edits.ts";
import { orderName, signedMinutes, technicianName } from "./reasons.ts";
import { close } from "./state.ts";
import { PickHint, placeText, PlaceField, readPlace, toPoint, usePicking } from "./place_field.tsx";
import { problemText } from "./problem.ts";
import { slotsOf, type Slot } from "./slots.ts";
import { say } from "./toasts.ts";

/* Skills that somebody has: whatever else is asked for, nobody could do. */
function skillNames(): string[] {
  const names = new Set<string>();
  for (const technician of day.value?.technicians.values() ?? [])
    for (const skill of technician.skills) if (skill.name !== undefined) names.add(skill.name);
  return [...names].sort();
}

function readOrder(form: FormData, place: Place): WorkOrder {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const id = `N${newRequestId().slice(0, 8).toUpperCase()}`;
  const now = serverNow();
  return {
    workOrderId: id, territoryId: territory.peek()?.id ?? "",
    customer: { customerId: `C-${id}`, name: text("customer") },
    site: { siteId: `S-${id}`, customerId: `C-${id}`, address: text("address"),
      point: toPoint(place) },
    ...(text("phone") === "" ? {} : { contact: { contactId: `K-${id}`, customerId: `C-${id}`,
      name: text("customer"), phone: text("phone") } }),
    workType: text("work"), serviceSeconds: Number(text("minutes")) * 60, priority: 9,
    skills: text("skill") === "" ? [] : [{ name: text("skill"), level: Number(text("level")) }],
    windows: [{ startUs: msToUs(now), endUs: msToUs(now + Number(text("hours")) * 3_600_000) }],
    note: text("note"), emergency: form.get("emergency") !== null,
  };
}

function displacedText({ delta, lateSeconds }: Displaced): string {
  const at = (us: string | undefined) => (usToMs(us) > 0 ? zone.peek().time(usToMs(us)) : "");
  const stays = delta?.technicianBefore === delta?.technicianAfter;
  const late = toNumber(lateSeconds);
  return `${orderName(delta?.appointmentId)}: ${technicianName(delta?.technicianBefore)} ${at(delta?.startBeforeUs)} → ${
    stays ? "" : `${technicianName(delta?.technicianAfter)} `}${at(delta?.startAfterUs)}${
    late > 0 ? ` (${t("list.late", { minutes: minutesText(late * 1000) })})` : ""}`;
}

function Option({ title, option, choose }: { title: string; option: EmergencyOption; choose: () => void }) {
  const move = option.move ?? {};
  const displaced = option.displaced ?? [];
  return (
    <section class="option">
      <h3>{title}</h3>
      <p><b>{t("order.option", { name: technicianName(move.technicianId), time: zone.value.time(usToMs(move.startUs)) })}</b></p>
      <VerdictLines move={move} about="" />
      <p class="soft">{displaced.length === 0 ? t("order.displacesNobody") : tn("order.displaces", displaced.length)}</p>
      <ul>{displaced.map((one) => <li key={one.delta?.appointmentId}>{displacedText(one)}</li>)}</ul>
      <button type="button" class="primary" onClick={choose}>{t("order.choose")}</button>
    </section>
  );
}

function Options({ order, reply }: { order: string; reply: EmergencyOptionsReply }) {
  const id = `${order}.1`;
  const choose = (option: EmergencyOption) => {
    close();
    selectVisit(id);
    const visit = day.peek()?.visits.get(id), move = option.move;
    if (visit !== undefined && move?.technicianId !== undefined)
      void assign(visit, move.technicianId, usToMs(move.startUs), move);
  };
  return (
    <Dialog wide title={t("order.options", { order })} onClose={() => { close(); selectVisit(id); }}>
      {reply.withinRules === undefined && reply.delaying === undefined && <p>{t("order.noOptions")}</p>}
      <div class="option-pair">
        {reply.withinRules !== undefined &&
          <Option title={t("order.within_rules")} option={reply.withinRules} choose={() => choose(reply.withinRules ?? {})} />}
        {reply.delaying !== undefined &&
          <Option title={t("order.delaying")} option={reply.delaying} choose={() => choose(reply.delaying ?? {})} />}
      </div>
      <p><button type="button" onClick={() => { close(); selectVisit(id); }}>{t("order.leave")}</button></p>
    </Dialog>
  );
}

/* On the phone: which time to promise. */
function Offer({ order, moves }: { order: WorkOrder; moves: readonly Move[] }) {
  const [problem, setProblem] = useState("");
  const id = `${order.workOrderId ?? ""}.1`, window = order.windows?.[0];
  const within = { startMs: usToMs(window?.startUs), endMs: usToMs(window?.endUs) };
  const slots = slotsOf(moves, within, within.endMs - within.startMs > 3 * 3_600_000 ? 2 * 3_600_000 : 3_600_000);
  const leave = () => {
    close();
    selectVisit(id);
  };
  async function promise(slot: Slot): Promise<void> {
    try {
      await call("UpsertWorkOrder", { workOrder: { ...order,
        windows: [{ startUs: msToUs(slot.startMs), endUs: msToUs(slot.endMs), promised: true }] } });
    } catch (error) {
      return setProblem(problemText(error));
    }
    say(t("slot.done", { order: order.workOrderId ?? "", time: zone.peek().timeRange(slot.startMs, slot.endMs) }));
    leave();
  }
  return (
    <Dialog title={t("slot.title")} onClose={leave}>
      {slots.length === 0 && <p>{t("slot.none")}</p>}
      <ul class="slots">{slots.map((slot, index) => (
        <li key={slot.startMs}>
          <button type="button" class={index === 0 ? "primary" : ""} autofocus={index === 0} onClick={() => void promise(slot)}>
            {zone.value.timeRange(slot.startMs, slot.endMs)}</button>
          <span>{t("slot.travel", { travel: signedMinutes(toNumber(slot.move.costDelta?.travel)) })} · {tn("slot.free", slot.free)}</span>
        </li>))}</ul>
      <p class="bad" role="alert">{problem}</p>
      <p><button type="button" onClick={leave}>{t("slot.leave")}</button></p>
    </Dialog>
  );
}

export function AskOrder() {
  const [place, setPlace] = useState("");
  const [address, setAddress] = useState("");
  const [problem, setProblem] = useState("");
  const [taken, setTaken] = useState<{ order: string; reply: EmergencyOptionsReply } | null>(null);
  const [offered, setOffered] = useState<{ order: WorkOrder; moves: readonly Move[] } | null>(null);
  usePicking();
  if (taken !== null) return <Options {...taken} />;
  if (offered !== null) return <Offer {...offered} />;
  const like = selectedVisit.value;

  async function submit(form: FormData): Promise<void> {
    const where = readPlace(place);
    if (where === null) return setProblem(t("order.placeMissing"));
    const order = readOrder(form, where);
    try {
      await call("UpsertWorkOrder", { workOrder: order });
    } catch (error) {
      return setProblem(problemText(error));
    }
    const name = order.workOrderId ?? "";
    say(t("order.done", { order: name }));
    if (order.emergency !== true) {
      const reply: CandidatesReply = await call("Candidates", { appointmentId: `${name}.1`, count: 50 }).catch(() => ({}));
      return setOffered({ order, moves: reply.candidates ?? [] });
    }
    const reply = await call("EmergencyOptions", { appointmentId: `${name}.1` }).catch(() => ({}));
    setTaken({ order: name, reply });
  }

  return (
    <>
    <PickHint />
    <Dialog wide away={picking.value !== null} title={t("order.title")} submit={t("order.submit")} onClose={close}
      onSubmit={(form) => void submit(form)}>
      <div class="columns">
        <label>{t("order.customer")}<input name="customer" required maxLength={200} autofocus autocomplete="off" /></label>
        <label>{t("order.phone")}<input name="phone" type="tel" maxLength={40} autocomplete="off" /></label>
        <div class="whole"><AddressField label={t("order.address")} value={address} onValue={setAddress}
          onPlace={(found) => setPlace(placeText(found))} /></div>
        <PlaceField label={t("order.place")} value={place} onValue={setPlace} />
        <div class="beside">
          {like !== null && like.place !== null &&
            <button type="button" onClick={() => {
              if (like.place !== null) setPlace(placeText(like.place));
              setAddress(like.address);
            }}>{t("order.like")}</button>}
        </div>
        <label>{t("order.work")}<input name="work" maxLength={60} autocomplete="off" /></label>
        <label>{t("order.minutes")}<input name="minutes" type="number" min={5} max={600} step={5} defaultValue="45" required /></label>
        <label>{t("order.skill")}<select name="skill"><option value="">{t("order.noSkill")}</option>
          {skillNames().map((name) => <option key={name} value={name}>{name}</option>)}</select></label>
        <label>{t("order.level")}<input name="level" type="number" min={1} max={9} defaultValue="1" required /></label>
        <label>{t("order.within")}<select name="hours">{[1, 2, 4, 8].map((count) =>
          <option key={count} value={count} selected={count === 2}>{t("order.hours", { count })}</option>)}</select></label>
        <label>{t("order.note")}<input name="note" maxLength={500} autocomplete="off" /></label>
      </div>
      <label class="check"><input type="checkbox" name="emergency" defaultChecked /><Icon name="urgent" />{t("order.urgent")}</label>
      <p class="bad" role="alert">{problem}</p>
    </Dialog>
    </>
  );
}
