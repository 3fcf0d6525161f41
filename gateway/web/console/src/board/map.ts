/* map.ts - the board's map: OpenLayers has the ground and how people move it, map_marks.ts draws what
 * lives over it, four times a second at most, positions going half of the way each time, so that
 * they glide. */
import OlMap from "ol/Map.js";
import View from "ol/View.js";
import type MapBrowserEvent from "ol/MapBrowserEvent.js";
import { boundingExtent } from "ol/extent.js";
import { defaults as interactions } from "ol/interaction/defaults.js";
import { fromLonLat, toLonLat } from "ol/proj.js";
import { Painter } from "@callout/shared/painter";
import type { Place } from "@callout/shared/units";
import { Basemap } from "./map_basemap.ts";
import { Marks, type MapFrame } from "./map_marks.ts";
import { readColours, Sprites } from "./map_sprites.ts";
import type { MapEvents, MapPicture, MapView } from "./map_view.ts";

const paintMs = 250;
const closest = 18;

function at(place: Place): [number, number] {
  const [x, y] = fromLonLat([place.lon, place.lat]);
  return [x ?? 0, y ?? 0];
}

const makeSprites = () => new Sprites(readColours(), devicePixelRatio);

class Board implements MapView {
  private sprites = makeSprites();
  private readonly basemap = new Basemap(this.sprites.colours);
  private readonly marks = new Marks(this.sprites, at);
  private readonly map: OlMap;
  private readonly painter = new Painter(paintMs, () => this.paint());
  private picture: MapPicture | null = null;
  private dark: boolean | null = null;
  private drawnFrame: MapFrame | null = null;
  private moving = false;
  private movedLast = false;
  private fitted = "";

  constructor(private readonly place: HTMLElement, private readonly events: MapEvents) {
    this.map = new OlMap({
      target: place, controls: [], interactions: interactions({ altShiftDragRotate: false, pinchRotate: false }),
      layers: [this.basemap.world],
      view: new View({ center: fromLonLat([9.5, 47.2]), zoom: 9, maxZoom: closest, enableRotation: false }),
    });
    this.map.getViewport()?.append(...this.marks.sheets);
    this.map.on("click", (event) => this.click(event as MapBrowserEvent<PointerEvent>));
    this.map.on("pointermove", (event) => this.point(event as MapBrowserEvent<PointerEvent>));
    this.map.on("movestart", () => { this.moving = true; });
    this.map.on("moveend", () => {
      this.moving = false;
      this.follow();
    });
    this.map.on("postrender", () => this.follow());
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
    const places = this.marks.places().filter(([x]) => !Number.isNaN(x));
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

  /* null: the map has no size yet. */
  private frame(): MapFrame | null {
    const view = this.map.getView();
    const [x, y] = view.getCenter() ?? [], [width, height] = this.map.getSize() ?? [];
    const resolution = view.getResolution();
    if (x === undefined || y === undefined || resolution === undefined || !width || !height) return null;
    return { x, y, resolution, width, height };
  }

  private paint(): void {
    const { picture } = this;
    const frame = this.frame();
    if (picture === null || frame === null) return;
    if (this.dark !== picture.dark) this.recolour(picture.dark);
    const glides = this.marks.update(picture, frame);
    const key = `${picture.day.territoryId} ${picture.day.serviceDay}`;
    if (this.fitted !== key && picture.day.visits.size + picture.day.technicians.size > 0) {
      this.fitted = key;
      this.fit();
    }
    if (glides) this.painter.touch();
  }

  private recolour(dark: boolean): void {
    if (this.dark !== null) {
      this.sprites = makeSprites();
      this.basemap.recolour(this.sprites.colours);
      this.marks.useSprites(this.sprites);
    }
    this.dark = dark;
  }

  /* The ground was drawn: what lies over it goes with it. */
  private follow(): void {
    const frame = this.frame(), last = this.drawnFrame;
    if (frame === null) return;
    if (last !== null && frame.x === last.x && frame.y === last.y && frame.resolution === last.resolution &&
        frame.width === last.width && frame.height === last.height && this.moving === this.movedLast) return;
    this.drawnFrame = frame;
    this.movedLast = this.moving;
    this.marks.drawAll(frame, !this.moving);
    if (this.picture !== null) this.painter.touch();
  }

  /* --- people --- */

  private under(event: MapBrowserEvent<PointerEvent>) {
    const frame = this.frame(), [x, y] = event.pixel;
    return frame === null || x === undefined || y === undefined ? null : this.marks.at(frame, x, y);
  }

  private point(event: MapBrowserEvent<PointerEvent>): void {
    const cursor = !event.dragging && this.under(event) !== null ? "pointer" : "";
    if (this.place.style.cursor !== cursor) this.place.style.cursor = cursor;
  }

  private click(event: MapBrowserEvent<PointerEvent>): void {
    const [lon = 0, lat = 0] = toLonLat(event.coordinate);
    if (this.events.pick({ lat, lon })) return;
    const found = this.under(event);
    if (found === null) return;
    if (!("length" in found)) return this.events.selectTechnician(found.id);
    const view = this.map.getView();
    const first = found[0];
    if (found.length > 1 && (view.getZoom() ?? 0) < closest) {
      const places = found.flatMap((visit) => visit.place === null ? [] : [at(visit.place)]);
      view.fit(boundingExtent(places), { padding: [60, 60, 60, 60], maxZoom: closest, duration: 200 });
    } else if (first !== undefined) this.events.selectVisit(first.id);
  }
}

export function openMap(place: HTMLElement, events: MapEvents): MapView {
  return new Board(place, events);
}
