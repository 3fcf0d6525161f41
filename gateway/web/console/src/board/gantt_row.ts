/* gantt_row.ts - one row of the grid: the technician's name, his shift, his ways and visits.
 *
 * Idea: elements stay, and only what differs from the last drawing is set; a row that would look the
 * same is not looked into. Bars are placed, not transformed: a browser without a GPU makes a layer
 * of each transformed element, and a thousand layers leave three frames a second; layout stays
 * within the row (`contain` in gantt.css). A bar is a gridcell itself and takes the focus: a button
 * inside of one would throw screen readers out of the grid.
 */
import type { IconName } from "@callout/shared/icons";
import { t, tn } from "@callout/shared/i18n";
import { minutesText } from "@callout/shared/words";
import type { Zone } from "@callout/shared/zone";
import type { Kind } from "../model/attention.ts";
import type { Stop, Visit } from "../model/day.ts";
import { endOf, isOver, isServing, phaseOf, startOf, windowOf, type Phase } from "../model/status.ts";
import { cutTo, glyphElement, phaseIcons, widthOfWord } from "./gantt_glyphs.ts";
import type { Row } from "./gantt_rows.ts";
import { xOf, type Scale } from "./gantt_scale.ts";

export interface Scene {
  scale: Scale;
  rowPx: number; // height of a row
  zone: Zone;
  nowMs: number;
  chip: Kind | null;
  visitId: string | null; // selected
  technicianId: string | null;
  focus: { technicianId: string; visitId: string | null };
}

const barMin = 24; // px: a target that a finger finds
const framePx = 12; // of a bar's width: its edges and the room within them
const glyphPx = 13, gapPx = 3; // as in gantt.css
const labelMin = 20; // px of a name that says something

export function element(tag: string, className: string, role?: string): HTMLElement {
  const it = document.createElement(tag);
  it.className = className;
  if (role !== undefined) it.setAttribute("role", role);
  return it;
}

/* Sets what differs; the values are kept on the element's side of a WeakMap, since reading the DOM
 * back would be slower. */
const drawn = new WeakMap<Element, Map<string, string>>();
function set(it: HTMLElement, name: string, value: string): void {
  let values = drawn.get(it);
  if (values === undefined) drawn.set(it, (values = new Map()));
  if (values.get(name) === value) return;
  values.set(name, value);
  if (name === "start") it.style.insetInlineStart = value;
  else if (name === "top") it.style.top = value;
  else if (name === "width") it.style.width = value;
  else if (name === "class") it.className = value;
  else if (name === "text") it.textContent = value;
  else it.setAttribute(name, value);
}

function place(it: HTMLElement, x: number, width: number): void {
  set(it, "start", `${x}px`);
  set(it, "width", `${width}px`);
}

function barEnd(visit: Visit, nowMs: number): number {
  const end = endOf(visit);
  return isServing(visit) && nowMs > end ? nowMs : end;
}

export function describe(visit: Visit, kind: Kind | undefined, zone: Zone, nowMs: number): string {
  const parts = [t("gantt.bar", {
    order: visit.orderId, customer: visit.customer || visit.address,
    times: zone.timeRange(startOf(visit), barEnd(visit, nowMs)), status: t(`phase.${phaseOf(visit)}`),
  })];
  const window = windowOf(visit);
  if (window !== null)
    parts.push(t(window.promised ? "select.window" : "select.wish",
      { times: zone.timeRange(window.startMs, window.endMs) }));
  if (kind !== undefined) parts.push(t(`kind.${kind}`));
  if (visit.lateSeconds > 0)
    parts.push(t("gantt.barLate", { minutes: minutesText(visit.lateSeconds * 1000) }));
  if (visit.pinned) parts.push(t("gantt.barPinned"));
  if (visit.emergency) parts.push(t("gantt.barUrgent"));
  if (visit.unconfirmed) parts.push(t("edit.unconfirmed"));
  return parts.join(", ");
}

/* A name as far as there is room for it; a number whole, or the end of it, which tells one from
 * another, or none: half of a number would be another's. */
function labelOf(visit: Visit, width: number, glyphs: number): string {
  const room = width - framePx - (glyphs === 0 ? 0 : glyphs * (glyphPx + 1) - 1 + gapPx);
  if (visit.customer !== "") return room < labelMin ? "" : cutTo(visit.customer, room);
  const end = /[^-_./ ]+$/.exec(visit.orderId)?.[0] ?? "";
  return [visit.orderId, end].find((text) => widthOfWord(text) <= room) ?? "";
}

/* All that a bar's drawing depends on: a thousand bars are looked at four times a second, and few
 * of them look different from before. */
interface Look {
  visit: Visit;
  index: number;
  focused: boolean;
  zone: Zone;
  startMs: number;
  hourPx: number;
  endMs: number;
  kind: Kind | undefined;
  selected: boolean;
  chip: Kind | null;
}

function isSameLook(a: Look, b: Look): boolean {
  return a.visit === b.visit && a.kind === b.kind && a.endMs === b.endMs && a.selected === b.selected &&
    a.focused === b.focused && a.index === b.index && a.hourPx === b.hourPx && a.startMs === b.startMs &&
    a.chip === b.chip && a.zone === b.zone;
}

class Bar {
  readonly it = element("div", "g-bar", "gridcell");
  private readonly glyphs = element("span", "g-glyphs");
  private readonly label = element("span", "g-label");
  private glyphNames = "";
  private look: Look | null = null;

  constructor(readonly visitId: string) {
    this.it.dataset["visit"] = visitId;
    this.it.append(this.glyphs, this.label);
  }

  draw(visit: Visit, kind: Kind | undefined, scene: Scene, index: number, focused: boolean): void {
    const { scale, zone, nowMs } = scene;
    const look: Look = {
      visit, index, focused, zone, startMs: scale.startMs, hourPx: scale.hourPx, endMs: barEnd(visit, nowMs),
      kind, selected: scene.visitId === visit.id, chip: scene.chip,
    };
    if (this.look !== null && isSameLook(this.look, look)) return;
    this.look = look;
    this.drawLook(look, scene);
  }

  private drawLook({ visit, kind, selected, chip, index, focused, endMs }: Look, scene: Scene): void {
    const phase = phaseOf(visit);
    const x = xOf(scene.scale, startOf(visit));
    const width = Math.max(barMin, xOf(scene.scale, endMs) - x - 1);
    const dimmed = chip !== null && kind !== chip;
    const words = describe(visit, kind, scene.zone, scene.nowMs);
    place(this.it, x, width);
    set(this.it, "class", `g-bar g-${phase}${kind === undefined ? "" : ` g-kind-${kind}`}${
      selected ? " g-selected" : ""}${dimmed ? " g-dimmed" : ""}${visit.tentative ? " g-tentative" : ""}${
      visit.emergency ? " g-emergency" : ""}${visit.unconfirmed ? " g-unconfirmed" : ""}`);
    set(this.it, "aria-selected", String(selected));
    set(this.it, "aria-colindex", String(index + 2));
    set(this.it, "tabindex", focused ? "0" : "-1");
    set(this.it, "aria-label", words); // its title, too, once a pointer comes (gantt.ts)
    set(this.label, "text", labelOf(visit, width, this.drawGlyphs(visit, kind, phase, width)));
  }

  /* The first of them, as many as there is room for, and a pin in any case; returns how many. */
  private drawGlyphs(visit: Visit, kind: Kind | undefined, phase: Phase, width: number): number {
    const names: IconName[] = [];
    if (kind === "lateNow") names.push("late");
    else if (kind === "willBeLate") names.push("soon");
    else if (kind === "ruleBroken") names.push("rule");
    if (visit.pinned && !isOver(visit)) names.push("pin");
    if (visit.emergency && !isOver(visit)) names.push("urgent");
    const own = phaseIcons[phase];
    if (own !== undefined) names.push(own);
    names.splice(Math.max(1, names.indexOf("pin") + 1, Math.floor((width - framePx + 1) / (glyphPx + 1))));
    if (names.join() !== this.glyphNames) this.glyphs.replaceChildren(...names.map(glyphElement));
    this.glyphNames = names.join();
    return names.length;
  }
}

/* As many elements of a class as are needed, kept for the next drawing. */
class Pool {
  private readonly all: HTMLElement[] = [];
  private used = 0;

  constructor(private readonly parent: HTMLElement, private readonly className: string) {}

  begin(): void {
    this.used = 0;
  }

  add(scale: Scale, fromMs: number, untilMs: number, more = ""): void {
    const x = xOf(scale, fromMs), width = xOf(scale, untilMs) - x;
    if (width < 1) return;
    let it = this.all[this.used];
    if (it === undefined) {
      it = element("div", "", "presentation");
      it.setAttribute("aria-hidden", "true");
      this.parent.prepend(it);
      this.all.push(it);
    }
    this.used++;
    set(it, "class", `${this.className}${more}`);
    place(it, x, width);
  }

  end(): void {
    for (const it of this.all.splice(this.used)) it.remove();
  }
}

/* All that a row's drawing depends on. */
interface RowLook {
  row: Row;
  index: number;
  rowPx: number;
  scale: Scale;
  zone: Zone;
  chip: Kind | null;
  selected: boolean;
  visitId: string | null; // selected, and his
  focus: string | null; // null: it is not here
  untilX: number; // how far the bar of what he works at has grown
}

function lookOf(row: Row, index: number, scene: Scene): RowLook {
  const { id } = row.technician;
  const { visitId, scale } = scene;
  return {
    row, index, rowPx: scene.rowPx, scale, zone: scene.zone, chip: scene.chip, selected: scene.technicianId === id,
    visitId: visitId !== null && row.visits.some((visit) => visit.id === visitId) ? visitId : null,
    focus: scene.focus.technicianId === id ? (scene.focus.visitId ?? "") : null,
    untilX: row.isServing ? xOf(scale, scene.nowMs) : 0,
  };
}

function isSameRowLook(a: RowLook, b: RowLook): boolean {
  return a.row === b.row && a.index === b.index && a.rowPx === b.rowPx && a.scale === b.scale && a.zone === b.zone && a.chip === b.chip &&
    a.selected === b.selected && a.visitId === b.visitId && a.focus === b.focus && a.untilX === b.untilX;
}

export class RowView {
  readonly it = element("div", "g-row", "row");
  private readonly name = element("div", "g-name", "rowheader");
  private readonly nameText = element("span", "g-name-text");
  private readonly load = element("span", "g-load");
  private readonly loadBar = element("span", "g-load-bar");
  private readonly lane = element("div", "g-lane", "presentation");
  private readonly bars = new Map<string, Bar>();
  private readonly windows = new Pool(this.lane, "g-window");
  private readonly travels = new Pool(this.lane, "g-travel");
  private readonly breaks = new Pool(this.lane, "g-break");
  private readonly absences = new Pool(this.lane, "g-absence");
  private readonly shifts = new Pool(this.lane, "g-shift");

  private look: RowLook | null = null;

  constructor(readonly technicianId: string) {
    this.it.dataset["technician"] = technicianId;
    this.load.append(this.loadBar);
    this.name.append(this.nameText, this.load);
    this.it.append(this.name, this.lane);
  }

  /* Would it look any different from what is drawn? */
  isStale(row: Row, index: number, scene: Scene): boolean {
    return this.look === null || !isSameRowLook(this.look, lookOf(row, index, scene));
  }

  draw(row: Row, index: number, scene: Scene): void {
    this.look = lookOf(row, index, scene);
    const { selected } = this.look;
    set(this.it, "top", `${index * scene.rowPx}px`);
    set(this.it, "aria-rowindex", String(index + 2));
    set(this.it, "class", `g-row${selected ? " g-row-selected" : ""}${
      row.technician.absent ? " g-row-absent" : ""}`);
    this.drawName(row, scene);
    this.drawGround(row, scene, selected);
    this.drawBars(row, scene);
  }

  private drawName(row: Row, scene: Scene): void {
    const { technician } = row;
    const focused = scene.focus.technicianId === technician.id && scene.focus.visitId === null;
    set(this.name, "tabindex", focused ? "0" : "-1");
    set(this.name, "aria-label", t("gantt.row", {
      name: technician.name, visits: tn("gantt.visits", row.visits.length),
      load: Math.round(row.loadPermille / 10),
    }));
    set(this.name, "title", technician.skills.map((skill) => skill.name ?? "").join(", "));
    set(this.nameText, "text", technician.absent ? `${technician.name} (${t("gantt.absent")})` : technician.name);
    set(this.loadBar, "width", `${Math.min(100, Math.round(row.loadPermille / 10))}%`);
    set(this.load, "class", `g-load${row.loadPermille > 1000 ? " g-load-over" : ""}`);
  }

  /* What lies under the bars: each pool puts its elements before those of the pools drawn later, so
   * the shift lies lowest. */
  private drawGround(row: Row, scene: Scene, selected: boolean): void {
    const { scale } = scene;
    const { shift, absence, stops } = row.technician;
    const pools = [this.windows, this.travels, this.breaks, this.absences, this.shifts];
    for (const pool of pools) pool.begin();
    row.visits.forEach((visit, at) => this.drawWindow(visit, row.kinds[at], scene, selected));
    for (const stop of stops) {
      this.drawTravel(stop, scale);
      if (stop.breakMs !== 0 && shift !== null)
        this.breaks.add(scale, stop.breakMs, stop.breakMs + shift.breakLengthMs);
    }
    for (const visit of row.visits)
      if (visit.departedMs !== 0)
        this.travels.add(scale, visit.departedMs, visit.begunMs || startOf(visit), " g-travelled");
    if (absence !== null) this.absences.add(scale, absence.startMs, absence.endMs);
    if (shift !== null) this.shifts.add(scale, shift.startMs, shift.endMs);
    for (const pool of pools) pool.end();
  }

  private drawTravel(stop: Stop, scale: Scale): void {
    this.travels.add(scale, stop.departMs, stop.arrivalMs, stop.visitId === "" ? " g-home" : "");
  }

  /* The promised window as a bracket: of what is at risk always, of the rest where the row or the
   * visit is selected, so that a calm board stays calm. */
  private drawWindow(visit: Visit, kind: Kind | undefined, scene: Scene, rowSelected: boolean): void {
    const wanted = visit.id === scene.visitId || rowSelected || kind === "lateNow" || kind === "willBeLate";
    const window = wanted && !isOver(visit) ? windowOf(visit) : null;
    if (window === null) return;
    this.windows.add(scene.scale, window.startMs, window.endMs,
      visit.id === scene.visitId ? " g-window-selected" : "");
  }

  private drawBars(row: Row, scene: Scene): void {
    const gone = new Set(this.bars.keys());
    row.visits.forEach((visit, index) => {
      gone.delete(visit.id);
      let bar = this.bars.get(visit.id);
      if (bar === undefined) {
        bar = new Bar(visit.id);
        this.bars.set(visit.id, bar);
        this.lane.append(bar.it);
      }
      const focused = scene.focus.technicianId === row.technician.id && scene.focus.visitId === visit.id;
      bar.draw(visit, row.kinds[index], scene, index, focused);
    });
    for (const id of gone) {
      this.bars.get(id)?.it.remove();
      this.bars.delete(id);
    }
  }

  /* The element that has the focus for a visit, or the name. */
  cell(visitId: string | null): HTMLElement {
    return (visitId === null ? undefined : this.bars.get(visitId)?.it) ?? this.name;
  }
}
