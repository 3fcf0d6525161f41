/* build.mjs [--out DIR] - makes the tree that the gateway serves: hashed names, a .gz beside every
 * file that gains by it, and a failure where a page is heavier than its budget.
 *
 * Names with a hash never change their bytes, so browsers keep them for good; index.html names them.
 * The technician's app is a folder of its own with a service worker, which knows all its files by
 * name and this build by a hash of them.
 */
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { constants, gzipSync } from "node:zlib";
import { writeBasemap } from "./basemap.mjs";
import { iconPng } from "./icon.mjs";
import { leftOut } from "./left_out.mjs";
import { writeWireTypes } from "./wire_types.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const outIndex = process.argv.indexOf("--out");
const out = resolve(outIndex < 0 ? join(root, "../../build/web") : process.argv[outIndex + 1]);

/* Bytes of gzip of everything that a page may ever load: scripts and styles, without the basemap,
 * of which a reader takes the few tiles that he sees. */
const budgets = { console: 220 * 1024, technician: 60 * 1024 };
const packed = new Set([".html", ".js", ".css", ".json", ".svg", ".webmanifest"]);

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

const neededBy = new Map();
const light = leftOut();

async function bundle(page, define) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [{ in: join(root, page, "src/main.tsx"), out: page },
      { in: join(root, page, "style/main.css"), out: page }],
    bundle: true, splitting: true, format: "esm", target: ["es2022"], minify: true,
    outdir: join(out, "assets"), entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]", loader: { ".svg": "file" }, legalComments: "none",
    jsx: "automatic", jsxImportSource: "preact", metafile: true, logLevel: "warning",
    define, plugins: [light.plugin],
  });
  const { outputs } = result.metafile;
  /* What a page's script cannot do without, which a browser would hear of when it has read it. */
  const needed = new Map(Object.entries(outputs).map(([name, { imports }]) => [resolve(root, name),
    imports.filter((one) => one.kind === "import-statement").map((one) => resolve(root, one.path))]));
  for (const [name, files] of needed) neededBy.set(name, files);
  return Object.keys(outputs).map((name) => resolve(root, name));
}

const served = (name) => `/${relative(out, name)}`;

/* All that the app consists of, from the page to its icons, is what its worker keeps. */
async function writeTechnician(outputs) {
  const page = "technician", folder = join(out, page);
  writePage(page, page, outputs);
  for (const name of ["app.webmanifest", "icon.svg"])
    copyFileSync(join(root, page, name), join(folder, name));
  for (const size of [180, 192, 512])
    writeFileSync(join(folder, `icon-${size}.png`), iconPng(size));
  const files = ["/technician/", ...outputs.map(served),
    ...["app.webmanifest", "icon.svg", "icon-192.png"].map((name) => served(join(folder, name)))];
  const bytes = [join(folder, "index.html"), ...outputs].map((name) => readFileSync(name));
  await build({
    entryPoints: [join(root, page, "src/sw.ts")], bundle: true, format: "iife", minify: true,
    target: ["es2022"], outfile: join(folder, "sw.js"), legalComments: "none", logLevel: "warning",
    define: {
      APP_BUILD: JSON.stringify(hashOf(Buffer.concat(bytes))), APP_FILES: JSON.stringify(files),
    },
  });
  return [...outputs, ...["index.html", "sw.js", "app.webmanifest", "icon.svg"]
    .map((name) => join(folder, name))];
}

/* How a phone comes to trust this installation's own authority: a page that needs no script. */
function writeAuthority() {
  mkdirSync(join(out, "authority"));
  for (const name of ["index.html", "page.css"])
    copyFileSync(join(root, "authority", name), join(out, "authority", name));
}

function withNeeded(name, known = new Set()) {
  for (const one of neededBy.get(name) ?? [])
    if (!known.has(one)) withNeeded(one, known.add(one));
  return known;
}

function writePage(page, folder, outputs) {
  const file = (kind) => outputs.find((name) => new RegExp(`/${page}-[A-Z2-7]{8}\\.${kind}$`).test(name));
  const named = (kind) => served(file(kind));
  const preloads = [...withNeeded(file("js"))].map((one) => `<link rel="modulepreload" href="${served(one)}">\n`).join("");
  const html = readFileSync(join(root, page, "index.html"), "utf8")
    .replace("{{script}}", named("js")).replace("{{style}}", named("css"))
    .replace("</head>", `${preloads}</head>`);
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
const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
const outputs = await bundle("console", { BASEMAP: JSON.stringify(basemapName) });
writePage("console", ".", outputs);
const technician = await writeTechnician(
  await bundle("technician", { APP_BUILD: JSON.stringify(version) }));
writeAuthority();
for (const name of light.unmet()) {
  console.error(`web: ${name} is left out of pages that do not name it (tools/left_out.mjs)`);
  process.exitCode = 1;
}
compress();
if (!checkBudget("console", outputs)) process.exitCode = 1;
if (!checkBudget("technician", technician)) process.exitCode = 1;
