import { test } from "node:test";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { qrCode, qrPath } from "../src/screens/qr.ts";

const textOf = (length: number) =>
  "https://desk.example:8443/technician/#enrol=".padEnd(length, "0123456789abcdef").slice(0, length);

/* An independent reader (jsQR 1.4.0) read texts of each length from 1 to 213 bytes out of these codes; one
 * of each way to lay one out is kept here. */
test("codes are those that a reader has read", () => {
  for (const [length, size, digest] of [[10, 21, "0390ce56d2e59dda"], [100, 41, "083c08cd04051bd0"],
    [130, 49, "bcee71357b29876c"], [213, 57, "610c4d7e145917cb"]] as const) {
    const code = qrCode(textOf(length));
    assert.equal(code.length, size);
    const rows = code.map((line) => line.map(Number).join("")).join("\n");
    assert.equal(createHash("sha256").update(rows).digest("hex").slice(0, 16), digest, String(length));
  }
});

test("what does not fit is refused, and a path has as many squares as there are dark ones", () => {
  assert.throws(() => qrCode(textOf(214)), RangeError);
  const code = qrCode("a");
  assert.equal(qrPath(code).match(/M/g)?.length, code.flat().filter(Boolean).length);
});
