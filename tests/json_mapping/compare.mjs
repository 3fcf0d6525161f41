/* compare.mjs CONTRACT - lines of `json_cases make` in, lines for `json_cases read` out.
 *
 * For each message, protobuf-es reads the bytes and our JSON: its own JSON of the bytes must be
 * ours, and what it reads of ours must be the bytes. CONTRACT is a FileDescriptorSet. Ends with 1
 * after what differs.
 */
import { createFileRegistry, fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { isDeepStrictEqual } from "node:util";

const contract = fromBinary(FileDescriptorSetSchema, readFileSync(process.argv[2]));
const registry = createFileRegistry(contract);
let wrong = 0;
let count = 0;

function complain(what, line) {
  console.error(`${what}: ${line.slice(0, 2000)}`);
  if (++wrong >= 10) process.exit(1);
}

function check(line) {
  const [name, base64, ours] = line.split("\t");
  const type = registry.getMessage(name);
  const message = fromBinary(type, Buffer.from(base64, "base64"));
  const theirs = toJson(type, message, { registry });
  if (!isDeepStrictEqual(theirs, JSON.parse(ours)))
    complain("other JSON", `${line}\n${JSON.stringify(theirs)}`);
  const read = toBinary(type, fromJson(type, JSON.parse(ours), { registry }));
  if (Buffer.compare(read, toBinary(type, message)) !== 0) complain("other bytes", line);
  return `${name}\t${base64}\t${JSON.stringify(theirs)}\n`;
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const out = check(line);
    if (!process.stdout.write(out)) await new Promise((go) => process.stdout.once("drain", go));
    count++;
  } catch (error) {
    complain(String(error), line);
  }
}
console.error(`${count} compared, ${wrong} wrong`);
process.exitCode = wrong === 0 && count > 0 ? 0 : 1;
