// main.ts - a technician's small day: does the visits that the server gives him, one after the other,
// until all that he knows of are done, and the server's word says so.
//
//   node second_client.js --url URL --folder DIR --proto DIR [--token T] [--ca FILE]
//                         [--cut-at-push N] [--stop-after N]
//
// Prints a line per acknowledged command, and a summary as JSON at the end. --stop-after waits for
// ever when so many commands of this start are acknowledged, so that somebody else can kill it.
import { parseArgs } from "node:util";
import * as path from "node:path";
import * as protobuf from "protobufjs";
import { Device, Visit } from "./device";
import { Keeping } from "./keeping";

const STEPS = ["ACCEPTED", "EN_ROUTE", "ON_SITE", "WORKING", "COMPLETED"];

function loadContract(folder: string): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => path.join(folder, path.basename(target));
  return root.loadSync("field.proto");
}

// The first visit by the plan that is not over.
function next(visits: Iterable<Visit>): Visit | undefined {
  return [...visits]
    .filter((visit) => !["COMPLETED", "CANCELLED"].includes(visit.status))
    .sort((a, b) => (a.plannedStartUs < b.plannedStartUs ? -1 : 1))[0];
}

async function liveDay(device: Device, stopAfter: number): Promise<void> {
  let changed: () => void = () => {};
  device.onChange = () => changed();
  const said = new Map<string, number>(); // per visit: how many steps were reported
  let saved = 0;
  for (;;) {
    const waits = new Promise<void>((done) => (changed = done));
    if (device.unsent === 0 && saved === stopAfter) return new Promise(() => {});
    const visit = device.unsent === 0 ? next(device.visits.values()) : undefined;
    if (device.unsent === 0 && !visit && device.counters.snapshots > 0) return;
    const step = visit ? Math.max(said.get(visit.id) ?? 0, STEPS.indexOf(visit.status) + 1) : 0;
    if (!visit || step >= STEPS.length) {
      await waits;
      continue;
    }
    said.set(visit.id, step + 1);
    device.save({ status: { appointmentId: visit.id, status: STEPS[step] } });
    saved++;
    await waits;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" }, folder: { type: "string" }, proto: { type: "string" },
      token: { type: "string" }, ca: { type: "string" }, "cut-at-push": { type: "string" },
      "stop-after": { type: "string" },
    },
  });
  const keeping = new Keeping(values.folder!);
  const device = new Device(
    loadContract(values.proto!), keeping, new URL(values.url!), values.ca, values.token,
  );
  device.cutAtPush = Number(values["cut-at-push"] ?? 0);
  const running = device.run();
  running.catch((error) => {
    console.error(String(error));
    process.exit(1);
  });
  await liveDay(device, Number(values["stop-after"] ?? Infinity));
  const open = next(device.visits.values()) ? 1 : 0;
  console.log(JSON.stringify({ open, saved: keeping.lastSeq, ...device.counters }));
  process.exit(0);
}

void main();
