/* gantt_pane.tsx - the Gantt's place on the board: its buttons, and what it is told. */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { setView, view } from "@callout/shared/view";
import { chip, selectedTechnicianId, selectedVisit, selectedVisitId, selectTechnician, selectVisit } from "../model/selection.ts";
import { day, dayBounds, nowMs, zone } from "../model/store.ts";
import { kindsOfVisits } from "../model/trouble.ts";
import { enableDrag } from "../edit/drag.ts";
import { gotoWish, nextRowHeight, rowHeight, rowHeights, zoomGantt, zoomWish } from "./commands.ts";
import { Gantt, type Picture } from "./gantt.ts";
import { Rows, spanOf } from "./gantt_rows.ts";

const everybody = () => view.value["rows"] === "all";

function makePicture(rows: Rows): Picture | null {
  if (day.value === null) return null;
  const made = rows.make(day.value, everybody(), kindsOfVisits.value);
  return {
    rows: made, span: spanOf(made, dayBounds.value), zone: zone.value, nowMs: nowMs.value,
    chip: chip.value, visitId: selectedVisitId.value, technicianId: selectedTechnicianId.value,
  };
}

function start(place: HTMLElement): () => void {
  const gantt = new Gantt({ selectVisit, selectTechnician });
  const rows = new Rows();
  place.append(gantt.it);
  const endDrag = enableDrag(gantt);
  let looked = "";
  const ends = [
    effect(() => {
      const picture = makePicture(rows);
      if (picture === null) return;
      /* What a person changed is drawn at once. */
      const looks = [picture.chip, picture.visitId, picture.technicianId, everybody()].join();
      gantt.show(picture, looks !== looked);
      looked = looks;
    }),
    effect(() => gantt.setRowHeight(rowHeights[rowHeight.value])),
    effect(() => {
      if (zoomWish.value.number > 0) gantt.zoom(zoomWish.value.zoom);
    }),
    effect(() => {
      if (gotoWish.value === 0) return;
      const technicianId = selectedTechnicianId.peek();
      if (technicianId !== null) gantt.reveal(technicianId, selectedVisit.peek());
    }),
  ];
  return () => {
    ends.forEach((end) => end());
    endDrag();
    gantt.destroy();
  };
}

/* What the bars' colours say. */
function Legend() {
  return (
    <ul class="gantt-legend" aria-label={t("gantt.legend")}>
      {phases.map((phase) => <li key={phase}><span class={`g-swatch g-${phase}`} aria-hidden="true" />{t(`phase.${phase}`)}</li>)}
    </ul>
  );
}
const phases = ["planned", "told", "driving", "working", "paused", "done", "failed"] as const;

export function GanttPane() {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => (place.current === null ? undefined : start(place.current)), []);
  const height = t("gantt.rowHeight", { height: t(`gantt.rows.${rowHeight.value}`) });
  return (
    <section class="gantt-pane" id="gantt" tabIndex={-1} aria-label={t("gantt.title")}>
      <div class="gantt-tools">
        <Legend />
        <label class="check">
          <input type="checkbox" checked={!everybody()}
            onChange={(event) => setView({ rows: event.currentTarget.checked ? null : "all" })} />
          {t("gantt.onlyWorking")}
        </label>
        <button type="button" class="quiet" onClick={() => zoomGantt("now")}>{t("gantt.goNow")}</button>
        <button type="button" class="iconic" aria-label={height} title={height} onClick={nextRowHeight}>
          <Icon name="rows" /></button>
        <button type="button" class="iconic" aria-label={t("gantt.zoomOut")} title={t("gantt.zoomOut")}
          onClick={() => zoomGantt("out")}><Icon name="minus" /></button>
        <button type="button" class="iconic" aria-label={t("gantt.zoomIn")} title={t("gantt.zoomIn")}
          onClick={() => zoomGantt("in")}><Icon name="plus" /></button>
        <button type="button" class="iconic" aria-label={t("gantt.zoomFit")} title={t("gantt.zoomFit")}
          onClick={() => zoomGantt("fit")}><Icon name="fit" /></button>
      </div>
      <div class="gantt-place" ref={place} />
    </section>
  );
}
