/* gantt_pane.tsx - the Gantt's place on the board. */
import { t } from "@callout/shared/i18n";

export function GanttPane() {
  return <section class="gantt-pane" id="gantt" tabIndex={-1} aria-label={t("gantt.title")} />;
}
