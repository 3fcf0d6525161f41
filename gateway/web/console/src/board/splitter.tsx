/* splitter.tsx - the bar between two panes: dragged, moved by arrow keys, or pressed, which goes on to
 * the next of three sizes (nobody has to drag). What was chosen is remembered.
 *
 * A size is a number of the unit that the style sheet takes it in; it is a property of the document's
 * element (`--NAME`), so that moving a bar renders nothing. */
import { useRef, useState } from "preact/hooks";
import { t, type Text } from "@callout/shared/i18n";
import { remember, remembered } from "@callout/shared/remember";

export interface Split {
  readonly name: string; // of the property and of what is remembered
  readonly label: Text;
  readonly unit: "%" | "px";
  readonly min: number;
  readonly max: number;
  readonly usual: number;
  readonly step: number; // of an arrow key
  readonly upright: boolean; // the bar: it moves to the sides
  readonly around: string; // whose box is divided
  /* The size that puts the bar under the pointer. */
  readonly at: (event: PointerEvent, box: DOMRect) => number;
}

export const mapSplit: Split = {
  name: "map-share", label: "split.map", unit: "%", min: 8, max: 85, usual: 42, step: 3, upright: false, around: ".board-main",
  at: (event, box) => ((event.clientY - box.top) / box.height) * 100,
};

export const listSplit: Split = {
  name: "list-width", label: "split.list", unit: "px", min: 260, max: 640, usual: 348, step: 20, upright: true, around: ".board",
  at: (event, box) => getComputedStyle(document.documentElement).direction === "rtl"
    ? event.clientX - box.left : box.right - event.clientX,
};

function clamp(split: Split, size: number): number {
  return Math.round(Math.min(split.max, Math.max(split.min, size)));
}

function apply(split: Split, size: number): void {
  document.documentElement.style.setProperty(`--${split.name}`, `${size}${split.unit}`);
}

/* As it was left. */
function recall(split: Split): number {
  const text = remembered(`split.${split.name}`);
  const size = clamp(split, text === null ? split.usual : Number(text) || split.usual);
  apply(split, size);
  return size;
}

function next(split: Split, size: number): number {
  const sizes = [(split.min + split.usual) / 2, split.usual, (split.usual + split.max) / 2].map((one) => clamp(split, one));
  return sizes.find((one) => one > size + 1) ?? sizes[0] ?? split.usual;
}

export function Splitter({ split }: { split: Split }) {
  const [size, setSize] = useState(() => recall(split));
  const from = useRef<{ x: number; y: number; moved: boolean } | null>(null);

  function change(wanted: number): void {
    const fresh = clamp(split, wanted);
    apply(split, fresh);
    setSize(fresh);
    remember(`split.${split.name}`, String(fresh));
  }

  function move(event: PointerEvent): void {
    const box = (event.currentTarget as HTMLElement).closest(split.around)?.getBoundingClientRect();
    if (from.current === null || box === undefined) return;
    from.current.moved ||= Math.hypot(event.clientX - from.current.x, event.clientY - from.current.y) > 3;
    if (from.current.moved) change(split.at(event, box));
  }

  function press(event: KeyboardEvent): void {
    const more = split.upright ? "ArrowLeft" : "ArrowDown", less = split.upright ? "ArrowRight" : "ArrowUp";
    if (event.key === more) change(size + split.step);
    else if (event.key === less) change(size - split.step);
    else if (event.key === "Home") change(split.min);
    else if (event.key === "End") change(split.max);
    else if (event.key === "Enter" || event.key === " ") change(next(split, size));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class={`splitter splitter-${split.upright ? "upright" : "flat"}`} role="separator" tabIndex={0}
      aria-orientation={split.upright ? "vertical" : "horizontal"} aria-label={t(split.label)} title={t("split.hint")}
      aria-valuenow={size} aria-valuemin={split.min} aria-valuemax={split.max}
      onPointerDown={(event) => {
        from.current = { x: event.clientX, y: event.clientY, moved: false };
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
        event.currentTarget.focus();
      }}
      onPointerMove={move}
      onPointerUp={() => {
        if (from.current?.moved === false) change(next(split, size));
        from.current = null;
      }}
      onPointerCancel={() => { from.current = null; }} onKeyDown={press} />
  );
}
