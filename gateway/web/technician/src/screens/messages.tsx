/* messages.tsx - to and from the dispatchers. One's own are shown from the outbox, sent or not. */
import { useEffect, useState } from "preact/hooks";
import { usToMs } from "@callout/shared/units";
import { Icon } from "../icons.tsx";
import { seePlan } from "../plan_acks.ts";
import { device, say, visits, zone } from "../state.ts";
import { bodyOf, wasApplied } from "../sync/outbox.ts";
import { Empty, Head, typed } from "../ui.tsx";
import { t } from "../words.ts";

interface Said {
  key: string;
  text: string;
  from: string; // "": himself
  timeMs: number;
  about: string;
  unsent: boolean;
  refused: boolean;
}

function allMessages(): Said[] {
  const engine = device();
  const theirs = [...engine.replica.messages.values()].map((row): Said => ({
    key: `d${row.seq}`, text: row.text ?? "", from: row.from || t("messages.dispatcher"),
    timeMs: usToMs(row.timeUs), about: row.appointmentId ?? "", unsent: false, refused: false,
  }));
  const mine = engine.outbox.all().flatMap((row): Said[] => {
    const { message, happenedMs } = bodyOf(row);
    return message === undefined ? [] : [{
      key: `m${row.seq}`, text: message.text ?? "", from: "", timeMs: happenedMs,
      about: message.appointmentId ?? "", unsent: row.result === undefined,
      refused: row.result !== undefined && !wasApplied(row.result),
    }];
  });
  return [...theirs, ...mine].sort((one, other) => one.timeMs - other.timeMs);
}

function Bubble({ said }: { said: Said }) {
  const about = visits.value.find((one) => one.id === said.about);
  return (
    <li class={said.from === "" ? "mine" : "theirs"}>
      <small><bdi>{said.from || t("you")}</bdi> · {zone.value.time(said.timeMs)}
        {said.unsent && <Icon name="unsent" label={t("visit.unsent")} />}
        {said.refused && <Icon name="warn" label={t("clash.REJECTED")} />}</small>
      {about !== undefined && <small><bdi>{about.title}</bdi></small>}
      <p><bdi>{said.text}</bdi></p>
    </li>
  );
}

export function Messages({ about }: { about: string }) {
  const [text, setText] = useState("");
  const engine = device();
  const unread = [...engine.replica.messages.values()].filter((row) => row.read !== true);
  const newest = Math.max(0, ...unread.map((row) => Number(row.seq)));
  const visit = visits.value.find((one) => one.id === about);
  useEffect(() => {
    if (newest > 0) void engine.readMessages().then(() => seePlan(newest));
  }, [newest]);

  async function send(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const message = { text: text.trim(), ...(visit === undefined ? {} : { appointmentId: about }) };
    if (message.text !== "" && (await say({ message }))) setText("");
  }

  const all = allMessages();
  return (
    <>
      <Head title={t("messages.title")} />
      {all.length === 0 && <Empty text={t("messages.none")} />}
      <ul class="bubbles">{all.map((said) => <Bubble key={said.key} said={said} />)}</ul>
      <form class="add card" onSubmit={(event) => void send(event)}>
        {visit !== undefined && <small><bdi>{t("messages.about", { title: visit.title })}</bdi></small>}
        <textarea rows={2} maxLength={1000} required value={text} aria-label={t("messages.write")}
          placeholder={t("messages.write")} onInput={(event) => setText(typed(event.currentTarget))} />
        <button class="primary" type="submit">{t("messages.send")}</button>
      </form>
    </>
  );
}
