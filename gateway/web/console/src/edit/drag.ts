/* drag.ts - a visit is taken from the Gantt or the list and put down on the Gantt.
 *
 * Idea: what is dragged is a ghost of its own; the board beneath stays as it is, and the row that the
 * visit comes from is held, so that nothing moves away under the hand. Wherever the ghost is, the
 * server judges that place (CheckMove): one question at a time, the newest place next. What it breaks
 * and whom it makes late stands beside the ghost before it is let go. Letting go is an edit like all
 * others. Escape leaves everything as it was. Whatever a drag does, "Move to..." and "At a time..."
 * do with clicks or keys alone.
 */
import { call } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import { msToUs } from "@callout/shared/units";
import type { CheckMoveReply, Move } from "@callout/shared/wire";
import type { Visit } from "../model/day.ts";
import { isBegun, isOver, startOf, endOf } from "../model/status.ts";
import { day, zone } from "../model/store.ts";
import { assign } from "./edits.ts";
import { knockOnText, technicianName, verdictOf } from "./reasons.ts";

export interface DropPlace {
  technicianId: string;
  ms: number;
}

/* What the Gantt has to offer for that. */
export interface DropTarget {
  readonly it: HTMLElement;
  placeAt(clientX: number, clientY: number): DropPlace | null;
  rectOf(place: DropPlace, lengthMs: number): { x: number; y: number; width: number } | null;
  hold(technicianId: string): void;
  release(): void;
}

const beginPx = 5;
const snapMs = 5 * 60_000;
const edgePx = 28;

function node(className: string): HTMLElement {
  const it = document.createElement("div");
  it.className = className;
  return it;
}

function line(kind: string, text: string): HTMLElement {
  const it = node(`drag-line ${kind}`);
  it.textContent = text;
  return it;
}

/* Asks about the newest place only, one question at a time. */
class Judge {
  private wanted: DropPlace | null = null;
  private busy = false;
  private gone = false;

  constructor(
    private readonly visitId: string,
    private readonly tell: (place: DropPlace, reply: CheckMoveReply | string) => void,
  ) {}

  ask(place: DropPlace): void {
    this.wanted = place;
    if (!this.busy) void this.next();
  }

  stop(): void {
    this.gone = true;
  }

  private async next(): Promise<void> {
    this.busy = true;
    while (this.wanted !== null && !this.gone) {
      const place = this.wanted;
      this.wanted = null;
      let answer: CheckMoveReply | string;
      try {
        answer = await call("CheckMove", { appointmentId: this.visitId, technicianId: place.technicianId,
          startUs: msToUs(place.ms) }, { patienceMs: 2_000 });
      } catch (error) {
        answer = error instanceof Error ? error.message : String(error);
      }
      if (!this.gone) this.tell(place, answer);
    }
    this.busy = false;
  }
}

class Drag {
  private readonly ghost = node("drag-ghost");
  private readonly hint = node("drag-hint");
  private readonly judge: Judge;
  private readonly lengthMs: number;
  private place: DropPlace | null = null;
  private move: Move | null = null;
  private at: { x: number; y: number };
  private frame = 0;

  constructor(
    readonly visit: Visit, private readonly target: DropTarget, private readonly grabMs: number,
    event: PointerEvent,
  ) {
    this.lengthMs = Math.max(15 * 60_000, startOf(visit) === 0 ? visit.serviceMs : endOf(visit) - startOf(visit));
    this.at = { x: event.clientX, y: event.clientY };
    this.judge = new Judge(visit.id, (place, reply) => this.judged(place, reply));
    this.ghost.textContent = visit.customer || visit.orderId;
    this.hint.setAttribute("role", "status");
    document.body.append(this.ghost, this.hint);
    document.documentElement.classList.add("dragging");
    if (visit.technicianId !== null) target.hold(visit.technicianId);
    this.follow(event);
  }

  follow(event: PointerEvent): void {
    this.at = { x: event.clientX, y: event.clientY };
    if (this.frame === 0) this.frame = requestAnimationFrame(() => this.draw());
  }

  end(drop: boolean): void {
    cancelAnimationFrame(this.frame);
    if (this.frame !== 0 && drop) this.draw();
    this.judge.stop();
    this.ghost.remove();
    this.hint.remove();
    document.documentElement.classList.remove("dragging");
    this.target.release();
    const { place } = this;
    if (drop && place !== null && !this.isWhereItWas(place))
      void assign(this.visit, place.technicianId, place.ms, this.move);
  }

  private isWhereItWas(place: DropPlace): boolean {
    return place.technicianId === this.visit.technicianId && Math.abs(place.ms - startOf(this.visit)) < snapMs;
  }

  private draw(): void {
    this.frame = 0;
    this.scroll();
    const found = this.target.placeAt(this.at.x, this.at.y);
    const place = found === null ? null
      : { technicianId: found.technicianId, ms: Math.round((found.ms - this.grabMs) / snapMs) * snapMs };
    this.drawGhost(place);
    this.hint.style.transform = `translate(${Math.min(this.at.x + 14, innerWidth - 320)}px, ${
      this.at.y > innerHeight - 160 ? this.at.y - 110 : this.at.y + 22}px)`;
    if (place?.technicianId === this.place?.technicianId && place?.ms === this.place?.ms) return;
    this.place = place;
    this.move = null;
    this.hint.dataset["judged"] = "";
    if (place === null) this.hint.replaceChildren(line("soft", t("drag.hint")));
    else {
      this.hint.replaceChildren(line("", this.words(place)), line("soft", t("drag.asking")));
      this.judge.ask(place);
    }
  }

  private drawGhost(place: DropPlace | null): void {
    const rect = place === null ? null : this.target.rectOf(place, this.lengthMs);
    this.ghost.classList.toggle("drag-loose", rect === null);
    this.ghost.style.transform = rect === null ? `translate(${this.at.x - 20}px, ${this.at.y - 12}px)`
      : `translate(${rect.x}px, ${rect.y}px)`;
    this.ghost.style.width = `${Math.max(24, rect?.width ?? 90)}px`;
  }

  private scroll(): void {
    const { it } = this.target;
    const box = it.getBoundingClientRect();
    if (this.at.y < box.top || this.at.y > box.bottom || this.at.x < box.left || this.at.x > box.right) return;
    if (this.at.y > box.bottom - edgePx) it.scrollTop += 12;
    else if (this.at.y < box.top + edgePx + 28) it.scrollTop -= 12;
    if (this.at.x > box.right - edgePx) it.scrollLeft += 16;
  }

  private words(place: DropPlace): string {
    return t("drag.at", { name: technicianName(place.technicianId), time: zone.peek().time(place.ms) });
  }

  private judged(place: DropPlace, reply: CheckMoveReply | string): void {
    if (place.technicianId !== this.place?.technicianId || place.ms !== this.place.ms) return;
    const head = line("", this.words(place));
    if (typeof reply === "string") {
      this.show("broken", head, line("bad", reply));
      return;
    }
    const move = reply.move ?? {};
    this.move = move;
    const { broken, late } = verdictOf(move, this.visit.id);
    const moved = (move.knockOn ?? []).filter((one) => one.becomesLate !== true).slice(0, 3).map(knockOnText);
    this.show(broken.length > 0 ? "broken" : late.length > 0 ? "late" : "fine", head,
      ...broken.map((text) => line("bad", text)), ...late.map((text) => line("warn", text)),
      ...moved.map((text) => line("soft", text)),
      ...(broken.length + late.length === 0 ? [line("good", t("verdict.fine", { moved: move.knockOn?.length ?? 0 }))] : []));
  }

  private show(verdict: string, ...lines: HTMLElement[]): void {
    this.hint.replaceChildren(...lines);
    this.hint.dataset["judged"] = verdict;
    this.ghost.dataset["judged"] = verdict;
  }
}

/* The visit under the pointer, of the Gantt or the list. */
function visitUnder(target: EventTarget | null): Visit | null {
  if (!(target instanceof Element)) return null;
  const bar = target.closest<HTMLElement>(".g-bar[data-visit]");
  const row = target.closest<HTMLElement>(".exception[data-key]");
  const id = bar?.dataset["visit"] ?? row?.dataset["key"];
  return (id === undefined ? undefined : day.peek()?.visits.get(id)) ?? null;
}

function swallowClick(): void {
  const swallow = (event: Event) => {
    event.stopPropagation();
    event.preventDefault();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
}

/* Returns what ends it. */
export function enableDrag(target: DropTarget): () => void {
  let pressed: { visit: Visit; event: PointerEvent } | null = null;
  let drag: Drag | null = null;

  function finish(drop: boolean): void {
    pressed = null;
    const ended = drag;
    drag = null;
    if (ended === null) return;
    swallowClick();
    ended.end(drop);
  }

  const down = (event: PointerEvent) => {
    if (event.button !== 0 || event.pointerType === "touch" || !event.isPrimary) return;
    const visit = visitUnder(event.target);
    if (visit !== null && !isOver(visit) && !isBegun(visit)) pressed = { visit, event };
  };
  const moveTo = (event: PointerEvent) => {
    if (drag !== null) return drag.follow(event);
    if (pressed === null) return;
    const { event: first, visit } = pressed;
    if (Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY) < beginPx) return;
    const onBar = first.target instanceof Element && first.target.closest(".g-bar") !== null;
    const grabbed = onBar ? target.placeAt(first.clientX, first.clientY) : null;
    drag = new Drag(visit, target, grabbed === null ? 0 : grabbed.ms - startOf(visit), event);
  };
  const up = () => finish(true);
  const leave = () => finish(false);
  const press = (event: KeyboardEvent) => {
    if (drag === null || event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    finish(false);
  };
  document.addEventListener("pointerdown", down);
  document.addEventListener("pointermove", moveTo);
  document.addEventListener("pointerup", up);
  document.addEventListener("pointercancel", leave);
  addEventListener("blur", leave);
  document.addEventListener("keydown", press, { capture: true });
  return () => {
    leave();
    document.removeEventListener("pointerdown", down);
    document.removeEventListener("pointermove", moveTo);
    document.removeEventListener("pointerup", up);
    document.removeEventListener("pointercancel", leave);
    removeEventListener("blur", leave);
    document.removeEventListener("keydown", press, { capture: true });
  };
}
