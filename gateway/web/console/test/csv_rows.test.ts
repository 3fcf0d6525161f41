import { test } from "node:test";
import assert from "node:assert/strict";
import { partsOf, rowsOfCsv } from "../src/admin/csv_rows.ts";

test("rows are those of RFC 4180, with the lines where they begin", () => {
  const rows = rowsOfCsv('a,b\r\n1,"x, ""y""\nz"\n\n2,\n3,w');
  assert.deepEqual(rows.map(({ line, fields }) => [line, ...fields]),
    [[1, "a", "b"], [2, "1", 'x, "y"\nz'], [5, "2", ""], [6, "3", "w"]]);
  assert.equal(rows.map((row) => row.raw).join("").replace(/\n/g, ""), 'a,b\r1,"x, ""y""z"2,3,w');
});

test("parts have the head, so many rows and bytes at most, and know their first line", () => {
  const text = `id,t\n${Array.from({ length: 7 }, (_, index) => `${index},"a\nb"\n`).join("")}`;
  const parts = partsOf(rowsOfCsv(text), 3, 1000);
  assert.deepEqual(parts.map(({ rows, firstLine }) => [rows, firstLine]), [[3, 2], [3, 8], [1, 14]]);
  assert.ok(parts.every(({ csv }) => csv.startsWith("id,t\n")));
  assert.equal(partsOf(rowsOfCsv(text), 300, 25).length, 4);
  assert.deepEqual(partsOf(rowsOfCsv("id\n1\n\n2\n")).map((part) => part.firstLine), [2, 4]);
  assert.deepEqual(partsOf([]), [{ csv: "", firstLine: 0, rows: 0 }]);
  assert.equal(partsOf(rowsOfCsv("id"))[0]?.csv, "id\n");
});
