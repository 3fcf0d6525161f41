// tap.mjs HOST:PORT FOLDER [MAX] - stands between a device and a gateway (plain tcp), and keeps what the device asks.
//
// Prints the port on which it listens. Of each request the bytes are kept as they came, behind the
// request id: FOLDER/NNN-METHOD; and in FOLDER/answers a line "NNN-METHOD STATUS FIELDS", where
// FIELDS are the reply body's fields as TAG:WIRETYPE; behind it of each result of a Push "OUTCOME/FIELDS".
import * as net from "node:net";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";

const [target, folder, max = "60"] = process.argv.slice(2);
const [host, port] = target.split(":");
const DEVICES_ASK = ["Enroll", "Hello", "Snapshot", "Pull", "Push", "Ping"];
let kept = 0;

function varint(bytes, at) {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n, at++) {
    value |= BigInt(bytes[at] & 0x7f) << shift;
    if (bytes[at] < 0x80) return [value, at + 1];
  }
}

function* fields(bytes) {
  for (let at = 0, value; at < bytes.length; ) {
    let key;
    [key, at] = varint(bytes, at);
    const tag = Number(key >> 3n), type = Number(key & 7n), from = at;
    if (type === 0) [value, at] = varint(bytes, at);
    else if (type === 2) [value, at] = varint(bytes, at), (at += Number(value));
    else at += type === 1 ? 8 : 4;
    yield { tag, type, value, bytes: bytes.subarray(at - (type === 2 ? Number(value) : at - from), at) };
  }
}

const first = (bytes, tag) => [...fields(bytes)].find((field) => field.tag === tag);
const shape = (bytes) => [...new Set([...fields(bytes)].map((f) => `${f.tag}:${f.type}`))].join(",");

function keep(request, reply) {
  const method = first(request, 7).bytes.toString();
  if (kept >= Number(max) || !DEVICES_ASK.includes(method)) return;
  const name = `${String(++kept).padStart(3, "0")}-${method}`;
  const status = Number(first(reply, 2)?.value ?? 0n), body = first(reply, 9)?.bytes ?? Buffer.alloc(0);
  const results = method === "Push" ? [...fields(body)].filter((f) => f.tag === 1) : [];
  const words = [name, status, shape(body) || "-", ...results.map(({ bytes }) => `${first(bytes, 2).value}/${shape(bytes)}`)];
  writeFileSync(`${folder}/${name}`, request);
  appendFileSync(`${folder}/answers`, words.join(" ") + "\n");
}

// Splits one direction of a connection into frames; the first 8 bytes are the greeting.
function frames(onFrame) {
  let held = Buffer.alloc(0), greeted = false;
  return (chunk) => {
    held = Buffer.concat([held, chunk]);
    if (!greeted && held.length >= 8) (greeted = true), (held = held.subarray(8));
    while (greeted && held.length >= 8) {
      const size = Number(held.readBigUInt64BE(0));
      if (held.length < 8 + size) return;
      onFrame(held.readUInt32BE(8), Buffer.from(held.subarray(12, 8 + size)));
      held = held.subarray(8 + size);
    }
  };
}

mkdirSync(folder, { recursive: true });
const server = net.createServer((device) => {
  const gateway = net.connect(Number(port), host), asked = new Map();
  const up = frames((id, bytes) => asked.set(id, bytes));
  const down = frames((id, bytes) => asked.has(id) && (keep(asked.get(id), bytes), asked.delete(id)));
  device.on("data", (chunk) => (up(chunk), gateway.write(chunk)));
  gateway.on("data", (chunk) => (down(chunk), device.write(chunk)));
  for (const [one, other] of [[device, gateway], [gateway, device]])
    one.on("error", () => other.destroy()).on("close", () => other.destroy());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
