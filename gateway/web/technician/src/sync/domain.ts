/* domain.ts - the server's time as this device knows it.
 *
 * Between two answers it goes on by the clock that only runs. After a restart without signal that
 * clock began anew, so the time goes on by the one that people can set; the server sees from mono_us
 * and boot_id whether it may believe that.
 */
import { usToMs } from "@callout/shared/units";
import type { Answer, Clock } from "./ports.ts";
import type { ClockRow } from "./rows.ts";

export class Domain {
  private baseMs: number;
  private baseAt: number;
  private heard = false;
  rate: number;
  lastMs: number; // the server's time of its last answer; 0: never heard of it

  constructor(private readonly clock: Clock, kept: ClockRow | null) {
    const wall = clock.wallMs();
    this.rate = kept?.rate ?? 1;
    this.lastMs = kept?.serverMs ?? 0;
    /* Never before what the server said already, wherever the clock was set to. */
    this.baseMs = kept === null ? wall
      : kept.serverMs + Math.max(0, wall - kept.wallMs) * kept.rate;
    this.baseAt = clock.monoMs();
  }

  nowMs(): number {
    return this.baseMs + (this.clock.monoMs() - this.baseAt) * this.rate;
  }

  learn(answer: Answer): void {
    if (answer.serverTimeUs === undefined) return;
    const ms = usToMs(answer.serverTimeUs);
    const now = this.nowMs();
    const rate = answer.clockRate || 1;
    /* A slow answer is old news: within two seconds of real time ours stays. */
    const ahead = now - ms;
    const keep = this.heard && ahead > 0 && ahead < 2_000 * Math.max(rate, 1);
    this.baseMs = keep ? now : ms;
    this.baseAt = this.clock.monoMs();
    this.rate = rate;
    this.lastMs = Math.max(ms, keep ? this.lastMs : 0);
    this.heard = true;
  }

  row(): ClockRow {
    return { serverMs: this.nowMs(), wallMs: this.clock.wallMs(), rate: this.rate };
  }
}
