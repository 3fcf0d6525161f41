/* gantt_glyphs.ts - the signs and words in the grid's bars, in a form that costs nothing to draw.
 *
 * An inline SVG and a text that is cut by its box each make a part of their own of what a browser
 * paints, and without a GPU it puts all parts together anew on each frame: with a thousand bars that
 * was most of a frame. So signs are backgrounds, one picture for each sign and colour, and a word is
 * as long as there is room for it.
 */
import { effect } from "@preact/signals";
import { paths, type IconName } from "@callout/shared/icons";
import { isDark } from "@callout/shared/theme";
import type { Phase } from "../model/status.ts";

export const phaseIcons: Partial<Record<Phase, IconName>> = {
  told: "told", driving: "driving", working: "working", paused: "paused", done: "done", failed: "failed",
};

/* Signs that stand in bars of any colour. */
const signs: readonly IconName[] = ["late", "soon", "rule", "urgent", "pin"];
const phases: readonly Phase[] = ["planned", "told", "driving", "working", "paused", "done", "failed"];
/* A bar's kind says its colour before its phase does, as in gantt.css. */
const kinds = { lateNow: "bad", willBeLate: "warn", ruleBroken: "info" } as const;

function rule(where: string, name: IconName, colour: string): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="${colour}" d="${paths[name]}"/></svg>`;
  return `.${where} .g-glyph.icon-${name}{background-image:url('data:image/svg+xml,${encodeURIComponent(svg)}')}`;
}

function rules(): string {
  const style = getComputedStyle(document.documentElement);
  const forced = matchMedia("(forced-colors: active)").matches ? getComputedStyle(document.body).color : null;
  const colour = (name: string) => forced ?? style.getPropertyValue(`--${name}`).trim();
  const every = [...signs, ...Object.values(phaseIcons)];
  return [
    ...phases.flatMap((phase) => [...signs, phaseIcons[phase] ?? []].flat()
      .map((name) => rule(`g-${phase}`, name, colour(`${phase}-edge`)))),
    ...Object.entries(kinds).flatMap(([kind, edge]) => every.map((name) => rule(`g-kind-${kind}`, name, colour(edge)))),
  ].join("\n");
}

/* The pictures, in the theme's colours; returns what ends it. */
export function startGlyphs(): () => void {
  const sheet = new CSSStyleSheet();
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const end = effect(() => {
    void isDark.value; // the colours change with it
    sheet.replaceSync(rules());
  });
  return () => {
    end();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
  };
}

export function glyphElement(name: IconName): HTMLElement {
  const it = document.createElement("span");
  it.className = `g-glyph icon-${name}`;
  return it;
}

/* --- words --- */

const knownMax = 5_000;
const known = new Map<string, number>(); // widths, of words in `face`
let face = "";
let ruler: CanvasRenderingContext2D | null = null;

/* Before rows are drawn: the font is the reader's, and may become larger. */
export function useFontOf(it: Element): void {
  const { fontFamily, fontSize } = getComputedStyle(it);
  if (face === `${fontSize} ${fontFamily}`) return;
  face = `${fontSize} ${fontFamily}`;
  known.clear();
  ruler ??= document.createElement("canvas").getContext("2d");
  if (ruler !== null) ruler.font = face;
}

export function widthOfWord(text: string): number {
  let width = known.get(text);
  if (width !== undefined) return width;
  width = ruler?.measureText(text).width ?? text.length * 8;
  if (known.size >= knownMax) known.clear();
  known.set(text, width);
  return width;
}

/* As much of it as there is room for. */
export function cutTo(text: string, px: number): string {
  if (widthOfWord(text) <= px) return text;
  const letters = [...text];
  let fits = 0;
  for (let over = letters.length; over - fits > 1;) {
    const middle = (fits + over) >> 1;
    if (widthOfWord(letters.slice(0, middle).join("")) <= px) fits = middle;
    else over = middle;
  }
  return letters.slice(0, fits).join("").trimEnd();
}
