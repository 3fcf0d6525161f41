/* place_field.tsx - a place as text: typed, or shown on the map by a click. */
import { useEffect } from "preact/hooks";
import { t } from "@callout/shared/i18n";
import type { Place } from "@callout/shared/units";
import { picking } from "../board/commands.ts";

/* "47.36, 9.53" of a map or a message; null: that is no place. */
export function readPlace(text: string): Place | null {
  const match = /^\s*(-?\d{1,2}(?:\.\d+)?)[\s,;]+(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(text);
  if (match === null) return null;
  const lat = Number(match[1]), lon = Number(match[2]);
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null;
}

export const placeText = (place: Place) => `${place.lat.toFixed(5)}, ${place.lon.toFixed(5)}`;

export const toPoint = (place: Place) => ({ latE7: Math.round(place.lat * 1e7), lonE7: Math.round(place.lon * 1e7) });

/* While somebody shows a place, Escape takes him back to what he was at. */
export function usePicking(): void {
  useEffect(() => {
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || picking.peek() === null) return;
      event.preventDefault();
      event.stopPropagation();
      picking.value = null;
    };
    document.addEventListener("keydown", leave, { capture: true });
    return () => {
      document.removeEventListener("keydown", leave, { capture: true });
      picking.value = null;
    };
  }, []);
}

export function PickHint() {
  return picking.value === null ? null
    : <div class="toasts"><p class="toast" role="status">{t("order.picking")}</p></div>;
}

export function PlaceField({ label, value, onValue }: { label: string; value: string; onValue: (text: string) => void }) {
  return (
    <div class="place-field">
      <label>{label}<input name="place" required inputMode="decimal" autocomplete="off" value={value}
        onInput={(event) => onValue(event.currentTarget.value)} /></label>
      <button type="button" onClick={() => { picking.value = (found) => onValue(placeText(found)); }}>{t("order.pick")}</button>
    </div>
  );
}
