/* csv_rows.ts - a CSV file as its rows, by RFC 4180 as the server reads it: to send it in parts, with
 * the lines of each part known, and to read the little that is read here. */
export interface CsvRow {
  line: number; // of its first character in the file, from 1
  raw: string; // with what ends it
  fields: string[];
}

/* A quote that is never closed makes one row of all that follows: the server says so. */
export function rowsOfCsv(text: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let line = 1, start = 0, startLine = 1, field = "", fields: string[] = [], quoted = false;
  const end = (at: number) => {
    fields.push(field);
    const raw = text.slice(start, at);
    if (raw.trim() !== "") rows.push({ line: startLine, raw, fields });
    field = "";
    fields = [];
    start = at;
    startLine = line;
  };
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "\n") line++;
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (text[at + 1] === '"') field += text[++at];
      else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ",") {
      fields.push(field);
      field = "";
    } else if (letter === "\n") end(at + 1);
    else if (letter !== "\r") field += letter;
  }
  if (start < text.length) end(text.length);
  return rows;
}

export interface Part {
  csv: string; // with the head
  firstLine: number;
  rows: number;
}

const bytesOf = (text: string) => new TextEncoder().encode(text).length;

/* Parts that the server takes at once. Its lines are counted from the first row of each: a part ends
 * where lines were left out, so that the count stays right. */
export function partsOf(rows: readonly CsvRow[], rowsMax = 300, bytesMax = 100_000): Part[] {
  const head = rows[0];
  if (head === undefined) return [{ csv: "", firstLine: 0, rows: 0 }];
  const parts: Part[] = [];
  let part: Part | null = null, bytes = 0, nextLine = 0;
  const headText = head.raw.endsWith("\n") ? head.raw : `${head.raw}\n`;
  /* The server counts the head as one line. */
  for (const row of rows.slice(1)) {
    const size = bytesOf(row.raw);
    if (part === null || part.rows === rowsMax || bytes + size > bytesMax || row.line !== nextLine) {
      part = { csv: headText, firstLine: row.line, rows: 0 };
      bytes = bytesOf(headText);
      parts.push(part);
    }
    part.csv += row.raw;
    part.rows++;
    bytes += size;
    nextLine = row.line + (row.raw.match(/\n/g)?.length ?? 0);
  }
  return parts.length > 0 ? parts : [{ csv: headText, firstLine: 2, rows: 0 }];
}
