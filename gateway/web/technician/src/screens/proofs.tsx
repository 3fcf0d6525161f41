/* proofs.tsx - photos and the customer's signature. */
import { useEffect, useRef, useState } from "preact/hooks";
import { attach } from "../act.ts";
import { Icon } from "../icons.tsx";
import { shrink } from "../picture.ts";
import { device, tell, zone } from "../state.ts";
import type { Proof, Shown } from "../sync/view.ts";
import { Section, Sheet, typed } from "../ui.tsx";
import { t } from "../words.ts";

/* As long as its bytes are on this phone it is shown from them. */
function Picture({ proof }: { proof: Proof }) {
  const [url, setUrl] = useState("");
  const row = device().blobs.all().find((one) => one.sha256 === proof.sha256);
  useEffect(() => {
    if (row === undefined) return;
    const made = URL.createObjectURL(new Blob([row.bytes], { type: row.mediaType }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [row === undefined]);
  const what = t(proof.kind === "SIGNATURE" ? "proof.signature" : "proof.photo");
  return (
    <li>
      {url !== "" && row !== undefined ? <img src={url} alt={what} />
        : <Icon name={proof.kind === "SIGNATURE" ? "pen" : "camera"} />}
      <span><b>{what}</b>{proof.name !== "" && <bdi> {proof.name}</bdi>}
        <small>{zone.value.time(proof.timeMs)} · {t(row === undefined ? "proof.sent" : "proof.unsent")}</small></span>
    </li>
  );
}

export function Proofs({ visit, proofs }: { visit: Shown; proofs: Proof[] }) {
  const [signing, setSigning] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  async function take(files: FileList | null): Promise<void> {
    for (const file of files ?? [])
      try {
        await attach(visit, "PHOTO", await shrink(file));
      } catch {
        tell(t("proof.unreadable"), true);
      }
    if (input.current !== null) input.current.value = "";
  }

  return (
    <Section title={t("proof.title")} count={proofs.length}>
      <ul class="proofs">{proofs.map((proof) => <Picture key={proof.sha256} proof={proof} />)}</ul>
      <div class="pair">
        <button onClick={() => input.current?.click()}><Icon name="camera" />{t("proof.take")}</button>
        <button onClick={() => setSigning(true)}><Icon name="pen" />{t("proof.sign")}</button>
      </div>
      <input ref={input} type="file" accept="image/*" capture="environment" multiple hidden
        aria-label={t("proof.take")} onChange={(event) => void take(event.currentTarget.files)} />
      {signing && <Signing visit={visit} onClose={() => setSigning(false)} />}
    </Section>
  );
}

function Signing({ visit, onClose }: { visit: Shown; onClose: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [name, setName] = useState(visit.order.contact?.name ?? "");
  const [signed, setSigned] = useState(false);

  useEffect(() => {
    const place = canvas.current, pen = place?.getContext("2d");
    if (!place || !pen) return;
    const ratio = Math.min(devicePixelRatio, 2);
    place.width = place.clientWidth * ratio;
    place.height = place.clientHeight * ratio;
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, place.width, place.height);
    pen.scale(ratio, ratio);
    Object.assign(pen, { lineWidth: 2.5, lineCap: "round", lineJoin: "round", strokeStyle: "#101828" });
  }, []);

  function draw(event: PointerEvent): void {
    const place = canvas.current, pen = place?.getContext("2d");
    if (!place || !pen || (event.type === "pointermove" && event.buttons === 0)) return;
    if (event.type === "pointerdown") {
      place.setPointerCapture(event.pointerId);
      pen.beginPath();
    }
    pen.lineTo(event.offsetX, event.offsetY);
    pen.stroke();
    setSigned(true);
  }

  async function save(): Promise<void> {
    const picture = await new Promise<Blob | null>((resolve) => canvas.current?.toBlob(resolve, "image/png"));
    if (picture !== null && (await attach(visit, "SIGNATURE", picture, name.trim()))) onClose();
  }

  return (
    <Sheet title={t("proof.sign")} onClose={onClose}>
      <label class="field">{t("proof.who")}
        <input value={name} maxLength={100} onInput={(event) => setName(typed(event.currentTarget, 128))} />
      </label>
      <canvas class="signature" ref={canvas} role="img" aria-label={t("proof.here")}
        onPointerDown={draw} onPointerMove={draw} />
      <p class="soft">{t("proof.here")}</p>
      <button class="primary big" disabled={!signed || name.trim() === ""} onClick={() => void save()}>
        {t("proof.save")}
      </button>
    </Sheet>
  );
}
