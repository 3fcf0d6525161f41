/* map_pane.tsx - the map's place on the board. The map comes as a part of its own, after the rest is
 * there; list and Gantt do not wait for it. */
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t } from "@callout/shared/i18n";
import { isDark } from "@callout/shared/theme";
import { chip, selectedTechnicianId, selectedVisit, selectedVisitId, selectTechnician, selectVisit } from "../model/selection.ts";
import { day, isLoaded } from "../model/store.ts";
import { kindsOfVisits } from "../model/trouble.ts";
import type { Place } from "@callout/shared/units";
import { gotoWish, picking } from "./commands.ts";
import type { MapView } from "./map_view.ts";

function feed(map: MapView): () => void {
  let looked = "";
  const ends = [
    effect(() => {
      if (day.value === null) return;
      const looks = [chip.value, selectedVisitId.value, selectedTechnicianId.value, isDark.value].join();
      map.show({
        day: day.value, kinds: kindsOfVisits.value, chip: chip.value, visitId: selectedVisitId.value,
        technicianId: selectedTechnicianId.value, dark: isDark.value,
      }, looks !== looked);
      looked = looks;
    }),
    effect(() => {
      if (gotoWish.value === 0) return;
      const technicianId = selectedTechnicianId.peek();
      const technician = technicianId === null ? undefined : day.peek()?.technicians.get(technicianId);
      const place = selectedVisit.peek()?.place ?? technician?.fixPlace ?? technician?.home;
      if (place != null) map.reveal(place);
    }),
  ];
  return () => ends.forEach((end) => end());
}

const boardMs = 2_000; // a board that does not come does not keep the map away
const restMs = 300;

/* When the first board is there and drawn: the map is the largest part of the page, and whoever opens
 * it reads list and Gantt first. */
async function afterBoard(): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, boardMs);
    const end = effect(() => {
      if (!isLoaded.value) return;
      clearTimeout(timer);
      resolve();
      queueMicrotask(() => end());
    });
  });
  await new Promise<void>((resolve) => requestIdleCallback(() => resolve(), { timeout: restMs }));
}

function pick(place: Place): boolean {
  const wanted = picking.peek();
  picking.value = null;
  wanted?.(place);
  return wanted !== null;
}

export function MapPane() {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<MapView | null>(null);
  useEffect(() => {
    let end: () => void = () => undefined;
    let gone = false;
    void afterBoard().then(() => import("./map.ts")).then(({ openMap }) => {
      if (gone || place.current === null) return;
      const map = openMap(place.current, { selectVisit, selectTechnician, pick });
      view.current = map;
      const stop = feed(map);
      end = () => {
        stop();
        map.destroy();
        view.current = null;
      };
    });
    return () => {
      gone = true;
      end();
    };
  }, []);
  return (
    <section class="map-pane" aria-label={t("map.title")}>
      <div class="map-place" ref={place} tabIndex={0} role="application" aria-label={t("map.title")} />
      <div class="map-tools">
        <button type="button" class="iconic" aria-label={t("map.zoomIn")} title={t("map.zoomIn")}
          onClick={() => view.current?.zoom(1)}><Icon name="plus" /></button>
        <button type="button" class="iconic" aria-label={t("map.zoomOut")} title={t("map.zoomOut")}
          onClick={() => view.current?.zoom(-1)}><Icon name="minus" /></button>
        <button type="button" class="iconic" aria-label={t("map.fit")} title={t("map.fit")}
          onClick={() => view.current?.fit()}><Icon name="fit" /></button>
      </div>
      <p class="map-attribution">{t("map.attribution")}</p>
    </section>
  );
}
