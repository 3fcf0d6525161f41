/* field_record.tsx - what technicians brought back from a visit: the checklist with its answers, what they
 * need, notes, photos and signatures. */
import { call } from "@callout/shared/client";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { usToMs } from "@callout/shared/units";
import type { Attachment, ChecklistAnswer, ChecklistItem, FieldNote } from "@callout/shared/wire";
import { useEffect, useState } from "preact/hooks";
import type { Visit } from "../model/day.ts";
import { zone } from "../model/store.ts";
import { useAsked } from "./asked.ts";
import { technicianName } from "./reasons.ts";

const photosShown = 12;

/* base64 as JSON carries bytes. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function loadPicture(sha256: string, signal: AbortSignal): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let offset = 0, size = 1, type = ""; ; ) {
    const piece = await call("GetBlob", { sha256, offset: String(offset) }, { signal });
    const bytes = bytesOf(piece.bytes ?? "");
    pieces.push(bytes);
    offset += bytes.length;
    size = Number(piece.size ?? 0);
    type = piece.mediaType ?? "";
    if (offset >= size || bytes.length === 0) return new Blob(pieces, { type });
  }
}

function Picture({ attachment }: { attachment: Attachment }) {
  const [url, setUrl] = useState("");
  const sha256 = attachment.sha256 ?? "";
  useEffect(() => {
    const abort = new AbortController();
    let made = "";
    loadPicture(sha256, abort.signal).then((blob) => { made = URL.createObjectURL(blob); setUrl(made); },
      () => undefined);
    return () => { abort.abort(); URL.revokeObjectURL(made); };
  }, [sha256]);
  const signed = attachment.kind === "SIGNATURE";
  const words = signed ? t("field.signed", { name: attachment.name ?? "" }) : attachment.name || t("field.photo");
  return (
    <figure class={signed ? "signature" : "photo"}>
      {url === "" ? <span class="soft">{t("field.loading")}</span>
        : <a href={url} target="_blank" rel="noopener"><img src={url} alt={words} /></a>}
      <figcaption>{words} <span class="soft">{technicianName(attachment.technicianId)},{" "}
        {zone.value.dayAndTime(usToMs(attachment.timeUs))}</span></figcaption>
    </figure>
  );
}

function Item({ item, answers }: { item: ChecklistItem; answers: readonly ChecklistAnswer[] }) {
  const answer = answers.find((one) => one.itemId === item.itemId)?.value ?? "";
  return (
    <li>
      <Icon name={answer === "" ? "planned" : "done"} label={t(answer === "" ? "field.open" : "field.answered")} />
      {" "}{item.text}{item.required === true && answer === "" && <b class="bad"> {t("field.required")}</b>}
      {answer !== "" && <b> {answer}</b>}
    </li>
  );
}

function Note({ note }: { note: FieldNote }) {
  return (
    <li><bdi>{note.text}</bdi> <span class="soft">{technicianName(note.technicianId)},{" "}
      {zone.value.dayAndTime(usToMs(note.timeUs))}</span></li>
  );
}

export function FieldRecord({ visit }: { visit: Visit }) {
  const { reply } = useAsked("WorkOrderDetail", { appointmentId: visit.id }, visit.id, String(visit.version));
  const items = reply?.workOrder?.checklist ?? [], notes = reply?.notes ?? [];
  const pictures = (reply?.attachments ?? []).slice(-photosShown);
  if (items.length + notes.length + pictures.length === 0) return null;
  return (
    <section class="drawer-part field-record">
      <h3>{t("field.title")}</h3>
      {items.length > 0 && <ul class="reasons">
        {items.map((one) => <Item key={one.itemId} item={one} answers={reply?.answers ?? []} />)}</ul>}
      {notes.length > 0 && <ul class="reasons">
        {notes.map((one, at) => <Note key={at} note={one} />)}</ul>}
      {pictures.filter((one) => one.kept === true).map((one) => <Picture key={one.sha256} attachment={one} />)}
      {pictures.some((one) => one.kept !== true) && <p class="soft">{t("field.onItsWay")}</p>}
    </section>
  );
}
