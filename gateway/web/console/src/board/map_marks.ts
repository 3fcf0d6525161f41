/* map_marks.ts - what lies over the map: routes, visits, technicians, each on a canvas of its own.
 *
 * Idea: what lives is drawn here and not by the map's library, which has its ground redrawn for
 * every dot that moves; so the ground is drawn when the view changes, and a canvas when something on
 * it does. Marks know their place in the map's plane; a view says where that is on the screen.
 * Clusters are made when the view rests or places change.
 */
import type { Kind } from "../model/attention.ts";
import { visitsToLookAt, type Day, type Technician, type Visit } from "../model/day.ts";
import { isOver, phaseOf } from "../model/status.ts";
import { isSilentNow } from "../model/trouble.ts";
import type { Place } from "@callout/shared/units";
import { clusterOf, type Cluster } from "./map_clusters.ts";
import { worse, type Sprite, type Sprites } from "./map_sprites.ts";
import type { MapPicture } from "./map_view.ts";

/* Where on the screen the plane is: without rotation. */
export interface MapFrame {
  readonly x: number; // of the plane, in the middle of the canvas
  readonly y: number;
  readonly resolution: number; // of the plane's units a pixel
  readonly width: number; // CSS pixels
  readonly height: number;
}

export type Project = (place: Place) => [number, number];

const clusterPx = 26;
const apart = 0.8; // of a finer resolution: those at one place are one dot, whoever they are
const nearby = 30; // resolution: names, where there are many
const few = 20;

interface VisitMark {
  visit: Visit;
  place: Place;
  x: number;
  y: number;
}

interface TechnicianMark {
  technician: Technician;
  x: number; // where it is shown; it glides to
  y: number;
  toX: number;
  toY: number;
}

interface RouteMark {
  readonly technician: Technician;
  readonly line: readonly [number, number][];
}

/* Two letters, or the number of who is called by one. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const last = words[words.length - 1] ?? "";
  if (/^\d+$/.test(last)) return last.slice(-3);
  const first = [...(words[0] ?? "")];
  const letters = words.length > 1 ? `${first[0] ?? ""}${[...last][0] ?? ""}` : first.slice(0, 3).join("");
  return letters.toUpperCase();
}

class Sheet {
  readonly it = document.createElement("canvas");
  private readonly to = this.it.getContext("2d");

  constructor(className: string) {
    this.it.className = `m-sheet ${className}`;
    this.it.setAttribute("aria-hidden", "true");
  }

  /* Empty, in CSS pixels. */
  begin(frame: MapFrame, ratio: number): CanvasRenderingContext2D | null {
    const width = Math.round(frame.width * ratio), height = Math.round(frame.height * ratio);
    if (this.it.width !== width || this.it.height !== height) {
      this.it.width = width;
      this.it.height = height;
    }
    this.to?.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.to?.clearRect(0, 0, frame.width, frame.height);
    return this.to;
  }
}

export class Marks {
  private readonly routeSheet = new Sheet("m-routes");
  private readonly visitSheet = new Sheet("m-visits");
  private readonly technicianSheet = new Sheet("m-technicians");
  readonly sheets = [this.routeSheet.it, this.visitSheet.it, this.technicianSheet.it];

  private readonly visits = new Map<string, VisitMark>();
  private readonly technicians = new Map<string, TechnicianMark>();
  private readonly routes = new Map<string, RouteMark>();
  private clusters: Cluster<VisitMark>[] = [];
  private clusteredAt = 0; // resolution; 0: not at all
  private seen = 0;
  private picture: MapPicture | null = null;

  constructor(private sprites: Sprites, private readonly project: Project) {}

  useSprites(sprites: Sprites): void {
    this.sprites = sprites;
  }

  /* What is new is drawn; the rest stays as it is. True: somebody still glides. */
  update(picture: MapPicture, frame: MapFrame): boolean {
    const last = this.picture;
    const lit = last === null || last.chip !== picture.chip || last.visitId !== picture.visitId ||
      last.technicianId !== picture.technicianId || last.dark !== picture.dark;
    this.picture = picture;
    let visits = lit || last.kinds !== picture.kinds, routes = lit;
    const fresh = this.seen !== picture.day.serial;
    if (fresh) {
      if (this.takeVisits(picture.day)) visits = true;
      if (this.takeTechnicians(picture.day)) routes = true;
      this.seen = picture.day.serial;
    }
    const glides = this.glide();
    if (routes) this.drawRoutes(frame);
    if (visits) this.drawVisits(frame);
    if (glides !== "rests" || lit || fresh) this.drawTechnicians(frame);
    return glides === "glides";
  }

  /* All of it: the view is another. `rests`: nobody is moving it. */
  drawAll(frame: MapFrame, rests: boolean): void {
    if (rests && this.clusteredAt !== frame.resolution) this.clusteredAt = 0;
    this.drawRoutes(frame);
    this.drawVisits(frame);
    this.drawTechnicians(frame);
  }

  places(): [number, number][] {
    return [...this.visits.values(), ...this.technicians.values()].map(({ x, y }) => [x, y]);
  }

  /* What is under the pointer: technicians lie above visits. */
  at(frame: MapFrame, x: number, y: number): Technician | readonly Visit[] | null {
    const near = (spot: { x: number; y: number }, px: number) => {
      const [left, top] = this.pixel(frame, spot.x, spot.y);
      return Math.abs(left - x) <= px && Math.abs(top - y) <= px;
    };
    const marks = [...this.technicians.values()].reverse();
    const technician = marks.find((mark) => near(mark, this.hasNames(frame) ? 13 : 9))?.technician;
    if (technician !== undefined) return technician;
    const found = this.clusters.find((one) => near(one, 12));
    return found === undefined ? null : found.members.map((member) => member.visit);
  }

  /* --- what there is --- */

  private takeVisits(day: Day): boolean {
    let changed = false;
    for (const id of visitsToLookAt(day, this.seen, this.visits)) {
      const visit = day.visits.get(id), mark = this.visits.get(id);
      if (visit === mark?.visit) continue;
      changed = true;
      if (visit === undefined || visit.place === null) {
        if (this.visits.delete(id)) this.clusteredAt = 0;
      } else if (mark !== undefined && mark.place === visit.place) mark.visit = visit;
      else {
        const [x, y] = this.project(visit.place);
        this.visits.set(id, { visit, place: visit.place, x, y });
        this.clusteredAt = 0;
      }
    }
    return changed;
  }

  /* True: a route is another. */
  private takeTechnicians(day: Day): boolean {
    const ids = day.delta !== null && day.delta.base === this.seen ? day.delta.technicians
      : new Set([...this.technicians.keys(), ...this.routes.keys(), ...day.technicians.keys()]);
    let changed = false;
    for (const id of ids) {
      const technician = day.technicians.get(id);
      if (technician === undefined) {
        this.technicians.delete(id);
        changed = this.routes.delete(id) || changed;
        continue;
      }
      this.takeTechnician(technician);
      if (this.routes.get(id)?.technician === technician) continue;
      this.routes.set(id, { technician, line: this.lineOf(day, technician) });
      changed = true;
    }
    return changed;
  }

  private takeTechnician(technician: Technician): void {
    if (technician.fixPlace === null) {
      this.technicians.delete(technician.id);
      return;
    }
    const mark = this.technicians.get(technician.id);
    const [toX, toY] = this.project(technician.fixPlace);
    if (mark === undefined) this.technicians.set(technician.id, { technician, x: NaN, y: NaN, toX, toY });
    else Object.assign(mark, { technician, toX, toY });
  }

  private lineOf(day: Day, technician: Technician): [number, number][] {
    const line: [number, number][] = [];
    if (technician.fixPlace !== null) line.push(this.project(technician.fixPlace));
    else if (technician.home !== null && technician.stops.length > 0) line.push(this.project(technician.home));
    for (const stop of technician.stops) {
      const place = day.visits.get(stop.visitId)?.place;
      if (place != null) line.push(this.project(place));
    }
    return line;
  }

  /* Half of the way each time. "comes": the last of the way is done now, and to be drawn. */
  private glide(): "glides" | "comes" | "rests" {
    let found: "glides" | "comes" | "rests" = "rests";
    for (const mark of this.technicians.values()) {
      const dx = mark.toX - mark.x, dy = mark.toY - mark.y;
      if (dx === 0 && dy === 0) continue;
      if (!(Math.abs(dx) + Math.abs(dy) >= 15)) {
        mark.x = mark.toX;
        mark.y = mark.toY;
        if (found === "rests") found = "comes";
        continue;
      }
      mark.x += dx / 2;
      mark.y += dy / 2;
      found = "glides";
    }
    return found;
  }

  /* --- how it looks --- */

  private pixel(frame: MapFrame, x: number, y: number): [number, number] {
    return [(x - frame.x) / frame.resolution + frame.width / 2, (frame.y - y) / frame.resolution + frame.height / 2];
  }

  private put(to: CanvasRenderingContext2D, frame: MapFrame, sprite: Sprite, x: number, y: number): void {
    const [left, top] = this.pixel(frame, x, y);
    const { half } = sprite;
    if (left < -half || top < -half || left > frame.width + half || top > frame.height + half) return;
    to.drawImage(sprite.image, Math.round(left) - half, Math.round(top) - half, 2 * half, 2 * half);
  }

  private drawRoutes(frame: MapFrame): void {
    const to = this.routeSheet.begin(frame, this.sprites.ratio);
    if (to === null) return;
    const selected = this.picture?.technicianId ?? null;
    const { travel, accent } = this.sprites.colours;
    to.beginPath();
    for (const [id, { line }] of this.routes) if (id !== selected) this.trace(to, frame, line);
    to.globalAlpha = selected === null ? 0.5 : 0.19;
    to.strokeStyle = travel;
    to.lineWidth = 1.2;
    to.stroke();
    to.globalAlpha = 1;
    const its = selected === null ? undefined : this.routes.get(selected);
    if (its === undefined) return;
    to.beginPath();
    this.trace(to, frame, its.line);
    to.strokeStyle = accent;
    to.lineWidth = 3;
    to.stroke();
  }

  private trace(to: CanvasRenderingContext2D, frame: MapFrame, line: readonly [number, number][]): void {
    line.forEach(([x, y], index) => {
      const [left, top] = this.pixel(frame, x, y);
      if (index === 0) to.moveTo(left, top);
      else to.lineTo(left, top);
    });
  }

  private drawVisits(frame: MapFrame): void {
    const to = this.visitSheet.begin(frame, this.sprites.ratio);
    const { picture } = this;
    if (to === null || picture === null) return;
    if (this.clusteredAt === 0) {
      this.clusters = clusterOf(this.visits.values(), clusterPx * frame.resolution);
      this.clusteredAt = frame.resolution;
    }
    const layers = new Map<number, [Sprite, Cluster<VisitMark>][]>();
    for (const cluster of this.clusters) {
      const sprite = this.spriteOf(cluster, picture, frame.resolution);
      const layer = layers.get(sprite.z);
      if (layer === undefined) layers.set(sprite.z, [[sprite, cluster]]);
      else layer.push([sprite, cluster]);
    }
    for (const z of [...layers.keys()].sort((a, b) => a - b))
      for (const [sprite, { x, y }] of layers.get(z) ?? []) this.put(to, frame, sprite, x, y);
  }

  private spriteOf({ members }: Cluster<VisitMark>, picture: MapPicture, resolution: number): Sprite {
    let kind: Kind | undefined, selected: Visit | undefined, dimmed = picture.chip !== null;
    for (const { visit } of members) {
      const its = picture.kinds.get(visit.id);
      kind = worse(kind, its);
      if (its === picture.chip) dimmed = false;
      if (visit.id === picture.visitId) selected = visit;
    }
    const only = members.length === 1 || resolution < apart ? (selected ?? members[0]?.visit) : selected;
    if (only === undefined) return this.sprites.cluster(members.length, kind, dimmed);
    return this.sprites.visit(phaseOf(only), picture.kinds.get(only.id), selected !== undefined,
      dimmed || (isOver(only) && picture.technicianId !== null && only.technicianId !== picture.technicianId));
  }

  private drawTechnicians(frame: MapFrame): void {
    const to = this.technicianSheet.begin(frame, this.sprites.ratio);
    if (to === null) return;
    const selected = this.picture?.technicianId ?? null, names = this.hasNames(frame);
    const draw = ({ technician, x, y }: TechnicianMark) => {
      const its = technician.id === selected;
      this.put(to, frame, this.sprites.technician(its || names ? initialsOf(technician.name) : "", its,
        technician.absent || isSilentNow(technician)), x, y);
    };
    for (const mark of this.technicians.values()) if (mark.technician.id !== selected) draw(mark);
    const last = selected === null ? undefined : this.technicians.get(selected);
    if (last !== undefined) draw(last);
  }

  /* From far away a name would hide the neighbours. */
  private hasNames(frame: MapFrame): boolean {
    return frame.resolution < (this.technicians.size <= few ? 8 * nearby : nearby);
  }
}
