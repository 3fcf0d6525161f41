/* icon.mjs - the app's icon as PNG, for phones that take no SVG: the same pin on two colours as
 * technician/icon.svg, drawn point by point. PNG: RFC 2083; one IDAT, no filter, 8 bits RGB. */
import { crc32 } from "./crc32.mjs";
import { deflateSync } from "node:zlib";

const blue = [0x1f, 0x5f, 0xbf], green = [0x0b, 0x7a, 0x69], white = [255, 255, 255];

/* In the units of the SVG, 64 x 64. Below the ring the pin narrows to its point at (32, 52). */
function colourAt(x, y) {
  const ring = Math.hypot(x - 32, y - 27);
  const tail = y >= 27 && y <= 52 && Math.abs(x - 32) <= 15 * (1 - ((y - 27) / 25) ** 1.6);
  if ((ring <= 15 || tail) && ring > 6) return white;
  return x + y < 64 ? green : blue;
}

/* Four samples a point, so that edges are smooth. */
function pixel(size, column, row) {
  const sum = [0, 0, 0];
  for (const dx of [0.25, 0.75])
    for (const dy of [0.25, 0.75]) {
      const colour = colourAt(((column + dx) * 64) / size, ((row + dy) * 64) / size);
      colour.forEach((value, index) => (sum[index] += value));
    }
  return sum.map((value) => Math.round(value / 4));
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const head = Buffer.alloc(4), tail = Buffer.alloc(4);
  head.writeUInt32BE(data.length);
  tail.writeUInt32BE(crc32(body));
  return Buffer.concat([head, body, tail]);
}

export function iconPng(size) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const lines = Buffer.alloc(size * (1 + 3 * size));
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      lines.set(pixel(size, column, row), row * (1 + 3 * size) + 1 + 3 * column);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head),
    chunk("IDAT", deflateSync(lines, { level: 9 })), chunk("IEND", Buffer.alloc(0))]);
}
