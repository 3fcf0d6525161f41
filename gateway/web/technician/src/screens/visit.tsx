/* visit.tsx - all that is known of one visit, in the order in which it is needed. */
import { useState } from "preact/hooks";
import { address } from "../router.ts";
import { device, say, visits, zone } from "../state.ts";
import { isOver } from "../sync/replica.ts";
import { detailsOf, type Details, type Shown } from "../sync/view.ts";
import { usToMs } from "@callout/shared/units";
import { Icon } from "../icons.tsx";
import { Empty, Head, Section, typed } from "../ui.tsx";
import { t, tMaybe } from "../words.ts";
import { Checklist } from "./checklist.tsx";
import { More } from "./more.tsx";
import { Proofs } from "./proofs.tsx";
import { Reach, Status, StepButton, WindowLine, workText } from "./visit_card.tsx";

function Facts({ visit }: { visit: Shown }) {
  const { site, contact, note } = visit.order;
  return (
    <Section title={t("visit.where")}>
      <dl class="facts">
        {site?.address && <><dt>{t("visit.address")}</dt><dd><bdi>{site.address}</bdi></dd></>}
        {site?.accessNote && <><dt>{t("visit.access")}</dt><dd><bdi>{site.accessNote}</bdi></dd></>}
        {contact?.name && <><dt>{t("visit.contact")}</dt><dd><bdi>{contact.name}</bdi></dd></>}
        {note && <><dt>{t("visit.instructions")}</dt><dd class="text"><bdi>{note}</bdi></dd></>}
      </dl>
    </Section>
  );
}

function Notes({ visit, details }: { visit: Shown; details: Details }) {
  const [text, setText] = useState("");
  async function add(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (await say({ note: { appointmentId: visit.id, text: text.trim() } })) setText("");
  }
  return (
    <Section title={t("visit.notes")} count={details.notes.length}>
      <ul class="notes">
        {details.notes.map((note) => (
          <li key={note.timeMs + note.text}>
            <small>{zone.value.dayAndTime(note.timeMs)}{note.mine ? ` · ${t("you")}` : ""}</small>
            <p><bdi>{note.text}</bdi></p>
          </li>
        ))}
      </ul>
      <form class="add" onSubmit={(event) => void add(event)}>
        <textarea rows={2} maxLength={1000} required value={text} aria-label={t("visit.newNote")}
          placeholder={t("visit.newNote")} onInput={(event) => setText(typed(event.currentTarget))} />
        <button type="submit">{t("visit.addNote")}</button>
      </form>
    </Section>
  );
}

function History({ visit }: { visit: Shown }) {
  const past = visit.visit.history ?? [];
  if (past.length === 0) return null;
  return (
    <details class="section">
      <summary>{t("visit.history")}<span class="count">{past.length}</span></summary>
      <ul class="notes">
        {past.map((one) => (
          <li key={one.appointmentId}>
            <small>{zone.value.dayName(zone.value.serviceDay(usToMs(one.endUs)))} · <bdi>{one.technicianName}</bdi></small>
            <p><b><bdi>{one.workType}</bdi></b> · {tMaybe(`status.${one.status ?? ""}`, "")}</p>
            {one.text && <p><bdi>{one.text}</bdi></p>}
          </li>
        ))}
      </ul>
    </details>
  );
}

export function Visit({ id }: { id: string }) {
  const visit = visits.value.find((one) => one.id === id);
  if (visit === undefined)
    return <><Head title={t("visit.gone")} back="today" /><Empty text={t("visit.goneWhy")} /></>;
  const details = detailsOf(device(), visit);
  const open = !isOver(visit.status) && visit.status !== "UNSCHEDULED";
  return (
    <>
      <Head title={visit.title} back="today" />
      <article class="next">
        <div class="next-head">
          <span class="next-time">{zone.value.timeRange(visit.startMs, visit.endMs)}</span>
          <Status visit={visit} />
          <p class="soft"><bdi>{workText(visit)}</bdi></p>
        </div>
        <WindowLine visit={visit} />
        {details.needs.map((need) => (
          <p class="notice" key={need}><Icon name="warn" /><span>{tMaybe(`need.${need}`, need)}</span></p>
        ))}
        <StepButton visit={visit} />
        <Reach visit={visit} />
        {open && <More visit={visit} />}
      </article>
      <Facts visit={visit} />
      <Checklist visit={visit} items={details.items} open={open} />
      <Notes visit={visit} details={details} />
      <Proofs visit={visit} proofs={details.proofs} />
      <History visit={visit} />
      <a class="button" href={address("messages", visit.id)}><Icon name="chat" />{t("visit.ask")}</a>
    </>
  );
}
