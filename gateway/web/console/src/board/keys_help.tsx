/* keys_help.tsx - `?`: what the keys do, and whether single letters do anything. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "@callout/shared/i18n";
import { listKeys, setSingleKeys, singleKeys } from "@callout/shared/keys";

export const helpOpen = signal(false);

export function KeysHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (helpOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [helpOpen.value]);
  return (
    <dialog class="keys" ref={dialog} aria-labelledby="keys-title"
      onClose={() => { helpOpen.value = false; }}>
      <h2 id="keys-title">{t("keys.title")}</h2>
      <dl>
        {helpOpen.value && listKeys().map((key) => (
          <div key={key.key}><dt><kbd>{key.key}</kbd></dt><dd>{t(key.label)}</dd></div>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={singleKeys.value}
          onChange={(event) => setSingleKeys(event.currentTarget.checked)} />
        {t("keys.single")}
      </label>
      <button type="button" class="primary" onClick={() => { helpOpen.value = false; }}>
        {t("keys.close")}
      </button>
    </dialog>
  );
}
