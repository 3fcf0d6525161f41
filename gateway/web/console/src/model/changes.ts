/* changes.ts - tells when something changed on the server.
 *
 * Idea: a stream that stays open says it at once (GET /api/stream). Some proxies keep what streams
 * until it ends; then no beat comes, and held questions to EventFeed do the same for a while, until
 * the stream is tried again. Neither says what changed: whoever waits asks for the difference.
 */
import { ask, lastAnswer } from "@callout/shared/client";

const beatS = 5;
const silenceMs = 2.5 * beatS * 1000;
const pollingMs = 120_000; // before the stream is tried again

export interface Cursor {
  epoch: string;
  seq: string;
}

const isAfter = (a: string, b: string) => BigInt(a) > BigInt(b);

export class Changes {
  private stream: AbortController | null = null;
  private newest = "0";
  private pollUntil = 0;
  private wake: () => void = () => undefined;

  constructor(private readonly gone: AbortSignal) {
    gone.addEventListener("abort", () => {
      this.stream?.abort();
      this.wake();
    });
  }

  /* Returns when there is something after the cursor, or so much time is over, or we are gone. */
  async wait(after: Cursor, atMostMs: number): Promise<void> {
    if (performance.now() < this.pollUntil) return this.poll(after, atMostMs);
    if (this.stream === null) void this.follow(after);
    if (isAfter(this.newest, after.seq)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, atMostMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async poll(after: Cursor, holdMs: number): Promise<void> {
    await ask("EventFeed", { afterSeq: after.seq, holdMs },
      { signal: this.gone, patienceMs: 0, deadlineMs: holdMs + 10_000 });
  }

  private async follow(from: Cursor): Promise<void> {
    const own = new AbortController();
    this.stream = own;
    this.newest = from.seq;
    let watchdog = setTimeout(() => own.abort(), silenceMs);
    let heard = false;
    try {
      const response = await fetch(`/api/stream?cursor=${from.epoch}-${from.seq}&beat=${beatS}`,
        { signal: own.signal, credentials: "same-origin", cache: "no-store" });
      if (!response.ok || response.body === null) throw new Error(String(response.status));
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let text = ""; ;) {
        const { done, value } = await reader.read();
        if (done) break;
        heard = true;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => own.abort(), silenceMs);
        lastAnswer.value = performance.now();
        text = this.take(text + value);
      }
    } catch {
      /* What is wrong, the next question says. A stream that never said a word is not tried again
       * soon. */
      if (!heard && !this.gone.aborted) this.pollUntil = performance.now() + pollingMs;
    } finally {
      clearTimeout(watchdog);
      own.abort();
      if (this.stream === own) this.stream = null;
      this.wake();
    }
  }

  /* Takes the whole lines; returns the rest. Of an event only its id matters. */
  private take(text: string): string {
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    for (const line of lines) {
      const seq = /^id: ?\d+-(\d+)/.exec(line)?.[1];
      if (seq !== undefined && isAfter(seq, this.newest)) {
        this.newest = seq;
        this.wake();
      } else if (/^event: ?(reset|over)/.test(line)) this.wake();
    }
    return rest;
  }
}
