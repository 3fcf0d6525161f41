/* map_style.ts - what things look like on the map: as in the Gantt, phases have a colour and a
 * shape, what needs attention a ring and a sign. Colours come from the style sheet. */
import Circle from "ol/style/Circle.js";
import Fill from "ol/style/Fill.js";
import RegularShape from "ol/style/RegularShape.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import Text from "ol/style/Text.js";
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

export class MapStyles {
  private readonly kept = new Map<string, Style | Style[]>();

  constructor(readonly colours: Colours) {}

  private keep<Made extends Style | Style[]>(key: string, make: () => Made): Made {
    let made = this.kept.get(key) as Made | undefined;
    if (made === undefined) this.kept.set(key, (made = make()));
    return made;
  }

  private ink(kind: Kind | undefined): string | null {
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
  visit(phase: Phase, kind: Kind | undefined, selected: boolean, dimmed: boolean): Style[] {
    return this.keep(`v${phase}${kind}${selected}${dimmed}`, () => {
      const { ground, edge } = this.colours.phases[phase];
      const ink = this.ink(kind);
      const alpha = dimmed ? "40" : "";
      const fill = new Fill({ color: hex(ink === null ? ground : ink, alpha) });
      const stroke = new Stroke({ color: hex(ink === null ? edge : this.colours.surface, alpha), width: 1.5 });
      const image = kind === "lateNow" || kind === "willBeLate"
        ? new RegularShape({ points: 3, radius: 9, fill, stroke })
        : kind === "noTechnician" ? new RegularShape({ points: 4, radius: 9, angle: Math.PI / 4, fill, stroke })
        : kind === "ruleBroken" ? new RegularShape({ points: 4, radius: 9, fill, stroke })
        : new Circle({ radius: phase === "done" || phase === "failed" ? 4 : 6, fill, stroke });
      const styles = [new Style({ image, zIndex: kind === undefined ? 1 : 1 + order[kind] })];
      if (selected)
        styles.unshift(new Style({
          image: new Circle({ radius: 14, stroke: new Stroke({ color: this.colours.accent, width: 3 }) }),
          zIndex: 20,
        }));
      return styles;
    });
  }

  cluster(count: number, kind: Kind | undefined, dimmed: boolean): Style {
    return this.keep(`c${count}${kind}${dimmed}`, () => {
      const ink = this.ink(kind);
      const alpha = dimmed ? "55" : "";
      return new Style({
        image: new Circle({
          radius: count < 10 ? 10 : count < 100 ? 13 : 16,
          fill: new Fill({ color: hex(this.colours.surface, alpha) }),
          stroke: new Stroke({ color: hex(ink ?? this.colours.soft, alpha), width: ink === null ? 1.5 : 3 }),
        }),
        text: new Text({
          text: String(count), font: "600 11px system-ui, sans-serif",
          fill: new Fill({ color: hex(this.colours.text, alpha) }),
        }),
        zIndex: 2,
      });
    });
  }

  /* Without initials: small. */
  technician(initials: string, selected: boolean, silent: boolean): Style {
    return this.keep(`t${initials}${selected}${silent}`, () => new Style({
      image: new RegularShape({
        points: 4, angle: Math.PI / 4, radius: selected ? 19 : initials === "" ? 8 : 16,
        fill: new Fill({ color: selected ? this.colours.accent : silent ? this.colours.soft : this.colours.text }),
        stroke: new Stroke({ color: this.colours.surface, width: 2 }),
      }),
      text: new Text({
        text: initials, font: "700 10px system-ui, sans-serif",
        fill: new Fill({ color: selected ? this.colours.onAccent : this.colours.surface }),
      }),
      zIndex: selected ? 30 : 10,
    }));
  }

  route(selected: boolean, another: boolean): Style {
    return this.keep(`r${selected}${another}`, () => new Style({
      stroke: new Stroke({
        color: selected ? this.colours.accent : hex(this.colours.travel, another ? "30" : "80"),
        width: selected ? 3 : 1.2,
      }),
      zIndex: selected ? 5 : 0,
    }));
  }
}

/* #rrggbb with an alpha; other notations stay as they are. */
function hex(colour: string, alpha: string): string {
  return /^#[0-9a-f]{6}$/i.test(colour) ? colour + alpha : colour;
}
