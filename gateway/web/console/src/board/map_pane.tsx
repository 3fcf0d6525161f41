/* map_pane.tsx - the map's place on the board; the map itself comes as a part of its own. */
import { t } from "@callout/shared/i18n";

export function MapPane() {
  return <section class="map-pane" aria-label={t("map.title")} />;
}
