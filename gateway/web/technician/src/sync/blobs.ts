/* blobs.ts - the bytes of photos and signatures that the server does not have yet.
 *
 * They are named by their SHA-256, so sending them again is a no-op; they go in chunks, and the
 * server says from where on. The command that tells of a photo goes first and by itself. Bytes are
 * forgotten when the server says that it keeps them, not before.
 */
import type { PutBlobRequest } from "@callout/shared/wire";
import { toBase64, fromHex } from "./bytes.ts";
import type { Change } from "./outbox.ts";
import type { Write } from "./ports.ts";
import type { BlobRow } from "./rows.ts";

export class Blobs {
  constructor(private readonly rows: Map<string, BlobRow>, private readonly chunkBytes: number) {}

  all(): BlobRow[] {
    return [...this.rows.values()];
  }

  next(): BlobRow | null {
    return this.all().find((row) => row.refused === undefined) ?? null;
  }

  add(blobs: readonly BlobRow[]): Change {
    const fresh = blobs.filter((row) => !this.rows.has(row.sha256));
    return {
      writes: fresh.map((row): Write => ({ table: "blob", key: row.sha256, value: row })),
      then: () => fresh.forEach((row) => this.rows.set(row.sha256, row)),
    };
  }

  request(row: BlobRow): string {
    const size = Math.min(this.chunkBytes, row.bytes.byteLength - row.received);
    const part = new Uint8Array(row.bytes, row.received, size);
    const request: PutBlobRequest = {
      sha256: toBase64(fromHex(row.sha256)), offset: String(row.received), bytes: toBase64(part),
    };
    return JSON.stringify(request);
  }

  /* The server has so much of it, and keeps it for good or not yet. */
  take(row: BlobRow, received: number, kept: boolean): Change {
    if (kept) return this.put(row.sha256, undefined);
    return this.put(row.sha256, { ...row, received: Math.min(received, row.bytes.byteLength) });
  }

  /* It does not want the one that was asked about. */
  refuse(status: string): Change {
    const row = this.next();
    if (row === null) return { writes: [], then: () => undefined };
    return this.put(row.sha256, { ...row, refused: status });
  }

  /* A person wants what was refused tried again. */
  retry(): Change {
    const rows = this.all().filter((row) => row.refused !== undefined)
      .map(({ refused, ...row }): BlobRow => ({ ...row, received: 0 }));
    return {
      writes: rows.map((row): Write => ({ table: "blob", key: row.sha256, value: row })),
      then: () => rows.forEach((row) => this.rows.set(row.sha256, row)),
    };
  }

  erase(): Change {
    return {
      writes: [...this.rows.keys()].map((key): Write => ({ table: "blob", key })),
      then: () => this.rows.clear(),
    };
  }

  private put(sha256: string, row: BlobRow | undefined): Change {
    return {
      writes: [{ table: "blob", key: sha256, value: row }],
      then: () => {
        if (row === undefined) this.rows.delete(sha256);
        else this.rows.set(sha256, row);
      },
    };
  }
}
