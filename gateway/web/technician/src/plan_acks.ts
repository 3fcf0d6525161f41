/* plan_acks.ts - tells the dispatchers how far the plan has come to its technician: that it is on the
 * phone they see from the cursor; that he looked at it, and that he will do it so, he says. */
import { remember, remembered } from "@callout/shared/remember";
import { device, say } from "./state.ts";
import type { ChangeRow } from "./sync/rows.ts";

/* The last seq that was said to be seen; said anew after another enrolment. */
let seen = Number(remembered("seen") ?? 0);

export async function seePlan(seq: number): Promise<void> {
  const engine = device();
  if (engine.life !== "live" || seq <= seen) return;
  seen = seq;
  try {
    await engine.save({ ackPlan: { logSeq: String(seq), stage: "ACK_SEEN" } });
    remember("seen", String(seq));
  } catch {
    seen = 0;
  }
}

export async function acceptPlan(rows: readonly ChangeRow[]): Promise<void> {
  const seq = Math.max(...rows.map((row) => row.seq));
  if (await say({ ackPlan: { logSeq: String(seq), stage: "ACK_ACCEPTED" } }))
    await device().acceptChanges(rows.map((row) => row.appointmentId));
}
