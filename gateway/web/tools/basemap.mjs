/* basemap.mjs - the world that is always there: countries and lakes of nothing but outlines, as one
 * PMTiles archive (version 3) of vector tiles, zooms 0 to 6. It is public domain data of Natural
 * Earth (1:50m), from the package world-atlas. A region's own file shows streets; this one sees to
 * it that a map without network or region is not empty.
 *
 * Format: github.com/protomaps/PMTiles, spec v3. Header of 127 bytes, root directory, metadata,
 * leaf directories (none: few entries), tiles, each of them compressed by gzip. Entries are in the
 * order of their ids, which walk each zoom along a Hilbert curve; tiles of the same bytes are kept
 * once.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import GeoJSONVT from "geojson-vt";
import { feature } from "topojson-client";
import vtpbf from "vt-pbf";

const require = createRequire(import.meta.url);
const zoomMax = 6;

function countries() {
  const path = require.resolve("world-atlas/countries-50m.json");
  const topology = JSON.parse(readFileSync(path, "utf8"));
  const collection = feature(topology, topology.objects.countries);
  for (const one of collection.features) one.properties = { name: one.properties.name };
  return collection;
}

function tileId(zoom, x, y) {
  let id = (4 ** zoom - 1) / 3;
  for (let s = 2 ** zoom / 2; s >= 1; s /= 2) {
    const right = (x & s) > 0 ? 1 : 0, low = (y & s) > 0 ? 1 : 0;
    id += s * s * ((3 * right) ^ low);
    if (low === 0) {
      if (right === 1) {
        x = s - 1 - (x & (s - 1));
        y = s - 1 - (y & (s - 1));
      } else {
        x &= s - 1;
        y &= s - 1;
      }
      [x, y] = [y, x];
    } else {
      x &= s - 1;
      y &= s - 1;
    }
  }
  return id;
}

function varint(bytes, value) {
  while (value >= 128) {
    bytes.push((value % 128) | 128);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
}

/* Four columns: ids as differences, run lengths, lengths, offsets (0: right behind the former). */
function directory(entries) {
  const bytes = [];
  varint(bytes, entries.length);
  let last = 0;
  for (const entry of entries) {
    varint(bytes, entry.id - last);
    last = entry.id;
  }
  for (const entry of entries) varint(bytes, entry.run);
  for (const entry of entries) varint(bytes, entry.length);
  entries.forEach((entry, index) => {
    const former = entries[index - 1];
    const follows = former !== undefined && entry.offset === former.offset + former.length;
    varint(bytes, follows ? 0 : entry.offset + 1);
  });
  return gzipSync(Buffer.from(bytes), { level: 9 });
}

function tiles() {
  const index = new GeoJSONVT(countries(), {
    maxZoom: zoomMax, indexMaxZoom: zoomMax, indexMaxPoints: 0, tolerance: 4, extent: 2048, buffer: 48,
  });
  const out = [];
  for (const { z, x, y } of index.tileCoords) {
    const tile = index.getTile(z, x, y);
    if (tile === null || tile.features.length === 0) continue;
    const pbf = vtpbf.fromGeojsonVt({ countries: tile }, { version: 2, extent: 2048 });
    out.push({ id: tileId(z, x, y), bytes: gzipSync(Buffer.from(pbf), { level: 9 }) });
  }
  return out.sort((a, b) => a.id - b.id);
}

/* Entries and their data: what is the same as before is pointed at, a run of it is one entry. */
function pack(all) {
  const entries = [], chunks = [], known = new Map();
  let offset = 0;
  for (const { id, bytes } of all) {
    const text = bytes.toString("latin1");
    const same = known.get(text);
    const former = entries[entries.length - 1];
    if (same !== undefined && former !== undefined && former.offset === same &&
        former.id + former.run === id) {
      former.run++;
      continue;
    }
    entries.push({ id, run: 1, length: bytes.length, offset: same ?? offset });
    if (same !== undefined) continue;
    known.set(text, offset);
    chunks.push(bytes);
    offset += bytes.length;
  }
  return { entries, data: Buffer.concat(chunks), contents: chunks.length };
}

export function writeBasemap() {
  const all = tiles();
  const { entries, data, contents } = pack(all);
  const root = directory(entries);
  if (root.length > 16_384 - 127) throw new Error("the root directory needs leaves");
  const metadata = gzipSync(JSON.stringify({
    name: "world", attribution: "Natural Earth", vector_layers: [{ id: "countries", fields: { name: "String" } }],
  }), { level: 9 });
  const header = Buffer.alloc(127);
  header.write("PMTiles", 0, "latin1");
  header.writeUInt8(3, 7);
  const sections = [127, root.length, 127 + root.length, metadata.length,
    127 + root.length + metadata.length, 0, 127 + root.length + metadata.length, data.length,
    all.length, entries.length, contents];
  sections.forEach((value, at) => header.writeBigUInt64LE(BigInt(value), 8 + 8 * at));
  header.writeUInt8(1, 96); // clustered
  header.writeUInt8(2, 97); // directories: gzip
  header.writeUInt8(2, 98); // tiles: gzip
  header.writeUInt8(1, 99); // vector tiles
  header.writeUInt8(0, 100);
  header.writeUInt8(zoomMax, 101);
  [-1800000000, -850000000, 1800000000, 850000000].forEach((value, at) =>
    header.writeInt32LE(value, 102 + 4 * at));
  header.writeUInt8(2, 118);
  return Buffer.concat([header, root, metadata, data]);
}
