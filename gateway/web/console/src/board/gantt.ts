/* gantt.ts - the grid of technicians and visits.
 *
 * Idea: one element scrolls both ways; the hours stick to its top, the names to its side. Rows lie
 * at fixed heights, so which of them are in sight is a division; above `allRows` only those are in
 * the document. It is an ARIA grid with one tab stop: arrows go from cell to cell, Enter selects.
 *
 * Only rows that would look different are drawn, those in sight first; and a frame draws for no more
 * than `budgetMs`, what is left is drawn in the frames after it. So many changes at once make the
 * grid late by some frames, never the page slow. What a person did is drawn at once, as far as he
 * sees it.
 *
 * A row that is held (because it is dragged in) is not drawn until it is released, whatever comes.
 */
import { t } from "@callout/shared/i18n";
import { Painter } from "@callout/shared/painter";
import type { Visit } from "../model/day.ts";
import { startOf } from "../model/status.ts";
import { startGlyphs, useFontOf } from "./gantt_glyphs.ts";
import { element, RowView, type Scene } from "./gantt_row.ts";
import type { Row } from "./gantt_rows.ts";
import { fitHour, labelStep, msAt, stepHour, widthOf, xOf, type Scale } from "./gantt_scale.ts";
import type { Zoom } from "./commands.ts";

const namePx = 190;
const allRows = 200;
const marginRows = 8; // drawn beyond what is in sight
const paintMs = 250;
const budgetMs = 1.2; // of script in a frame
const hourMs = 3_600_000;

export type Picture = Omit<Scene, "scale" | "focus" | "rowPx"> & {
  rows: readonly Row[];
  span: { startMs: number; endMs: number };
};

export interface GanttEvents {
  selectVisit(id: string): void;
  selectTechnician(id: string): void;
}

export class Gantt {
  readonly it = element("div", "g-grid", "grid");
  private readonly head = element("div", "g-head", "row");
  private readonly corner = element("div", "g-corner", "columnheader");
  private readonly hours = element("div", "g-hours", "columnheader");
  private readonly body = element("div", "g-body", "rowgroup");
  private readonly now = element("div", "g-now");
  private readonly views = new Map<string, RowView>();
  private readonly held = new Set<string>();
  private readonly painter = new Painter(paintMs, () => this.paint());
  private readonly resize = new ResizeObserver(() => {
    useFontOf(this.body);
    this.hurry();
  });
  private readonly endGlyphs = startGlyphs();
  private rowPx = 36;
  private focus: Scene["focus"] = { technicianId: "", visitId: null };
  private hourPx = 0; // 0: as wide as the room allows
  private axis = "";
  private lastScale: Scale | null = null;
  private nowX = NaN;
  private eager = true;
  drawn = 0; // rows drawn, ever
  private picture: Picture | null = null;

  constructor(private readonly events: GanttEvents) {
    this.it.setAttribute("aria-label", t("gantt.title"));
    this.it.setAttribute("aria-multiselectable", "false");
    this.corner.textContent = t("gantt.technicians");
    this.hours.setAttribute("aria-label", t("gantt.title"));
    this.now.setAttribute("aria-hidden", "true");
    this.head.setAttribute("aria-rowindex", "1");
    this.head.append(this.corner, this.hours);
    this.body.append(this.now);
    this.it.append(this.head, this.body);
    this.it.addEventListener("scroll", () => this.hurry(), { passive: true });
    this.it.addEventListener("pointerover", (event) => this.tip(event), { passive: true });
    this.it.addEventListener("keydown", (event) => this.press(event));
    this.it.addEventListener("click", (event) => this.click(event));
    this.it.addEventListener("focusin", (event) => this.follow(event));
    this.resize.observe(this.it);
  }

  destroy(): void {
    this.resize.disconnect();
    this.endGlyphs();
    this.painter.stop();
    this.it.remove();
  }

  setRowHeight(px: number): void {
    const first = this.it.scrollTop / this.rowPx;
    this.rowPx = px;
    this.axis = "";
    this.it.style.setProperty("--row", `${px}px`);
    if (this.picture !== null) this.drawAxis(this.picture, this.scale(this.picture));
    this.it.scrollTop = first * px;
    this.hurry();
  }

  /* Live changes are drawn when it is their time; `eager`: a person did something. */
  show(picture: Picture, eager: boolean): void {
    this.picture = picture;
    if (eager) this.hurry();
    else this.painter.touch();
  }

  /* On the next frame all that is in sight is drawn. */
  private hurry(): void {
    this.eager = true;
    this.painter.now();
  }

  zoom(wish: Zoom): void {
    if (this.picture === null) return;
    if (wish === "now") return this.scrollToTime(this.picture.nowMs);
    const scale = this.scale(this.picture);
    const centre = (this.it.scrollLeft + this.room() / 2) / scale.hourPx;
    this.hourPx = wish === "fit" ? 0 : stepHour(scale.hourPx, wish);
    this.eager = true;
    this.paint();
    if (wish !== "fit")
      this.it.scrollLeft = centre * this.scale(this.picture).hourPx - this.room() / 2;
  }

  /* Brings a visit or a technician's row into sight. */
  reveal(technicianId: string, visit: Visit | null): void {
    const index = this.picture?.rows.findIndex((row) => row.technician.id === technicianId) ?? -1;
    if (this.picture === null || index < 0) return;
    this.focus = { technicianId, visitId: visit?.id ?? null };
    const top = index * this.rowPx, seen = this.it.clientHeight - this.head.offsetHeight;
    if (top < this.it.scrollTop || top + this.rowPx > this.it.scrollTop + seen)
      this.it.scrollTop = top - seen / 2;
    if (visit === null) return this.hurry();
    const x = xOf(this.scale(this.picture), startOf(visit));
    if (x < this.it.scrollLeft || x > this.it.scrollLeft + this.room() - 40)
      this.it.scrollLeft = x - this.room() / 3;
    this.hurry();
  }

  hold(technicianId: string): void {
    this.held.add(technicianId);
  }

  release(): void {
    this.held.clear();
    this.hurry();
  }

  /* Of the screen: whose row is there, and what time. null: no lane is. */
  placeAt(clientX: number, clientY: number): { technicianId: string; ms: number } | null {
    const { picture } = this;
    const box = this.it.getBoundingClientRect();
    if (picture === null || clientX < box.left + namePx || clientX > box.right) return null;
    if (clientY < box.top + this.head.offsetHeight || clientY > box.bottom) return null;
    const y = clientY - box.top - this.head.offsetHeight + this.it.scrollTop;
    const row = picture.rows[Math.floor(y / this.rowPx)];
    if (row === undefined) return null;
    const x = clientX - box.left - namePx + this.it.scrollLeft;
    return { technicianId: row.technician.id, ms: msAt(this.scale(picture), x) };
  }

  /* Where on the screen a bar of that technician and time would be. */
  rectOf(place: { technicianId: string; ms: number }, lengthMs: number): {
    x: number; y: number; width: number;
  } | null {
    const { picture } = this;
    const index = picture?.rows.findIndex((row) => row.technician.id === place.technicianId) ?? -1;
    if (picture === null || index < 0) return null;
    const box = this.it.getBoundingClientRect(), scale = this.scale(picture);
    const x = xOf(scale, place.ms);
    return {
      x: box.left + namePx - this.it.scrollLeft + x,
      y: box.top + this.head.offsetHeight - this.it.scrollTop + index * this.rowPx + 3,
      width: xOf(scale, place.ms + lengthMs) - x,
    };
  }

  private room(): number {
    return Math.max(100, this.it.clientWidth - namePx);
  }

  /* The same object as long as it is the same scale. */
  private scale(picture: Picture): Scale {
    const hourPx = this.hourPx === 0 ? fitHour(picture.span, this.room() - 2) : this.hourPx;
    const { startMs, endMs } = picture.span, last = this.lastScale;
    if (last === null || last.startMs !== startMs || last.endMs !== endMs || last.hourPx !== hourPx)
      this.lastScale = { startMs, endMs, hourPx };
    return this.lastScale ?? { startMs, endMs, hourPx };
  }

  private scrollToTime(ms: number): void {
    if (this.picture !== null)
      this.it.scrollLeft = xOf(this.scale(this.picture), ms) - this.room() / 3;
  }

  private paint(): void {
    const { picture } = this;
    if (picture === null || this.it.clientHeight === 0) return;
    const scale = this.scale(picture);
    this.keepFocus(picture);
    this.drawAxis(picture, scale);
    this.drawNow(picture, scale);
    this.drawRows(picture, { ...picture, scale, focus: this.focus, rowPx: this.rowPx });
  }

  /* Something always has the tab stop, even after a row went. */
  private keepFocus(picture: Picture): void {
    const row = picture.rows.find((one) => one.technician.id === this.focus.technicianId);
    const first = picture.rows[0];
    if (row === undefined)
      this.focus = { technicianId: first?.technician.id ?? "", visitId: first?.visits[0]?.id ?? null };
    else if (this.focus.visitId !== null && !row.visits.some((visit) => visit.id === this.focus.visitId))
      this.focus = { technicianId: row.technician.id, visitId: null };
  }

  private drawAxis(picture: Picture, scale: Scale): void {
    const key = [scale.startMs, scale.endMs, scale.hourPx, picture.zone.name, picture.rows.length].join();
    if (key === this.axis) return;
    this.axis = key;
    const width = widthOf(scale);
    this.it.style.setProperty("--hour", `${scale.hourPx}px`);
    this.it.style.setProperty("--day", `${width}px`);
    this.it.setAttribute("aria-rowcount", String(picture.rows.length + 1));
    this.body.style.height = `${picture.rows.length * this.rowPx}px`;
    const labels: HTMLElement[] = [];
    const step = labelStep(scale.hourPx) * hourMs;
    for (let ms = scale.startMs; ms < scale.endMs; ms += step) {
      const label = element("span", "g-hour");
      label.textContent = picture.zone.time(ms);
      label.style.transform = `translateX(${xOf(scale, ms)}px)`;
      labels.push(label);
    }
    this.hours.replaceChildren(...labels);
  }

  private drawNow(picture: Picture, scale: Scale): void {
    const inside = picture.nowMs > scale.startMs && picture.nowMs < scale.endMs;
    const x = inside ? xOf(scale, picture.nowMs) : -1;
    if (x === this.nowX) return;
    this.nowX = x;
    this.now.hidden = !inside;
    if (inside) this.now.style.transform = `translateX(${x}px)`;
  }

  /* What is seen, and what is in the document. */
  private inSight(count: number): { from: number; until: number; first: number; end: number } {
    const from = Math.floor(this.it.scrollTop / this.rowPx);
    const until = Math.min(count, Math.ceil((this.it.scrollTop + this.it.clientHeight) / this.rowPx));
    if (count <= allRows) return { from, until, first: 0, end: count };
    return { from, until, first: Math.max(0, from - marginRows), end: Math.min(count, until + marginRows) };
  }

  private drawRows(picture: Picture, scene: Scene): void {
    const { rows } = picture;
    const { from, until, first, end } = this.inSight(rows.length);
    const eager = this.eager, began = performance.now();
    const kept = new Set<string>();
    let left = false;
    const take = (index: number, urgent: boolean) => {
      const row = rows[index];
      if (row === undefined || kept.has(row.technician.id)) return;
      kept.add(row.technician.id);
      if (urgent || performance.now() - began < budgetMs) this.drawRow(row, index, scene);
      else left ||= this.isStale(row, index, scene);
    };
    for (let index = from; index < until; index++) take(index, eager);
    /* The row that has the focus stays, so that it does not fall out of the keyboard's reach. */
    take(rows.findIndex((row) => row.technician.id === this.focus.technicianId), eager);
    for (let index = first; index < end; index++) take(index, false);
    for (const id of this.views.keys()) if (!kept.has(id) && !this.held.has(id)) this.drop(id);
    this.eager = false;
    if (left) this.painter.now();
  }

  private isStale(row: Row, index: number, scene: Scene): boolean {
    const { id } = row.technician;
    return !this.held.has(id) && (this.views.get(id)?.isStale(row, index, scene) ?? true);
  }

  private drawRow(row: Row, index: number, scene: Scene): void {
    if (!this.isStale(row, index, scene)) return;
    const { id } = row.technician;
    let view = this.views.get(id);
    if (view === undefined) {
      view = new RowView(id);
      this.views.set(id, view);
      this.body.append(view.it);
    }
    view.draw(row, index, scene);
    this.drawn++;
  }

  private drop(id: string): void {
    this.views.get(id)?.it.remove();
    this.views.delete(id);
  }

  /* --- people --- */

  private cellOf(target: EventTarget | null): Scene["focus"] | null {
    if (!(target instanceof Element)) return null;
    const technicianId = target.closest<HTMLElement>("[data-technician]")?.dataset["technician"];
    if (technicianId === undefined) return null;
    return { technicianId, visitId: target.closest<HTMLElement>("[data-visit]")?.dataset["visit"] ?? null };
  }

  /* What is read out is what is shown beside the pointer; a thousand titles are not kept for that. */
  private tip(event: PointerEvent): void {
    const bar = event.target instanceof Element ? event.target.closest(".g-bar") : null;
    const words = bar?.getAttribute("aria-label") ?? "";
    if (bar !== null && bar.getAttribute("title") !== words) bar.setAttribute("title", words);
  }

  private click(event: MouseEvent): void {
    const cell = this.cellOf(event.target);
    if (cell === null) return;
    if (cell.visitId !== null) this.events.selectVisit(cell.visitId);
    else if (event.target instanceof Element && event.target.closest(".g-name") !== null)
      this.events.selectTechnician(cell.technicianId);
    else return;
    this.moveFocus(cell);
  }

  private follow(event: FocusEvent): void {
    const cell = this.cellOf(event.target);
    if (cell !== null) this.focus = cell;
  }

  private moveFocus(cell: Scene["focus"]): void {
    const { picture } = this;
    if (picture === null) return;
    this.focus = cell;
    const index = picture.rows.findIndex((row) => row.technician.id === cell.technicianId);
    const visit = picture.rows[index]?.visits.find((one) => one.id === cell.visitId) ?? null;
    this.reveal(cell.technicianId, visit);
    this.eager = true;
    this.paint();
    this.views.get(cell.technicianId)?.cell(cell.visitId).focus({ preventScroll: true });
  }

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const cell = this.cellOf(event.target);
    if (cell === null || this.picture === null) return;
    if (event.key === "Enter" || event.key === " ") {
      if (cell.visitId !== null) this.events.selectVisit(cell.visitId);
      else this.events.selectTechnician(cell.technicianId);
    } else {
      const next = this.step(cell, event.key);
      if (next === null) return;
      this.moveFocus(next);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /* Where a key leads: along the row, with its name as the first cell; to the visit of the next row
   * that is nearest in time. */
  private step(cell: Scene["focus"], key: string): Scene["focus"] | null {
    const rows = this.picture?.rows ?? [];
    const at = rows.findIndex((row) => row.technician.id === cell.technicianId);
    const row = rows[at];
    if (row === undefined) return null;
    const place = row.visits.findIndex((visit) => visit.id === cell.visitId);
    const along = (to: number) => ({
      technicianId: cell.technicianId, visitId: to < 0 ? null : (row.visits[Math.min(to, row.visits.length - 1)]?.id ?? null),
    });
    switch (key) {
      case "ArrowRight": return along(place + 1);
      case "ArrowLeft": return along(Math.max(-1, place - 1));
      case "Home": return along(-1);
      case "End": return along(row.visits.length - 1);
      case "ArrowDown": return this.across(rows[at + 1], row.visits[place]);
      case "ArrowUp": return this.across(rows[at - 1], row.visits[place]);
      case "PageDown": return this.across(rows[Math.min(at + 10, rows.length - 1)], row.visits[place]);
      case "PageUp": return this.across(rows[Math.max(at - 10, 0)], row.visits[place]);
      default: return null;
    }
  }

  private across(row: Row | undefined, from: Visit | undefined): Scene["focus"] | null {
    if (row === undefined) return null;
    const wanted = from === undefined ? 0 : startOf(from);
    let best: Visit | undefined;
    for (const visit of from === undefined ? [] : row.visits)
      if (best === undefined || Math.abs(startOf(visit) - wanted) < Math.abs(startOf(best) - wanted))
        best = visit;
    return { technicianId: row.technician.id, visitId: best?.id ?? null };
  }
}
