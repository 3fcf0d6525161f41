/* import_run.ts - a CSV file into the system: looked at as a whole first, then row by row, once.
 *
 * Idea: the server reads the rows and says what each would do (CheckImport); whoever takes it sends
 * just those that are new or changed, each under an id made of what it says. So a second time, or after
 * a connection that was lost in between, nothing happens twice.
 */
import { ask, call, Refused } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import type { Address, ImportRow, ImportTable } from "@callout/shared/wire";
import { partsOf, rowsOfCsv } from "./csv_rows.ts";

export type Kind = "technicians" | "orders" | "addresses";

export interface Trouble {
  line: number; // 0: the file
  column: string;
  text: string;
}

export interface Looked {
  fresh: number;
  changed: number;
  same: number;
  rows: readonly ImportRow[]; // to be sent
  addresses: readonly Address[];
  newSkills: readonly string[];
  troubles: readonly Trouble[];
  troubleCount: number;
}

export interface Done {
  sent: number;
  refused: readonly Trouble[];
}

const troublesMax = 200, fileMax = 20 * 1024 * 1024;
export type Progress = (done: number, all: number) => void;

/* Throws a text for people. */
export async function readFile(file: File): Promise<string> {
  if (file.size > fileMax) throw new Error(t("import.tooLarge", { size: 20 }));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    throw new Error(t("import.notUtf8"));
  }
}

const tables: Record<"technicians" | "orders", ImportTable> = { technicians: "IMPORT_TECHNICIANS", orders: "IMPORT_WORK_ORDERS" };

async function lookAtTable(kind: "technicians" | "orders", text: string, territoryId: string, progress: Progress): Promise<Looked> {
  const parts = partsOf(rowsOfCsv(text)), seen = new Map<string, number>(), skills = new Set<string>();
  const rows: ImportRow[] = [], troubles: Trouble[] = [];
  let fresh = 0, changed = 0, same = 0, troubleCount = 0;
  for (const [index, part] of parts.entries()) {
    progress(index, parts.length);
    const reply = await call("CheckImport", { territoryId, table: tables[kind], csv: part.csv, firstLine: part.firstLine });
    troubleCount += reply.problemCount ?? 0;
    for (const one of reply.problems ?? []) troubles.push({ line: one.line ?? 0, column: one.column ?? "", text: one.text ?? "" });
    for (const name of reply.newSkills ?? []) skills.add(name);
    for (const row of reply.rows ?? []) {
      const before = seen.get(row.id ?? "");
      if (before !== undefined) {
        troubleCount++;
        troubles.push({ line: row.line ?? 0, column: kind === "orders" ? "order_id" : "technician_id", text: t("import.twice", { line: before }) });
        continue;
      }
      seen.set(row.id ?? "", row.line ?? 0);
      if (row.state === "IMPORT_SAME") same++;
      else rows.push(row);
      if (row.state === "IMPORT_NEW") fresh++;
      if (row.state === "IMPORT_CHANGED") changed++;
    }
    /* A head that is wrong is so for every part. */
    if ((reply.problems ?? []).some((one) => one.line === 1)) break;
  }
  return { fresh, changed, same, rows, addresses: [], newSkills: [...skills], troubles: troubles.slice(0, troublesMax), troubleCount };
}

function readDegrees(text: string, most: number): number | null {
  const value = /^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN;
  return Math.abs(value) <= most ? value : null;
}

function lookAtAddresses(text: string): Looked {
  const [head, ...rows] = rowsOfCsv(text);
  const at = (name: string) => head?.fields.map((one) => one.trim()).indexOf(name) ?? -1;
  const columns = { address: at("address"), lat: at("lat"), lon: at("lon") };
  const addresses: Address[] = [], troubles: Trouble[] = [];
  const missing = Object.entries(columns).filter(([, place]) => place < 0).map(([name]) => name);
  for (const column of missing) troubles.push({ line: 1, column, text: t("import.noColumn") });
  for (const row of missing.length > 0 ? [] : rows) {
    const address = (row.fields[columns.address] ?? "").trim();
    const lat = readDegrees(row.fields[columns.lat] ?? "", 90), lon = readDegrees(row.fields[columns.lon] ?? "", 180);
    const before = troubles.length;
    if (address === "" || new TextEncoder().encode(address).length > 200)
      troubles.push({ line: row.line, column: "address", text: t("import.badAddress") });
    if (lat === null) troubles.push({ line: row.line, column: "lat", text: t("import.badDegrees") });
    if (lon === null) troubles.push({ line: row.line, column: "lon", text: t("import.badDegrees") });
    if (lat !== null && lon !== null && troubles.length === before)
      addresses.push({ text: address, point: { latE7: Math.round(lat * 1e7), lonE7: Math.round(lon * 1e7) } });
  }
  return { fresh: 0, changed: 0, same: 0, rows: [], addresses, newSkills: [], troubles: troubles.slice(0, troublesMax), troubleCount: troubles.length };
}

export async function lookAt(kind: Kind, text: string, territoryId: string, progress: Progress): Promise<Looked> {
  return kind === "addresses" ? lookAtAddresses(text) : lookAtTable(kind, text, territoryId, progress);
}

/* 128 bits of what is sent: the same row has the same id, whoever sends it again. crypto.subtle is
 * missing where a page came by plain HTTP. */
function idOf(text: string): string {
  let high = 0xcbf29ce484222325n, low = 0x84222325cbf29ce4n;
  for (const byte of new TextEncoder().encode(text)) {
    high = BigInt.asUintN(64, (high ^ BigInt(byte)) * 0x100000001b3n);
    low = BigInt.asUintN(64, (low + BigInt(byte)) * 0x9e3779b97f4a7c15n ^ (low >> 29n));
  }
  return `import-${high.toString(16).padStart(16, "0")}${low.toString(16).padStart(16, "0")}`;
}

async function sendRow(row: ImportRow): Promise<void> {
  const options = { requestId: idOf(JSON.stringify(row)), patienceMs: 30_000 };
  const expectedVersion = row.expectedVersion ?? "0";
  if (row.technician !== undefined)
    await ask("UpsertTechnician", { technician: row.technician, expectedVersion }, options);
  else if (row.workOrder !== undefined)
    await ask("UpsertWorkOrder", { workOrder: row.workOrder, expectedVersion }, options);
}

const lanes = 4;

export async function sendRows(rows: readonly ImportRow[], progress: Progress): Promise<Done> {
  const refused: Trouble[] = [];
  let next = 0, sent = 0;
  const lane = async () => {
    for (let row = rows[next++]; row !== undefined; row = rows[next++]) {
      try {
        await sendRow(row);
        sent++;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refused.push({ line: row.line ?? 0, column: error.errors[0]?.field ?? "", text: error.message });
      }
      progress(sent + refused.length, rows.length);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { sent, refused };
}

export interface AddressesDone {
  added: number;
  moved: number;
  same: number;
  count: number;
}

export async function sendAddresses(addresses: readonly Address[], progress: Progress): Promise<AddressesDone> {
  const sum: AddressesDone = { added: 0, moved: 0, same: 0, count: 0 };
  for (let at = 0; at < addresses.length; at += 500) {
    progress(at, addresses.length);
    const reply = await call("PutAddresses", { addresses: addresses.slice(at, at + 500) });
    sum.added += reply.added ?? 0;
    sum.moved += reply.moved ?? 0;
    sum.same += reply.same ?? 0;
    sum.count = reply.count ?? 0;
  }
  return sum;
}
