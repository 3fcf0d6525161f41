/* board.tsx - the first screen: header, attention strip, map over Gantt, list beside them.
 *
 * Map and Gantt draw themselves (map.ts, gantt.ts) into places that stay; the rest is Preact. */
import { computed } from "@preact/signals";
import { t } from "@callout/shared/i18n";
import { selectedTechnicianId, selectedVisitId } from "../model/selection.ts";
import { isLoaded } from "../model/store.ts";
import { AttentionStrip } from "./strip.tsx";
import { ExceptionList } from "./list.tsx";
import { GanttPane } from "./gantt_pane.tsx";
import { Header } from "./header.tsx";
import { KeysHelp } from "./keys_help.tsx";
import { MapPane } from "./map_pane.tsx";
import { Proof } from "./proof.tsx";
import { listSplit, mapSplit, Splitter } from "./splitter.tsx";
import { useBoardKeys } from "./board_keys.ts";
import { Editing } from "../edit/editing.tsx";

const hasDrawer = computed(() => (selectedVisitId.value ?? selectedTechnicianId.value) !== null);

export function Board() {
  useBoardKeys();
  return (
    <div class="board">
      <a class="skip" href="#list">{t("skip.list")}</a>
      <a class="skip" href="#gantt">{t("skip.gantt")}</a>
      {hasDrawer.value &&
        <a class="skip" href="#drawer">{t("skip.drawer")}</a>}
      <Header />
      <AttentionStrip />
      <main class="board-main" aria-busy={!isLoaded.value}>
        <MapPane />
        <Splitter split={mapSplit} />
        <GanttPane />
        <Splitter split={listSplit} />
      </main>
      <ExceptionList />
      <Editing />
      <KeysHelp />
      <Proof />
    </div>
  );
}
