/* build.mjs [--out DIR] [--watch-less] - makes the tree that the gateway serves: hashed names, a .gz
 * beside every file that gains by it, and a failure where a page is heavier than its budget.
 *
 * Names with a hash never change their bytes, so browsers keep them for good; index.html names them.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import { writeBasemap } from "./basemap.mjs";
import { writeWireTypes } from "./wire_types.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const outIndex = process.argv.indexOf("--out");
const out = resolve(outIndex < 0 ? join(root, "../../build/web") : process.argv[outIndex + 1]);

/* Bytes of gzip of everything that a page may ever load: scripts and styles, without the basemap,
 * of which a reader takes the few tiles that he sees. */
const budgets = { console: 220 * 1024 };
const packed = new Set([".html", ".js", ".css", ".json", ".svg"]);

function files(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)]);
}

/* As esbuild writes its own: eight letters and digits of base 32. */
function hashOf(bytes) {
  const digest = createHash("sha256").update(bytes).digest();
  return [...digest.subarray(0, 8)].map((byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[byte & 31])
    .join("");
}

async function bundle(page) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [{ in: join(root, page, "src/main.tsx"), out: page },
      { in: join(root, page, "style/main.css"), out: page }],
    bundle: true, splitting: true, format: "esm", target: ["es2022"], minify: true,
    outdir: join(out, "assets"), entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]", loader: { ".svg": "file" }, legalComments: "none",
    jsx: "automatic", jsxImportSource: "preact", metafile: true, logLevel: "warning",
    define: { BASEMAP: JSON.stringify(basemapName) },
  });
  return Object.keys(result.metafile.outputs).map((name) => resolve(root, name));
}

function writePage(page, folder, outputs) {
  const named = (kind) => {
    const found = outputs.find((name) =>
      new RegExp(`/${page}-[A-Z2-7]{8}\\.${kind}$`).test(name) );
    return `/${relative(out, found)}`;
  };
  const html = readFileSync(join(root, page, "index.html"), "utf8")
    .replace("{{script}}", named("js")).replace("{{style}}", named("css"));
  mkdirSync(join(out, folder), { recursive: true });
  writeFileSync(join(out, folder, "index.html"), html);
}

function compress() {
  let bytes = 0;
  for (const file of files(out)) {
    if (!packed.has(extname(file))) continue;
    const small = gzipSync(readFileSync(file), { level: constants.Z_BEST_COMPRESSION });
    writeFileSync(`${file}.gz`, small);
    bytes += small.length;
  }
  return bytes;
}

function checkBudget(page, outputs) {
  const bytes = outputs.filter((name) => !name.endsWith(".map"))
    .reduce((sum, name) => sum + statSync(`${name}.gz`).size, 0);
  const kb = (value) => (value / 1024).toFixed(1);
  console.log(`web: ${page} ${kb(bytes)} KB of ${kb(budgets[page])} (gzip)`);
  if (bytes <= budgets[page]) return true;
  console.error(`web: ${page} is heavier than its budget`);
  return false;
}

writeWireTypes();
rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, "assets"), { recursive: true });
const basemap = writeBasemap();
const basemapName = `/assets/world-${hashOf(basemap)}.pmtiles`;
writeFileSync(join(out, basemapName), basemap);
const outputs = await bundle("console");
writePage("console", ".", outputs);
compress();
if (!checkBudget("console", outputs)) process.exitCode = 1;
