/* dialog.tsx - a modal question: keeps the focus, gives it back, closes with Escape. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";

export function Dialog({ title, onClose, onSubmit, submit, danger, wide, away, children }: {
  title: string;
  onClose: () => void;
  onSubmit?: (form: FormData) => void;
  submit?: string;
  danger?: boolean;
  wide?: boolean;
  away?: boolean; // for a while, with all that is typed in it kept
  children: ComponentChildren;
}) {
  const place = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    if (away === true) place.current?.close();
    else if (place.current?.open === false) place.current.showModal();
  }, [away]);
  return (
    <dialog class={`ask${wide === true ? " ask-wide" : ""}`} ref={place} aria-labelledby={id}
      onClose={() => { if (place.current?.dataset["away"] !== "true") onClose(); }} data-away={away === true}>
      <form method="dialog" onSubmit={(event) => {
        event.preventDefault();
        onSubmit?.(new FormData(event.currentTarget));
      }}>
        <header><h2 id={id}>{title}</h2>
          <button type="button" class="iconic" aria-label={t("ask.close")} onClick={onClose}><Icon name="close" /></button>
        </header>
        {children}
        {submit !== undefined &&
          <footer>
            <button type="button" onClick={onClose}>{t("ask.cancel")}</button>
            <button type="submit" class={danger === true ? "danger" : "primary"}>{submit}</button>
          </footer>}
      </form>
    </dialog>
  );
}

/* Reasons that are given again and again, one press each; and any other as text. */
export function ReasonField({ reasons }: { reasons: readonly string[] }) {
  const field = useRef<HTMLInputElement>(null);
  const pick = (text: string) => {
    if (field.current !== null) field.current.value = text;
    field.current?.form?.querySelector<HTMLButtonElement>("button[type=submit]")?.focus();
  };
  return (
    <fieldset class="reason">
      <legend>{t("ask.reason")}</legend>
      <div class="picks">
        {reasons.map((text) => <button key={text} type="button" onClick={() => pick(text)}>{text}</button>)}
      </div>
      <label><span class="hidden-text">{t("ask.reason")}</span>
        <input name="reason" ref={field} required maxLength={200} autocomplete="off" autofocus
          placeholder={t("ask.reasonOther")} /></label>
    </fieldset>
  );
}
