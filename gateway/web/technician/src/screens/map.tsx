/* map.tsx - the day's stops and the order in which they come, drawn to scale without a basemap: it
 * costs nothing to load and opens in any cellar. Navigation is the phone's own app. */
import type { Place } from "@callout/shared/units";
import { toPlace } from "@callout/shared/units";
import { navigateTo } from "../act.ts";
import { lastPlace } from "../position.ts";
import { address, go } from "../router.ts";
import { device, route, zone } from "../state.ts";
import type { Shown } from "../sync/view.ts";
import { Icon } from "../icons.tsx";
import { Empty, Head } from "../ui.tsx";
import { t } from "../words.ts";
import { secondLine } from "./visit_card.tsx";

const width = 360, height = 340, margin = 36;
const kmPerDegree = 111.2;

interface Spot {
  x: number;
  y: number;
}

/* Places fitted into the picture, north above; kilometres to a unit of the picture. */
function fit(places: readonly Place[]): { spot(place: Place): Spot; unitKm: number } {
  const lats = places.map((one) => one.lat), lons = places.map((one) => one.lon);
  const lat = (Math.min(...lats) + Math.max(...lats)) / 2;
  const lon = (Math.min(...lons) + Math.max(...lons)) / 2;
  const shrink = Math.cos((lat * Math.PI) / 180);
  const wide = Math.max((Math.max(...lons) - Math.min(...lons)) * shrink, 0.004);
  const high = Math.max(Math.max(...lats) - Math.min(...lats), 0.004);
  const scale = Math.min((width - 2 * margin) / wide, (height - 2 * margin) / high);
  return {
    unitKm: kmPerDegree / scale,
    spot: (place) => ({
      x: width / 2 + (place.lon - lon) * shrink * scale,
      y: height / 2 - (place.lat - lat) * scale,
    }),
  };
}

/* A round length of about a quarter of the picture. */
function scaleKm(unitKm: number): number {
  const wanted = (width / 4) * unitKm;
  return [0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((km) => km >= wanted / 1.6) ?? 200;
}

function Picture({ stops, next }: { stops: Shown[]; next: Shown | null }) {
  const placed = stops.flatMap((stop) => (stop.place === null ? [] : [{ stop, place: stop.place }]));
  const home = toPlace(device().replica.day.technician?.home), here = toPlace(lastPlace() ?? undefined);
  const all = [...placed.map(({ place }) => place), ...(home === null ? [] : [home]), ...(here === null ? [] : [here])];
  if (all.length === 0) return <Empty text={t("map.nothing")} />;
  const { spot, unitKm } = fit(all);
  const line = [...(home === null ? [] : [home]), ...placed.map(({ place }) => place)].map(spot);
  const km = scaleKm(unitKm);
  return (
    <svg class="map" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t("map.label", { count: placed.length })}>
      <polyline points={line.map(({ x, y }) => `${x},${y}`).join(" ")} />
      {home !== null && <rect class="home" x={spot(home).x - 6} y={spot(home).y - 6} width="12" height="12" rx="2" />}
      {placed.map(({ stop, place }, index) => {
        const { x, y } = spot(place);
        return (
          <g key={stop.id} class={`stop is-${stop.status} ${stop === next ? "is-next" : ""}`} onClick={() => go("visit", stop.id)}>
            <circle cx={x} cy={y} r={stop === next ? 17 : 14} />
            <text x={x} y={y + 5}>{index + 1}</text>
          </g>
        );
      })}
      {here !== null && <circle class="here" cx={spot(here).x} cy={spot(here).y} r="7" />}
      <path class="scale" d={`M16 ${height - 14}h${km / unitKm}`} />
      <text class="scale-text" x="16" y={height - 20}>{km} km</text>
    </svg>
  );
}

export function DayMap() {
  const { next, open, done } = route.value;
  const stops = [...done, ...(next === null ? [] : [next]), ...open]
    .sort((one, other) => one.startMs - other.startMs);
  return (
    <>
      <Head title={t("map.title")} />
      <div class="card"><Picture stops={stops} next={next} /></div>
      <ol class="rows card">
        {stops.map((stop, index) => (
          <li class="row" key={stop.id}>
            <span class="row-time">{index + 1}<small>{zone.value.time(stop.startMs)}</small></span>
            <a class="row-text grow" href={address("visit", stop.id)}><b><bdi>{stop.title}</bdi></b>
              <span class="soft"><bdi>{secondLine(stop)}</bdi></span></a>
            {stop.place !== null && (
              <a class="iconic button" href={navigateTo(stop)} aria-label={`${t("navigate")}: ${stop.title}`}><Icon name="go" /></a>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}
