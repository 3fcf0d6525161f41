/* qr.ts - a text as a QR code (ISO/IEC 18004): bytes, error correction level M, versions 1 to 10, which
 * is room for 213 bytes. What comes out is a square of dark and light modules, without the light margin of
 * four that has to be around it. */

/* Of each version: correction bytes per block, then blocks and data bytes of each, of both kinds. */
const shapes = [
  [10, 1, 16, 0, 0], [16, 1, 28, 0, 0], [26, 1, 44, 0, 0], [18, 2, 32, 0, 0], [24, 2, 43, 0, 0],
  [16, 4, 27, 0, 0], [18, 4, 31, 0, 0], [22, 2, 38, 2, 39], [22, 3, 36, 2, 37], [26, 4, 43, 1, 44],
] as const;
/* Where alignment patterns have their centres. */
const centres = [[], [6, 18], [6, 22], [6, 26], [6, 30], [6, 34], [6, 22, 38], [6, 24, 42], [6, 26, 46], [6, 28, 50]] as const;

type Grid = boolean[][];
const square = (size: number): Grid => Array.from({ length: size }, () => new Array<boolean>(size).fill(false));
const get = (grid: Grid, row: number, column: number) => grid[row]?.[column] === true;
function set(grid: Grid, row: number, column: number, dark: boolean): void {
  const line = grid[row];
  if (line !== undefined && column >= 0 && column < line.length) line[column] = dark;
}

/* --- Reed and Solomon over GF(256) --- */

function times(a: number, b: number): number {
  let product = 0;
  for (let bit = 7; bit >= 0; bit--) {
    product = (product << 1) ^ (product >> 7 !== 0 ? 0x11d : 0);
    if (((b >> bit) & 1) !== 0) product ^= a;
  }
  return product;
}

function correction(data: readonly number[], count: number): number[] {
  let generator = [1], root = 1;
  for (let i = 0; i < count; i++) {
    generator = [...generator, 0].map((value, at) => value ^ times(generator[at - 1] ?? 0, root));
    root = times(root, 2);
  }
  const rest = new Array<number>(count).fill(0);
  for (const byte of data) {
    const factor = byte ^ (rest.shift() ?? 0);
    rest.push(0);
    for (let i = 0; i < count; i++) rest[i] = (rest[i] ?? 0) ^ times(generator[i + 1] ?? 0, factor);
  }
  return rest;
}

/* --- the bytes, in the order in which they are laid --- */

function chooseVersion(bytes: number): number {
  for (let version = 1; version <= shapes.length; version++) {
    const [, first, firstSize, second, secondSize] = shapes[version - 1] ?? shapes[0];
    if (bytes + (version < 10 ? 2 : 3) <= first * firstSize + second * secondSize) return version;
  }
  throw new RangeError(`${bytes} bytes are more than a QR code of this kind holds`);
}

function codewords(bytes: Uint8Array, version: number): number[] {
  const [count, first, firstSize, second, secondSize] = shapes[version - 1] ?? shapes[0];
  const room = first * firstSize + second * secondSize;
  const head = version < 10 ? [4, bytes.length >> 4, bytes.length & 15]
    : [4, bytes.length >> 12, (bytes.length >> 8) & 15, (bytes.length >> 4) & 15, bytes.length & 15];
  const nibbles = [...head, ...[...bytes].flatMap((byte) => [byte >> 4, byte & 15]), 0];
  const data: number[] = [];
  for (let i = 0; i < nibbles.length && data.length < room; i += 2) data.push(((nibbles[i] ?? 0) << 4) | (nibbles[i + 1] ?? 0));
  for (let pad = 0xec; data.length < room; pad ^= 0xec ^ 0x11) data.push(pad);
  const blocks: number[][] = [];
  for (let at = 0; blocks.length < first + second;) {
    const size = blocks.length < first ? firstSize : secondSize;
    blocks.push(data.slice(at, at + size));
    at += size;
  }
  const checks = blocks.map((block) => correction(block, count));
  const woven = (lists: readonly number[][], length: number) =>
    Array.from({ length }, (_, at) => lists.flatMap((list) => (at < list.length ? [list[at] ?? 0] : []))).flat();
  return [...woven(blocks, Math.max(firstSize, secondSize)), ...woven(checks, count)];
}

/* --- what is always there --- */

/* `value` with the rest of its division behind it. */
function withRest(value: number, bits: number, generator: number): number {
  let rest = value;
  for (let i = 0; i < bits; i++) rest = (rest << 1) ^ ((rest >> (bits - 1)) * generator);
  return (value << bits) | rest;
}

function layPatterns(dark: Grid, fixed: Grid, version: number): void {
  const size = dark.length;
  const lay = (row: number, column: number, on: boolean) => {
    set(dark, row, column, on);
    set(fixed, row, column, true);
  };
  for (let i = 0; i < size; i++) {
    lay(6, i, i % 2 === 0);
    lay(i, 6, i % 2 === 0);
  }
  const around = (row: number, column: number, reach: number, isDark: (ring: number) => boolean) => {
    for (let y = -reach; y <= reach; y++)
      for (let x = -reach; x <= reach; x++) lay(row + y, column + x, isDark(Math.max(Math.abs(x), Math.abs(y))));
  };
  for (const [row, column] of [[3, 3], [3, size - 4], [size - 4, 3]] as const)
    around(row, column, 4, (ring) => ring !== 2 && ring !== 4);
  const places = centres[version - 1] ?? [], last = size - 7;
  for (const row of places)
    for (const column of places)
      if (!((row === 6 && (column === 6 || column === last)) || (row === last && column === 6)))
        around(row, column, 2, (ring) => ring !== 1);
  if (version >= 7) {
    const bits = withRest(version, 12, 0x1f25);
    for (let i = 0; i < 18; i++) {
      const on = ((bits >> i) & 1) !== 0, along = size - 11 + (i % 3), across = Math.floor(i / 3);
      lay(along, across, on);
      lay(across, along, on);
    }
  }
  layFormat(dark, fixed, 0);
}

/* Level M and the mask, twice. */
function layFormat(dark: Grid, fixed: Grid, mask: number): void {
  const size = dark.length, bits = withRest(mask, 10, 0x537) ^ 0x5412;
  const lay = (row: number, column: number, index: number) => {
    set(dark, row, column, ((bits >> index) & 1) !== 0);
    set(fixed, row, column, true);
  };
  for (let i = 0; i < 6; i++) lay(i, 8, i);
  lay(7, 8, 6);
  lay(8, 8, 7);
  lay(8, 7, 8);
  for (let i = 9; i < 15; i++) lay(8, 14 - i, i);
  for (let i = 0; i < 8; i++) lay(8, size - 1 - i, i);
  for (let i = 8; i < 15; i++) lay(size - 15 + i, 8, i);
  set(dark, size - 8, 8, true);
  set(fixed, size - 8, 8, true);
}

/* --- laying and masking --- */

function layBytes(dark: Grid, fixed: Grid, bytes: readonly number[]): void {
  const size = dark.length;
  let at = 0;
  for (let right = size - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5; // past the column of the timing pattern
    for (let step = 0; step < size; step++) {
      const upwards = ((right + 1) & 2) === 0, row = upwards ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        if (get(fixed, row, column) || at >= bytes.length * 8) continue;
        set(dark, row, column, (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1) !== 0);
        at++;
      }
    }
  }
}

const masks: readonly ((row: number, column: number) => boolean)[] = [
  (row, column) => (row + column) % 2 === 0, (row) => row % 2 === 0, (_, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0, (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/* How hard it is to read: long runs, blocks, what looks like a corner, too much of one kind. */
function penalty(dark: Grid): number {
  const size = dark.length;
  const lines = [...dark.map((line) => line.map(Number).join("")),
    ...dark.map((_, column) => dark.map((line) => Number(line[column])).join(""))];
  let sum = 0, count = 0;
  for (const line of lines) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) sum += run.length - 2;
    sum += 40 * (line.match(/(?=00001011101|10111010000)/g) ?? []).length;
  }
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const one = get(dark, row, column);
      count += Number(one);
      if (row + 1 < size && column + 1 < size && get(dark, row + 1, column) === one &&
        get(dark, row, column + 1) === one && get(dark, row + 1, column + 1) === one) sum += 3;
    }
  return sum + 10 * Math.floor(Math.abs((count * 100) / (size * size) - 50) / 5);
}

export function qrCode(text: string): readonly (readonly boolean[])[] {
  const bytes = new TextEncoder().encode(text), version = chooseVersion(bytes.length), size = 17 + 4 * version;
  const plain = square(size), fixed = square(size);
  layPatterns(plain, fixed, version);
  layBytes(plain, fixed, codewords(bytes, version));
  let best = plain, least = Infinity;
  masks.forEach((flips, mask) => {
    const dark = plain.map((line, row) => line.map((on, column) => (get(fixed, row, column) ? on : on !== flips(row, column))));
    layFormat(dark, fixed, mask);
    const cost = penalty(dark);
    if (cost < least) [best, least] = [dark, cost];
  });
  return best;
}

/* The dark modules as the path of an SVG, with the margin: one unit each. */
export function qrPath(code: readonly (readonly boolean[])[]): string {
  return code.flatMap((line, row) => line.map((on, column) => (on ? `M${column + 4} ${row + 4}h1v1h-1z` : ""))).join("");
}
