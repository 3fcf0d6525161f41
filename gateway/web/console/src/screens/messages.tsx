/* messages.tsx - between dispatchers and technicians: to one, to some, to all of a territory. */
import { useState } from "preact/hooks";
import { t } from "@callout/shared/i18n";
import { usToMs } from "@callout/shared/units";
import type { Message } from "@callout/shared/wire";
import { day, territory, zone } from "../model/store.ts";
import { useAsked } from "../edit/asked.ts";
import { sendMessage } from "../edit/edits.ts";
import { orderName, technicianName } from "../edit/reasons.ts";

function Row({ message }: { message: Message }) {
  const his = message.fromTechnician === true;
  const state = his ? "" : message.seen === true ? t("ack.seen") : message.delivered === true ? t("ack.delivered") : t("ack.waiting");
  return (
    <li class="card" data-his={his}>
      <p class="soft">{zone.value.dayAndTime(usToMs(message.timeUs))} · {his ? technicianName(message.technicianId)
        : `${message.from ?? ""} → ${technicianName(message.technicianId)}`}
        {(message.appointmentId ?? "") !== "" && ` · ${orderName(message.appointmentId)}`}{state !== "" && ` · ${state}`}</p>
      <p class="said">{message.text}</p>
    </li>
  );
}

export function Messages() {
  const [to, setTo] = useState("");
  const [sent, setSent] = useState(0);
  const id = territory.value?.id ?? "";
  const { reply, failed } = useAsked("Messages", { territoryId: id }, id, `${sent} ${day.value?.logSeq ?? ""}`);
  const technicians = [...(day.value?.technicians.values() ?? [])].sort((a, b) => a.name.localeCompare(b.name));
  return (
    <div class="cards">
      <form class="line" onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget, text = String(new FormData(form).get("text")).trim();
        if (text === "") return;
        void sendMessage(to === "" ? [] : [to], text, "").then((done) => {
          if (!done) return;
          form.reset();
          setSent(sent + 1);
        });
      }}>
        <select aria-label={t("message.to")} value={to} onChange={(event) => setTo(event.currentTarget.value)}>
          <option value="">{t("message.all")}</option>
          {technicians.map((one) => <option key={one.id} value={one.id}>{one.name}</option>)}
        </select>
        <input name="text" required maxLength={500} aria-label={t("contact.text")} placeholder={t("contact.text")} autocomplete="off" />
        <button type="submit" class="primary">{t("contact.send")}</button>
      </form>
      {failed !== "" && <p class="bad">{failed}</p>}
      {reply !== null && (reply.messages ?? []).length === 0 && <p class="soft">{t("message.none")}</p>}
      <ol class="letters">{[...(reply?.messages ?? [])].reverse().map((one) => <Row key={one.seq} message={one} />)}</ol>
    </div>
  );
}
