/* icons.tsx - the glyphs, drawn inline: fonts of symbols are missing on many machines, and a
 * colour alone says nothing to every tenth reader. All are 16 x 16 in the text's colour. */
import type { JSX } from "preact";

export const paths = {
  late: "M8 2 15 14H1Z",
  soon: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2Zm-.8 2.5h1.6v3.2l2.4 1.5-.8 1.3-3.2-2Z",
  nobody: "M8 2a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM2.5 14c0-3 2.4-5 5.5-5s5.5 2 5.5 5ZM12 1l3 3m0-3-3 3",
  rule: "M8 1.5 14.5 8 8 14.5 1.5 8Z",
  silent: "M2 13 13 2l1 1L3 14ZM8 4a6 6 0 0 1 2 .3L8.800 5.500A4.500 4.500 0 0 0 4 8.500L2.500 8A6 6 0 0 1 8 4Z",
  part: "M8 1 14 4.200v7.600L8 15 2 11.800V4.200Zm0 1.700L4.500 4.600 8 6.500l3.500-1.900Z",
  pin: "M6 1h4v1l-.8.8v3.700L11.500 9v1H8.700v4.500L8 15.500l-.7-1V10H4.500V9l2.300-2.500V2.800L6 2Z",
  done: "M6.300 12.500 2 8.200l1.400-1.400 2.900 2.900 6.300-6.300L14 4.800Z",
  failed: "m3.500 2.100 4.500 4.500 4.500-4.500 1.400 1.400L9.400 8l4.500 4.500-1.400 1.400L8 9.400l-4.500 4.500-1.400-1.400L6.600 8 2.100 3.500Z",
  driving: "M2 12V8l1.600-4h8.800L14 8v4h-1.500a1.500 1.500 0 0 1-3 0h-3a1.500 1.500 0 0 1-3 0Zm2-4.500h8L11.200 5.500H4.800Z",
  working: "M9.500 1.500a4 4 0 0 1 4.800 4.900l-2.500-2.500-2 .6-.5 2 2.500 2.400a4 4 0 0 1-4-.9L3.700 13.700a1.300 1.300 0 0 1-1.800-1.800L7.600 6a4 4 0 0 1 1.900-4.500Z",
  paused: "M4 3h3v10H4Zm5 0h3v10H9Z",
  told: "M1.500 3h13v9h-13Zm1.500 1.500V5l5 3.400L13 5v-.5Z",
  planned: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3Zm0 1.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7Z",
  open: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3Zm0 1.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7Z",
  urgent: "M9.500 1 3 9h4l-1 6 7-8.500H8.500Z",
  search: "M7 2a5 5 0 0 1 4 8l3.500 3.500-1 1L10 11a5 5 0 1 1-3-9Zm0 1.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7Z",
  undo: "M6 3 1.500 7.500 6 12V9h4a2.500 2.500 0 0 1 0 5H8v1.500h2.200A4 4 0 0 0 10.200 7H6Z",
  plus: "M7.200 2.500h1.600v4.700h4.700v1.600H8.800v4.700H7.200V8.800H2.500V7.200h4.700Z",
  minus: "M2.500 7.200h11v1.600h-11Z",
  fit: "M2 2h4v1.500H3.500V6H2Zm8 0h4v4h-1.500V3.500H10ZM2 10h1.500v2.500H6V14H2Zm10.500 0H14v4h-4v-1.500h2.500Z",
  left: "M10 2.500 4.500 8l5.500 5.500 1-1L6.500 8 11 3.500Z",
  right: "M6 2.500 11.500 8 6 13.500l-1-1L9.500 8 5 3.500Z",
  moon: "M6 1.500a6.500 6.500 0 1 0 8.500 8.500A5.500 5.500 0 0 1 6 1.500Z",
  sun: "M8 4.500a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7ZM7.300 1h1.400v2H7.300Zm0 12h1.400v2H7.300ZM1 7.300h2v1.400H1Zm12 0h2v1.400h-2ZM2.600 3.600l1-1L5 4l-1 1Zm8.400 8.400 1-1 1.400 1.400-1 1ZM2.600 12.400 4 11l1 1-1.400 1.400ZM11 4l1.400-1.400 1 1L12 5Z",
  rows: "M2 2h12v1.500H2Zm0 4h12v1.500H2Zm0 4h12v1.500H2ZM2 13h12v1.500H2Z",
  help: "M8 1.500a6.500 6.500 0 1 1 0 13 6.500 6.500 0 0 1 0-13ZM7.200 11v1.600h1.600V11ZM5.500 6.300H7c0-.8.4-1.300 1-1.300s1 .4 1 1c0 1.200-1.800 1.300-1.800 3.700h1.600c0-1.600 1.900-1.900 1.900-3.800A2.500 2.500 0 0 0 8 3.500a2.600 2.600 0 0 0-2.500 2.800Z",
  phone: "M4.500 1.500 7 5 5.500 6.800c.7 1.500 1.700 2.600 3.300 3.400L10.600 8.800l3.900 2.200-.6 2.700c-.1.500-.6.800-1.100.8C6.500 14.200 1.700 9.300 1.500 3.200c0-.5.300-1 .8-1.100Z",
  close: "m3.500 2.500 4.500 4.500 4.500-4.500 1 1L9 8l4.500 4.500-1 1L8 9l-4.500 4.500-1-1L7 8 2.500 3.500Z",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, label }: { name: IconName; label?: string }): JSX.Element {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 16 16" width="16" height="16"
      {...(label === undefined ? { "aria-hidden": "true" } : { role: "img", "aria-label": label })}>
      <path d={paths[name]} />
    </svg>
  );
}

const namespace = "http://www.w3.org/2000/svg";

/* The same outside of Preact, for the grid that draws itself. */
export function iconElement(name: IconName): SVGSVGElement {
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
