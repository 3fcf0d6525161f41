/* edit_actions.tsx - the header's buttons that change something. */
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { asking, openScreen, screen, screens } from "./state.ts";
import { undoLast } from "./undo.ts";

export function EditActions() {
  return (
    <div class="header-actions">
      <button type="button" class="iconic" aria-label={t("edit.undo")} title={`${t("edit.undo")} (Ctrl+Z)`}
        aria-keyshortcuts="Control+z" onClick={() => void undoLast()}><Icon name="undo" /></button>
      <button type="button" aria-keyshortcuts="n" title={t("ask.key", { key: "n" })}
        onClick={() => { asking.value = { kind: "order" }; }}><Icon name="plus" />{t("order.new")}</button>
      <details class="menu" onClick={(event) => {
        if (event.target instanceof Element && event.target.closest("button") !== null) event.currentTarget.open = false;
      }}>
        <summary>{t("screen.menu")}</summary>
        <div>{screens.map((name) => (
          <button key={name} type="button" aria-current={screen.value === name} onClick={() => openScreen(name)}>
            {t(`screen.${name}`)}</button>))}</div>
      </details>
    </div>
  );
}
