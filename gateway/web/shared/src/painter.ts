/* painter.ts - draws at most so often, however much happens.
 *
 * A painter is told that something changed and paints on an animation frame, not sooner than its
 * interval after the last time: rastering what changed is what costs, not computing it.
 */
export class Painter {
  private frame = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private paintedAt = -Infinity;

  constructor(private readonly intervalMs: number, private readonly paint: () => void) {}

  /* Something changed. */
  touch(): void {
    if (this.frame !== 0 || this.timer !== undefined) return;
    const rest = this.paintedAt + this.intervalMs - performance.now();
    if (rest <= 0) this.request();
    else
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.request();
      }, rest);
  }

  /* What a person does is drawn on the next frame. */
  now(): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
    if (this.frame === 0) this.request();
  }

  stop(): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.timer = undefined;
    this.frame = 0;
  }

  private request(): void {
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.paintedAt = performance.now();
      this.paint();
    });
  }
}
