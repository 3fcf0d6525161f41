/* map.ts - the board's map on OpenLayers.
 *
 * Idea: routes, visits and technicians have a canvas each, so that a technician who moves does not
 * have the rest drawn again; and all are brought up to date four times a second at most, positions
 * going half of the way each time, so that they glide. Features stay; those of what is the same
 * object as before are not looked at.
 */
import OlMap from "ol/Map.js";
import View from "ol/View.js";
import Feature from "ol/Feature.js";
import type { FeatureLike } from "ol/Feature.js";
import type MapBrowserEvent from "ol/MapBrowserEvent.js";
import LineString from "ol/geom/LineString.js";
import Point from "ol/geom/Point.js";
import VectorLayer from "ol/layer/Vector.js";
import Cluster from "ol/source/Cluster.js";
import VectorSource from "ol/source/Vector.js";
import { boundingExtent } from "ol/extent.js";
import { defaults as interactions } from "ol/interaction/defaults.js";
import { fromLonLat, toLonLat } from "ol/proj.js";
import { Painter } from "@callout/shared/painter";
import type { Place } from "@callout/shared/units";
import type { Kind } from "../model/attention.ts";
import type { Day, Technician, Visit } from "../model/day.ts";
import { isOver, phaseOf } from "../model/status.ts";
import { isSilentNow } from "../model/trouble.ts";
import { Basemap } from "./map_basemap.ts";
import { MapStyles, readColours, worse } from "./map_style.ts";
import type { MapEvents, MapPicture, MapView } from "./map_view.ts";

const paintMs = 250;
const clusterPx = 26;
const closest = 18;
const nearby = 30; // metres a pixel, where there are many
const few = 20;

type Coordinate = [number, number];

function at(place: Place): Coordinate {
  const [x, y] = fromLonLat([place.lon, place.lat]);
  return [x ?? 0, y ?? 0];
}

/* Two letters, or the number of who is called by one. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const last = words[words.length - 1] ?? "";
  if (/^\d+$/.test(last)) return last.slice(-3);
  const letters = words.length > 1 ? `${words[0]?.[0] ?? ""}${last[0] ?? ""}` : name.slice(0, 3);
  return letters.toUpperCase();
}

class Board implements MapView {
  private styles = new MapStyles(readColours());
  private readonly basemap = new Basemap(this.styles.colours);
  private readonly visits = new VectorSource<Feature<Point>>();
  private readonly technicians = new VectorSource<Feature<Point>>();
  private readonly routes = new VectorSource<Feature<LineString>>();
  private readonly clusters = new Cluster({ source: this.visits, distance: clusterPx, minDistance: 12 });
  private readonly visitLayer = new VectorLayer({ source: this.clusters, className: "m-visits",
    style: (feature, resolution) => this.styleCluster(feature, resolution) });
  private readonly technicianLayer = new VectorLayer({ source: this.technicians, className: "m-technicians",
    style: (feature, resolution) => this.styleTechnician(feature, resolution) });
  private readonly routeLayer = new VectorLayer({ source: this.routes, className: "m-routes",
    style: (feature) => this.styleRoute(feature) });
  private readonly map: OlMap;
  private readonly painter = new Painter(paintMs, () => this.paint());
  private picture: MapPicture | null = null;
  private drawn: MapPicture | null = null;
  private fitted = "";

  constructor(place: HTMLElement, private readonly events: MapEvents) {
    this.map = new OlMap({
      target: place, controls: [], interactions: interactions({ altShiftDragRotate: false, pinchRotate: false }),
      layers: [this.basemap.world, this.routeLayer, this.visitLayer, this.technicianLayer],
      view: new View({ center: fromLonLat([9.5, 47.2]), zoom: 9, maxZoom: closest, enableRotation: false }),
    });
    this.map.on("click", (event) => this.click(event as MapBrowserEvent<PointerEvent>));
    this.map.on("pointermove", (event) => {
      const hit = !event.dragging && this.map.hasFeatureAtPixel(event.pixel, { hitTolerance: 4, layerFilter: (layer) =>
        layer === this.visitLayer || layer === this.technicianLayer });
      place.style.cursor = hit ? "pointer" : "";
    });
    void this.basemap.findRegion().then((layer) => {
      if (layer !== null) this.map.getLayers().insertAt(1, layer);
    });
  }

  show(picture: MapPicture, eager: boolean): void {
    this.picture = picture;
    if (eager) this.painter.now();
    else this.painter.touch();
  }

  reveal(place: Place): void {
    const view = this.map.getView();
    const centre = at(place);
    const size = this.map.getSize() ?? [0, 0];
    const pixel = this.map.getPixelFromCoordinate(centre) as number[] | null;
    const [x, y] = pixel ?? [-1, -1];
    const inside = x !== undefined && y !== undefined && x > 30 && y > 30 &&
      x < (size[0] ?? 0) - 30 && y < (size[1] ?? 0) - 30;
    const zoom = Math.max(view.getZoom() ?? 0, 13);
    if (!inside || zoom !== view.getZoom()) view.animate({ center: centre, zoom, duration: 200 });
  }

  fit(): void {
    const { picture } = this;
    if (picture === null) return;
    const places: Coordinate[] = [];
    for (const visit of picture.day.visits.values()) if (visit.place !== null) places.push(at(visit.place));
    for (const technician of picture.day.technicians.values())
      if (technician.fixPlace !== null) places.push(at(technician.fixPlace));
    if (places.length === 0) return;
    this.map.getView().fit(boundingExtent(places), { padding: [40, 40, 40, 40], maxZoom: 15 });
  }

  zoom(by: 1 | -1): void {
    const view = this.map.getView();
    view.animate({ zoom: (view.getZoom() ?? 9) + by, duration: 120 });
  }

  destroy(): void {
    this.painter.stop();
    this.map.setTarget(undefined);
    this.map.dispose();
  }

  /* --- drawing --- */

  private paint(): void {
    const { picture, drawn } = this;
    if (picture === null) return;
    if (drawn?.dark !== picture.dark) this.recolour();
    const others = drawn === null || drawn.chip !== picture.chip || drawn.visitId !== picture.visitId ||
      drawn.technicianId !== picture.technicianId || !sameKinds(drawn.kinds, picture.kinds);
    this.drawn = picture;
    if (drawn?.day !== picture.day) {
      this.updateVisits(picture.day);
      this.updateRoutes(picture.day);
    }
    const moving = this.updateTechnicians(picture.day);
    if (others) for (const layer of [this.visitLayer, this.routeLayer, this.technicianLayer]) layer.changed();
    const key = `${picture.day.territoryId} ${picture.day.serviceDay}`;
    if (this.fitted !== key && picture.day.visits.size + picture.day.technicians.size > 0) {
      this.fitted = key;
      this.fit();
    }
    if (moving) this.painter.touch();
  }

  private recolour(): void {
    this.styles = new MapStyles(readColours());
    this.basemap.recolour(this.styles.colours);
    for (const layer of [this.visitLayer, this.routeLayer, this.technicianLayer]) layer.changed();
  }

  private updateVisits(day: Day): void {
    const fresh: Feature<Point>[] = [];
    let changed = false;
    for (const visit of day.visits.values()) {
      if (visit.place === null) continue;
      const known = this.visits.getFeatureById(visit.id);
      if (known !== null && !Array.isArray(known)) {
        if (known.get("visit") === visit) continue;
        const before = known.get("visit") as Visit;
        known.set("visit", visit, true);
        changed = true;
        if (before.place?.lat !== visit.place.lat || before.place?.lon !== visit.place.lon)
          known.getGeometry()?.setCoordinates(at(visit.place));
        continue;
      }
      const feature = new Feature(new Point(at(visit.place)));
      feature.setId(visit.id);
      feature.set("visit", visit, true);
      fresh.push(feature);
    }
    for (const feature of this.visits.getFeatures())
      if (day.visits.get(String(feature.getId()))?.place == null) this.visits.removeFeature(feature);
    if (fresh.length > 0) this.visits.addFeatures(fresh);
    else if (changed) this.visitLayer.changed();
  }

  private routeOf(day: Day, technician: Technician): Coordinate[] {
    const line: Coordinate[] = [];
    if (technician.fixPlace !== null) line.push(at(technician.fixPlace));
    else if (technician.home !== null && technician.stops.length > 0) line.push(at(technician.home));
    for (const stop of technician.stops) {
      const place = day.visits.get(stop.visitId)?.place;
      if (place != null) line.push(at(place));
    }
    return line.length > 1 ? line : [];
  }

  private updateRoutes(day: Day): void {
    for (const technician of day.technicians.values()) {
      const known = this.routes.getFeatureById(technician.id);
      const feature = known === null || Array.isArray(known) ? new Feature<LineString>() : known;
      if (feature.get("technician") === technician) continue;
      feature.set("technician", technician, true);
      const line = this.routeOf(day, technician);
      if (known === null) {
        feature.setId(technician.id);
        feature.setGeometry(new LineString(line));
        this.routes.addFeature(feature);
      } else feature.getGeometry()?.setCoordinates(line);
    }
    for (const feature of this.routes.getFeatures())
      if (!day.technicians.has(String(feature.getId()))) this.routes.removeFeature(feature);
  }

  /* True while somebody still glides to where he was seen last. */
  private updateTechnicians(day: Day): boolean {
    let moving = false;
    for (const technician of day.technicians.values()) {
      const known = this.technicians.getFeatureById(technician.id);
      const feature = known === null || Array.isArray(known) ? null : known;
      if (technician.fixPlace === null) {
        if (feature !== null) this.technicians.removeFeature(feature);
        continue;
      }
      const target = at(technician.fixPlace);
      if (feature === null) {
        const fresh = new Feature(new Point(target));
        fresh.setId(technician.id);
        fresh.set("technician", technician, true);
        this.technicians.addFeature(fresh);
        continue;
      }
      feature.set("technician", technician, true);
      const [x, y] = feature.getGeometry()?.getCoordinates() ?? target;
      const dx = target[0] - (x ?? 0), dy = target[1] - (y ?? 0);
      if (dx === 0 && dy === 0) continue;
      const near = Math.abs(dx) + Math.abs(dy) < 15;
      feature.getGeometry()?.setCoordinates(near ? target : [(x ?? 0) + dx / 2, (y ?? 0) + dy / 2]);
      moving ||= !near;
    }
    for (const feature of this.technicians.getFeatures())
      if (!day.technicians.has(String(feature.getId()))) this.technicians.removeFeature(feature);
    return moving;
  }

  /* --- styles --- */

  private styleCluster(feature: FeatureLike, resolution: number) {
    const members = feature.get("features") as Feature<Point>[];
    const picture = this.drawn;
    if (picture === null) return undefined;
    let kind: Kind | undefined, selected: Visit | undefined, dimmed = picture.chip !== null;
    for (const member of members) {
      const visit = member.get("visit") as Visit;
      const its = picture.kinds.get(visit.id);
      kind = worse(kind, its);
      if (its === picture.chip) dimmed = false;
      if (visit.id === picture.visitId) selected = visit;
    }
    const only = members.length === 1 || resolution < 0.8 || selected !== undefined
      ? (selected ?? (members[0]?.get("visit") as Visit)) : undefined;
    if (only === undefined) return this.styles.cluster(members.length, kind, dimmed);
    return this.styles.visit(phaseOf(only), picture.kinds.get(only.id), selected !== undefined,
      dimmed || (isOver(only) && picture.technicianId !== null && only.technicianId !== picture.technicianId));
  }

  private near(): number {
    return this.technicians.getFeatures().length <= few ? 8 * nearby : nearby;
  }

  /* From far away a name would hide the neighbours. */
  private styleTechnician(feature: FeatureLike, resolution: number) {
    const technician = feature.get("technician") as Technician;
    const selected = technician.id === this.drawn?.technicianId;
    return this.styles.technician(selected || resolution < this.near() ? initialsOf(technician.name) : "", selected,
      technician.absent || isSilentNow(technician));
  }

  private styleRoute(feature: FeatureLike) {
    const { id } = feature.get("technician") as Technician;
    const selected = this.drawn?.technicianId ?? null;
    return this.styles.route(id === selected, selected !== null);
  }

  /* --- people --- */

  private click(event: MapBrowserEvent<PointerEvent>): void {
    const [lon = 0, lat = 0] = toLonLat(event.coordinate);
    if (this.events.pick({ lat, lon })) return;
    const found = this.map.forEachFeatureAtPixel(event.pixel, (feature, layer) => ({ feature, layer }),
      { hitTolerance: 6, layerFilter: (layer) => layer === this.visitLayer || layer === this.technicianLayer });
    if (found === undefined) return;
    if (found.layer === this.technicianLayer)
      return this.events.selectTechnician((found.feature.get("technician") as Technician).id);
    const members = found.feature.get("features") as Feature<Point>[];
    const first = members[0];
    const view = this.map.getView();
    if (members.length > 1 && (view.getZoom() ?? 0) < closest) {
      const places = members.flatMap((member) => member.getGeometry()?.getCoordinates() ?? []);
      const pairs = Array.from({ length: places.length / 2 }, (_, i) => places.slice(2 * i, 2 * i + 2));
      view.fit(boundingExtent(pairs), { padding: [60, 60, 60, 60], maxZoom: closest, duration: 200 });
    } else if (first !== undefined) this.events.selectVisit((first.get("visit") as Visit).id);
  }
}

function sameKinds(a: ReadonlyMap<string, Kind>, b: ReadonlyMap<string, Kind>): boolean {
  if (a.size !== b.size) return false;
  for (const [id, kind] of a) if (b.get(id) !== kind) return false;
  return true;
}

export function openMap(place: HTMLElement, events: MapEvents): MapView {
  return new Board(place, events);
}
