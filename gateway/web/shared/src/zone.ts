/* zone.ts - times as the people of a territory read them: in its zone, whatever this machine's is.
 *
 * Everything is kept as milliseconds since 1970 in UTC; a zone matters only where a person reads or
 * writes. A service day is the number of days since 1970-01-01 in the territory's zone, so it may
 * have 23 or 25 hours.
 */
const dayMs = 86_400_000;
const quarterMs = 900_000;
const offsetsMax = 2_000;

export class Zone {
  private readonly formats = new Map<string, Intl.DateTimeFormat>();
  private readonly times = new Map<number, string>(); // of a minute of the day, made once: Intl is slow
  private readonly offsets = new Map<number, number>(); // of a quarter of an hour since 1970

  constructor(readonly name: string, readonly locale: string) {}

  private format(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    let format = this.formats.get(kind);
    if (format === undefined) {
      format = new Intl.DateTimeFormat(this.locale, { ...options, timeZone: this.name });
      this.formats.set(kind, format);
    }
    return format;
  }

  /* 14:05 or 2:05 PM, as the locale has it. */
  time(ms: number): string {
    const minute = Math.floor((ms + this.offset(ms)) / 60_000) % 1440;
    let text = this.times.get(minute);
    if (text === undefined) {
      text = this.format("time", { hour: "2-digit", minute: "2-digit" }).format(ms);
      this.times.set(minute, text);
    }
    return text;
  }

  timeRange(fromMs: number, untilMs: number): string {
    return `${this.time(fromMs)}\u2013${this.time(untilMs)}`;
  }

  hour(ms: number): string {
    return this.format("hour", { hour: "numeric" }).format(ms);
  }

  dayAndTime(ms: number): string {
    return this.format("dayAndTime", {
      day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
    }).format(ms);
  }

  /* Milliseconds to add to UTC at that instant. No zone changes but at a quarter of an hour. */
  offset(ms: number): number {
    const quarter = Math.floor(ms / quarterMs);
    let offset = this.offsets.get(quarter);
    if (offset === undefined) {
      if (this.offsets.size >= offsetsMax) this.offsets.clear();
      this.offsets.set(quarter, (offset = this.readOffset(quarter * quarterMs)));
    }
    return offset;
  }

  private readOffset(ms: number): number {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    const format = this.utcLike();
    for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
    const local = Date.UTC(parts.year ?? 1970, (parts.month ?? 1) - 1, parts.day ?? 1,
      parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0);
    return local - Math.floor(ms / 1000) * 1000;
  }

  private utcLike(): Intl.DateTimeFormat {
    let format = this.formats.get("parts");
    if (format === undefined) {
      format = new Intl.DateTimeFormat("en-US", {
        timeZone: this.name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
        hour: "numeric", minute: "numeric", second: "numeric",
      });
      this.formats.set("parts", format);
    }
    return format;
  }

  serviceDay(ms: number): number {
    return Math.floor((ms + this.offset(ms)) / dayMs);
  }

  /* The instant of a local wall time of a service day: of two the first, of none the one after the
   * gap. */
  instant(serviceDay: number, minuteOfDay: number): number {
    const local = serviceDay * dayMs + minuteOfDay * 60_000;
    const early = local - this.offset(local - dayMs);
    const late = local - this.offset(local + dayMs);
    const fits = [early, late].filter((ms) => ms + this.offset(ms) === local);
    return fits.length > 0 ? Math.min(...fits) : Math.max(early, late);
  }

  dayBounds(serviceDay: number): { startMs: number; endMs: number } {
    return { startMs: this.instant(serviceDay, 0), endMs: this.instant(serviceDay + 1, 0) };
  }

  /* Is the clock changed on that day? Then times carry their offset. */
  changesOn(serviceDay: number): boolean {
    const { startMs, endMs } = this.dayBounds(serviceDay);
    return endMs - startMs !== dayMs;
  }

  /* "GMT+1" at that instant. */
  offsetName(ms: number): string {
    const parts = this.format("offset", { timeZoneName: "shortOffset", hour: "numeric" })
      .formatToParts(ms);
    return parts.find((part) => part.type === "timeZoneName")?.value ?? "";
  }

  dayName(serviceDay: number): string {
    return new Intl.DateTimeFormat(this.locale, {
      weekday: "short", day: "numeric", month: "short", timeZone: "UTC",
    }).format(serviceDay * dayMs);
  }
}

/* "2026-11-23", as in links and <input type=date>. */
export function dayToText(serviceDay: number): string {
  return new Date(serviceDay * dayMs).toISOString().slice(0, 10);
}

/* null: that is no day. */
export function dayFromText(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return null;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || dayToText(ms / dayMs) !== text ? null : ms / dayMs;
}
