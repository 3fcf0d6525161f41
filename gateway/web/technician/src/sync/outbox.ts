/* outbox.ts - the device's commands, in order, kept until the server has them and 72 hours longer.
 *
 * O1 numbers go up by one from 1 and are never used for two things: a row is `fresh` in the store.
 * O2 what is sent is the text that was saved, however often; only the server moves `ackedSeq`.
 * O3 a server that is behind (restored from a backup) is told again from where it is; one that is
 *    ahead is asked again for the results that this device lacks, or, where the device lost the
 *    commands too, the numbers go on from there.
 * O4 what the server cannot read at all never gets a number there. Alone in a batch and refused, it
 *    gives its number to an empty command, which the server rejects, and is kept for its person to
 *    see; what stands behind it goes on.
 * Nothing here waits: each function says what is to be written, and what is true once it is.
 */
import type { CommandResult, PushReply } from "@callout/shared/wire";
import { usToMs } from "@callout/shared/units";
import type { Write } from "./ports.ts";
import type { CommandBody, CommandRow, Mark } from "./rows.ts";

const batchCommandsMax = 200;
const batchLettersMax = 128 * 1024;
const keepMs = 72 * 3_600_000;

export interface Change {
  writes: Write[];
  then(): void; // once they are durable
}

export interface Clocks {
  deviceTimeUs: string;
  monoUs: string;
  bootId: string;
}

export class Outbox {
  private batchMax = batchCommandsMax;
  private batchCount = 0; // commands in the batch that was made last

  constructor(private readonly rows: Map<number, CommandRow>, public mark: Mark) {}

  get unsent(): number {
    return this.mark.lastSeq - this.mark.ackedSeq;
  }

  /* Oldest first. */
  all(): CommandRow[] {
    return [...this.rows.values()];
  }

  /* Commands take the next numbers, all of them or none. */
  addAll(
    bodies: readonly CommandBody[], clocks: Clocks, nowMs: number,
  ): Change & { seqs: number[] } {
    const rows = bodies.map((body, index): CommandRow => {
      const seq = this.mark.lastSeq + 1 + index;
      const json = JSON.stringify({ seq: String(seq), ...clocks, ...body });
      return { seq, json, savedMs: nowMs };
    });
    return {
      seqs: rows.map((row) => row.seq),
      ...this.marked({ lastSeq: this.mark.lastSeq + rows.length },
        rows.map((row): Write => ({ table: "command", key: row.seq, value: row, fresh: true })),
        () => rows.forEach((row) => this.rows.set(row.seq, row))),
    };
  }

  /* The next commands as the text of a PushRequest, and the number before the first. */
  batch(clocks: Clocks): { text: string; after: number } {
    const after = this.mark.ackedSeq;
    const parts: string[] = [];
    let letters = 0;
    for (let seq = after + 1; seq <= this.mark.lastSeq && parts.length < this.batchMax; seq++) {
      const row = this.rows.get(seq);
      if (row === undefined || (letters > 0 && letters + row.json.length > batchLettersMax)) break;
      parts.push(row.json);
      letters += row.json.length;
    }
    this.batchCount = parts.length;
    return { after, text: `{"commands":[${parts.join(",")}],${JSON.stringify(clocks).slice(1)}` };
  }

  /* The server could not take a batch as it was: with fewer, the one at fault is alone at last. */
  halve(): void {
    this.batchMax = Math.max(1, Math.floor(this.batchCount / 2));
  }

  /* It never will: the one at fault makes way once it is alone. null: it did already. */
  refuse(why: string): Change | null {
    const row = this.rows.get(this.mark.ackedSeq + 1);
    const alone = this.batchCount === 1;
    this.halve();
    if (!alone) return { writes: [], then: () => undefined };
    if (row === undefined || row.refused !== undefined) return null;
    const empty: CommandRow = {
      ...row, json: JSON.stringify({ seq: String(row.seq) }), refused: { json: row.json, why },
    };
    return {
      writes: [{ table: "command", key: row.seq, value: empty }],
      then: () => void this.rows.set(row.seq, empty),
    };
  }

  /* What an answered Push changes; null: nothing, so it is to be tried again later. */
  take(reply: PushReply, after: number, serverMs: number): Change | null {
    const rows: CommandRow[] = [];
    let acked = after;
    for (const result of reply.results ?? []) {
      const row = this.rows.get(acked + 1);
      if (result.outcome === "OUTCOME_GAP" || Number(result.seq) !== acked + 1) continue;
      acked += 1;
      if (row !== undefined) rows.push({ ...row, result, answeredMs: serverMs });
    }
    const last = Number(reply.lastSeq ?? 0);
    if (acked === after && last === after) return null;
    if (last < acked) return this.resume(last);
    if (acked === after && last > after) acked = last; // it has them, and tells no results
    this.batchMax = batchCommandsMax;
    const old = this.forgettable(acked, serverMs);
    const writes: Write[] = [
      ...rows.map((row): Write => ({ table: "command", key: row.seq, value: row })),
      ...old.map((seq): Write => ({ table: "command", key: seq })),
    ];
    return this.marked({ ackedSeq: acked, lastSeq: Math.max(last, this.mark.lastSeq) }, writes, () => {
      for (const row of rows) this.rows.set(row.seq, row);
      for (const seq of old) this.rows.delete(seq);
    });
  }

  /* The server's last number, as a Hello or a gap tells it. `lost`: it lacks what is not kept. */
  resume(last: number): Change & { lost: boolean } {
    const lost = last < this.mark.lastSeq && !this.rows.has(last + 1) && last < this.mark.ackedSeq;
    let acked = Math.min(last, this.mark.ackedSeq);
    if (last > acked && !this.rows.has(acked + 1)) acked = last;
    const again = this.all().filter((row) => row.seq > acked && row.result !== undefined)
      .map(({ result, answeredMs, settled, ...row }): CommandRow => row);
    const writes = again.map((row): Write => ({ table: "command", key: row.seq, value: row }));
    return {
      lost,
      ...this.marked({ ackedSeq: acked, lastSeq: Math.max(last, this.mark.lastSeq) }, writes, () => {
        for (const row of again) this.rows.set(row.seq, row);
      }),
    };
  }

  settle(seq: number): Change {
    const row = this.rows.get(seq);
    if (row === undefined) return { writes: [], then: () => undefined };
    const settled: CommandRow = { ...row, settled: true };
    return {
      writes: [{ table: "command", key: seq, value: settled }],
      then: () => void this.rows.set(seq, settled),
    };
  }

  clear(): void {
    this.rows.clear();
    this.mark = { ackedSeq: 0, lastSeq: 0, logEpoch: "" };
  }

  noteLog(logEpoch: string): Change {
    return this.marked({ logEpoch }, [], () => undefined);
  }

  private marked(change: Partial<Mark>, writes: Write[], then: () => void): Change {
    const mark: Mark = { ...this.mark, ...change };
    return {
      writes: [...writes, { table: "meta", key: "mark", value: mark }],
      then: () => {
        this.mark = mark;
        then();
      },
    };
  }

  /* From the oldest on: what the server has had for long, by its own clock, and nobody has to look
   * at any more. */
  private forgettable(acked: number, serverMs: number): number[] {
    const old: number[] = [];
    for (const row of this.rows.values()) {
      const keep = row.seq > acked || row.answeredMs === undefined ||
        row.answeredMs > serverMs - keepMs || needsLook(row);
      if (keep) break;
      old.push(row.seq);
    }
    return old;
  }
}

/* It was not simply applied, and no person has seen that yet. */
export function needsLook(row: CommandRow): boolean {
  const outcome = row.result?.outcome;
  if (row.settled === true || outcome === undefined || outcome === "APPLIED") return false;
  return true;
}

export function wasApplied(result: CommandResult): boolean {
  return result.outcome === "APPLIED" || result.outcome === "CONFLICT_RECORDED";
}

/* What was said, also where the server could not read it. */
export function bodyOf(row: CommandRow): CommandBody & { happenedMs: number } {
  const command = JSON.parse(row.refused?.json ?? row.json) as CommandBody & { deviceTimeUs?: string };
  return { ...command, happenedMs: usToMs(command.deviceTimeUs) };
}
