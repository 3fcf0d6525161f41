/* wire_types.mjs - writes shared/src/wire.ts: the messages of proto/*.proto as TypeScript, in the
 * canonical JSON mapping that the gateway's door speaks.
 *
 * In that mapping a zero is left out, so every field is optional; 64-bit integers and bytes are
 * text; enums go by name. A service's methods become one table, from which client.ts takes the
 * types of a call. The files of proto/ keep to a small part of the language (see wire.proto), so a
 * parser of that part is enough; whatever it does not know it refuses.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const files = ["wire", "entity", "field", "dispatch", "people", "roster"];
const scalars = {
  string: "string", bytes: "string", bool: "boolean", double: "number",
  int32: "number", uint32: "number", sint32: "number", int64: "Int64", uint64: "Int64",
};

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());

function parseEnum(name, body) {
  const words = [...body.matchAll(/([A-Z][A-Z0-9_]*)\s*=\s*\d+\s*;/g)].map((match) => match[1]);
  return `export type ${name} = ${words.map((word) => `"${word}"`).join(" | ")};\n`;
}

function parseMessage(name, body, file) {
  const lines = [];
  const flat = body.replace(/oneof\s+\w+\s*\{([^}]*)\}/g, "$1").replace(/reserved [^;]*;/g, "");
  for (const statement of flat.split(";").map((text) => text.trim()).filter(Boolean)) {
    const match = /^(repeated )?([A-Za-z0-9]+) ([a-z0-9_]+) = \d+( \[[^\]]*\])?$/.exec(statement);
    if (!match) throw new Error(`${file}: cannot read "${statement}" of ${name}`);
    const type = scalars[match[2]] ?? match[2];
    lines.push(`  ${camel(match[3])}?: ${type}${match[1] ? "[]" : ""};`);
  }
  return `export interface ${name} {\n${lines.join("\n")}\n}\n`;
}

function parse(file) {
  const text = readFileSync(join(here, "../../../proto", `${file}.proto`), "utf8")
    .replace(/\/\/[^\n]*/g, "")
    .replace(/\s+/g, " ");
  let types = "";
  const methods = [];
  for (const [, kind, name, body] of
    text.matchAll(/(enum|message|service) (\w+) \{((?:[^{}]|\{[^{}]*\})*)\}/g)) {
    if (kind === "enum") types += parseEnum(name, body);
    else if (kind === "message") types += parseMessage(name, body, file);
    else
      for (const [, method, request, reply] of
        body.matchAll(/rpc (\w+)\s?\((\w+)\) returns \((\w+)\)/g))
        methods.push(`  ${method}: { request: ${request}; reply: ${reply} };`);
  }
  return { types, methods };
}

export function writeWireTypes() {
  const parsed = files.map(parse);
  writeFileSync(join(here, "../shared/src/wire.ts"), [
    "/* Made by tools/wire_types.mjs from proto/*.proto. */",
    "export type Int64 = string;",
    ...parsed.map((one) => one.types),
    `export interface Methods {\n${parsed.flatMap((one) => one.methods).join("\n")}\n}\n`,
  ].join("\n"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeWireTypes();
