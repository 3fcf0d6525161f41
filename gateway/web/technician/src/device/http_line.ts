/* http_line.ts - the line to the gateway: POST /api/METHOD with the session as a Bearer.
 *
 * No cookie goes with it, so a dispatcher who is logged in within the same browser stays apart. Who
 * is offline finds out by asking: the browser's own word about that is not believed.
 */
import { Unreachable, type Answer, type DeviceMethod, type Line, type Stop } from "../sync/ports.ts";

export const httpLine: Line = {
  async ask(method: DeviceMethod, body: string, session: string, deadlineMs: number,
    stop: Stop): Promise<Answer> {
    const gone = new AbortController();
    const abort = () => gone.abort();
    const timer = setTimeout(abort, deadlineMs);
    stop.whenStopped(abort);
    try {
      const response = await fetch(`/api/${method}`, {
        method: "POST", body, signal: gone.signal, credentials: "omit", cache: "no-store",
        redirect: "error",
        headers: {
          "Content-Type": "application/json",
          ...(session === "" ? {} : { Authorization: `Bearer ${session}` }),
        },
      });
      const answer: unknown = await response.json();
      if (typeof answer !== "object" || answer === null) throw new Error("no answer of ours");
      return answer;
    } catch (error) {
      throw new Unreachable(String(error), stop.stopped);
    } finally {
      clearTimeout(timer);
    }
  },
};
