/* ui.tsx - the few shapes that every screen is made of. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";
import { address, go } from "./router.ts";
import { toast, zone } from "./state.ts";
import { t } from "./words.ts";

/* A question over the page, at its lower edge where the thumb is; Escape and the ground close it. */
export function Sheet({ title, onClose, children }: {
  title: string; onClose: () => void; children: ComponentChildren;
}) {
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    place.current?.showModal();
  }, []);
  return (
    <dialog class="sheet" ref={place} aria-labelledby={id} onClose={onClose}
      onClick={(event) => event.target === place.current && place.current?.close()}>
      <header class="sheet-head">
        <h2 id={id}>{title}</h2>
        <button class="iconic" onClick={() => place.current?.close()} aria-label={t("close")}>
          <Icon name="close" />
        </button>
      </header>
      <div class="sheet-body">{children}</div>
    </dialog>
  );
}

/* A whole row to tap. */
export function Choice({ icon, label, note, onClick, kind = "" }: {
  icon?: IconName; label: string; note?: string; onClick: () => void; kind?: string;
}) {
  return (
    <button class={`choice ${kind}`} onClick={onClick}>
      {icon !== undefined && <Icon name={icon} />}
      <span>{label}{note !== undefined && <small>{note}</small>}</span>
    </button>
  );
}

export function Head({ title, back }: { title: string; back?: string }) {
  const leave = () => (history.length > 1 ? history.back() : go(back ?? "today"));
  return (
    <div class="screen-head">
      {back !== undefined && (
        <button class="iconic" onClick={leave} aria-label={t("back")}><Icon name="back" /></button>
      )}
      <h1>{title}</h1>
    </div>
  );
}

export function Section({ title, children, count }: {
  title: string; children: ComponentChildren; count?: number;
}) {
  return (
    <section class="section">
      <h2>{title}{count !== undefined && <span class="count">{count}</span>}</h2>
      {children}
    </section>
  );
}

export function Empty({ text }: { text: string }) {
  return <p class="empty">{text}</p>;
}

export function Toast() {
  const said = toast.value;
  return (
    <div class="toasts" role={said?.bad === true ? "alert" : "status"}>
      {said !== null && (
        <p class={said.bad ? "toast bad" : "toast"}>
          <Icon name={said.bad ? "warn" : "done"} />{said.text}
        </p>
      )}
    </div>
  );
}

/* What was typed, as far as the server takes it: its limits count bytes, those of fields letters. */
export function typed(place: HTMLInputElement | HTMLTextAreaElement, bytesMax = 1000): string {
  const { read } = new TextEncoder().encodeInto(place.value, new Uint8Array(bytesMax));
  if (read !== undefined && read < place.value.length) place.value = place.value.slice(0, read);
  return place.value;
}

export function Time({ ms }: { ms: number }) {
  return <time dateTime={new Date(ms).toISOString()}>{zone.value.time(ms)}</time>;
}

export { address };
