/* map_sprites.ts - what things look like on the map: as in the Gantt, phases have a colour and a
 * shape, what needs attention a ring and a sign. Colours come from the style sheet. Each look is
 * painted once, on a small canvas, and put down wherever it is seen. */
import type { Kind } from "../model/attention.ts";
import type { Phase } from "../model/status.ts";

export interface Colours {
  land: string; water: string; border: string; label: string; road: string; building: string;
  surface: string; text: string; soft: string; accent: string; onAccent: string;
  bad: string; warn: string; info: string; travel: string;
  phases: Record<Phase, { ground: string; edge: string }>;
}

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const phase = (name: string) => ({ ground: get(name), edge: get(`${name}-edge`) });
  return {
    land: get("map-land"), water: get("map-water"), border: get("map-border"), label: get("map-text"),
    road: get("surface"), building: get("line"),
    surface: get("surface"), text: get("text"), soft: get("text-soft"), accent: get("accent"),
    onAccent: get("on-accent"), bad: get("bad"), warn: get("warn"), info: get("info"), travel: get("travel"),
    phases: {
      open: { ground: get("surface"), edge: get("accent") }, planned: phase("planned"), told: phase("told"),
      driving: phase("driving"), working: phase("working"), paused: phase("paused"), done: phase("done"),
      failed: phase("failed"),
    },
  };
}

const order: Record<Kind, number> = {
  lateNow: 6, willBeLate: 5, noTechnician: 4, ruleBroken: 3, noContact: 2, waiting: 1,
};

export function worse(a: Kind | undefined, b: Kind | undefined): Kind | undefined {
  if (a === undefined) return b;
  return b === undefined || order[a] >= order[b] ? a : b;
}

/* Painted around its middle; `z`: what is higher is put down later. */
export interface Sprite {
  readonly image: HTMLCanvasElement;
  readonly half: number; // of its width and height, in CSS pixels
  readonly z: number;
}

type Paint = (to: CanvasRenderingContext2D) => void;

/* A regular polygon, its first corner on top, turned by `turn`. */
function polygon(to: CanvasRenderingContext2D, corners: number, radius: number, turn: number): void {
  to.beginPath();
  for (let i = 0; i < corners; i++) {
    const angle = (i * 2 * Math.PI) / corners - Math.PI / 2 + turn;
    to.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
  }
  to.closePath();
}

function circle(to: CanvasRenderingContext2D, radius: number): void {
  to.beginPath();
  to.arc(0, 0, radius, 0, 2 * Math.PI);
}

function ink(to: CanvasRenderingContext2D, fill: string, stroke: string, width: number): void {
  to.fillStyle = fill;
  to.strokeStyle = stroke;
  to.lineWidth = width;
  to.fill();
  to.stroke();
}

function letters(to: CanvasRenderingContext2D, text: string, font: string, colour: string): void {
  to.font = font;
  to.fillStyle = colour;
  to.textAlign = "center";
  to.textBaseline = "middle";
  to.fillText(text, 0, 0.5);
}

export class Sprites {
  private readonly kept = new Map<string, Sprite>();

  constructor(readonly colours: Colours, readonly ratio: number) {}

  private keep(key: string, half: number, z: number, paint: Paint): Sprite {
    let sprite = this.kept.get(key);
    if (sprite !== undefined) return sprite;
    const image = document.createElement("canvas");
    image.width = image.height = Math.ceil(2 * half * this.ratio);
    const to = image.getContext("2d");
    if (to !== null) {
      to.scale(this.ratio, this.ratio);
      to.translate(half, half);
      paint(to);
    }
    this.kept.set(key, (sprite = { image, half, z }));
    return sprite;
  }

  private colourOf(kind: Kind | undefined): string | null {
    switch (kind) {
      case "lateNow": return this.colours.bad;
      case "willBeLate": return this.colours.warn;
      case "noTechnician": return this.colours.accent;
      case "ruleBroken": return this.colours.info;
      default: return null;
    }
  }

  /* A dot; a triangle if it is or will be late, a square without technician, a diamond with a rule
   * broken. */
  visit(phase: Phase, kind: Kind | undefined, selected: boolean, dimmed: boolean): Sprite {
    return this.keep(`v${phase}${kind}${selected}${dimmed}`, 17, selected ? 20 : kind === undefined ? 1 : 1 + order[kind], (to) => {
      const { ground, edge } = this.colours.phases[phase];
      const sign = this.colourOf(kind);
      if (selected) {
        circle(to, 14);
        to.strokeStyle = this.colours.accent;
        to.lineWidth = 3;
        to.stroke();
      }
      if (dimmed) to.globalAlpha = 0.25;
      if (kind === "lateNow" || kind === "willBeLate") polygon(to, 3, 9, 0);
      else if (kind === "noTechnician") polygon(to, 4, 9, Math.PI / 4);
      else if (kind === "ruleBroken") polygon(to, 4, 9, 0);
      else circle(to, phase === "done" || phase === "failed" ? 4 : 6);
      ink(to, sign ?? ground, sign === null ? edge : this.colours.surface, 1.5);
    });
  }

  cluster(count: number, kind: Kind | undefined, dimmed: boolean): Sprite {
    return this.keep(`c${count}${kind}${dimmed}`, 19, 2, (to) => {
      const sign = this.colourOf(kind);
      if (dimmed) to.globalAlpha = 0.33;
      circle(to, count < 10 ? 10 : count < 100 ? 13 : 16);
      ink(to, this.colours.surface, sign ?? this.colours.soft, sign === null ? 1.5 : 3);
      letters(to, String(count), "600 11px system-ui, sans-serif", this.colours.text);
    });
  }

  /* Without initials: small. */
  technician(initials: string, selected: boolean, silent: boolean): Sprite {
    return this.keep(`t${initials}${selected}${silent}`, 21, selected ? 30 : 10, (to) => {
      polygon(to, 4, selected ? 19 : initials === "" ? 8 : 16, Math.PI / 4);
      ink(to, selected ? this.colours.accent : silent ? this.colours.soft : this.colours.text, this.colours.surface, 2);
      letters(to, initials, "700 10px system-ui, sans-serif", selected ? this.colours.onAccent : this.colours.surface);
    });
  }
}
