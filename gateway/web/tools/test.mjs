/* test.mjs - bundles every test of the workspace for Node and runs them with node:test. */
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { writeWireTypes } from "./wire_types.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const out = mkdtempSync(join(tmpdir(), "callout-web-test-"));
const tests = ["shared", "console", "technician"].flatMap((part) =>
  readdirSync(join(root, part, "test")).filter((name) => name.endsWith(".test.ts"))
    .map((name) => join(root, part, "test", name)));
writeWireTypes();
await build({
  entryPoints: tests, bundle: true, platform: "node", format: "esm", target: ["node18"], outdir: out,
  outExtension: { ".js": ".mjs" }, logLevel: "warning", jsx: "automatic", jsxImportSource: "preact",
});
const names = readdirSync(out, { recursive: true }).map(String).filter((name) => name.endsWith(".mjs"));
const ended = spawnSync(process.execPath, ["--test", ...names.map((name) => join(out, name))], { stdio: "inherit" });
rmSync(out, { recursive: true });
process.exit(ended.status ?? 1);
