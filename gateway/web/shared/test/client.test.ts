import { afterEach, test } from "node:test";
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { call, lastAnswer, onLoggedOut, Refused, Unreachable, useCsrf } from "../src/client.ts";

if (!("crypto" in globalThis)) Object.assign(globalThis, { crypto: webcrypto });

interface Sent { path: string; headers: Record<string, string>; body: unknown }
type Answer = { status?: string; retryAfterMs?: number; body?: unknown } | "nothing";

const real = globalThis.fetch;
let sent: Sent[] = [];

/* A server that says one after the other, and then the last again. */
function serve(...answers: Answer[]): void {
  sent = [];
  globalThis.fetch = (async (path: string, init: { headers: Record<string, string>; body: string }) => {
    sent.push({ path, headers: init.headers, body: JSON.parse(init.body) });
    const answer = answers[Math.min(sent.length, answers.length) - 1];
    if (answer === undefined || answer === "nothing") throw new TypeError("failed to fetch");
    return { json: async () => answer };
  }) as unknown as typeof fetch;
}
afterEach(() => {
  globalThis.fetch = real;
  useCsrf("");
});

test("what says that nothing was stored is asked again under the same id", async () => {
  serve({ status: "RETRY" }, "nothing", { status: "BUSY", retryAfterMs: 1 }, { status: "OK", body: { logSeq: "7" } });
  assert.deepEqual(await call("Assign", { appointmentId: "W1.1" }), { logSeq: "7" });
  assert.equal(sent.length, 4);
  assert.equal(new Set(sent.map((one) => one.headers["Idempotency-Key"])).size, 1);
  assert.match(sent[0]?.headers["Idempotency-Key"] ?? "", /^[0-9a-f]{32}$/);
});

test("what was refused is not", async () => {
  serve({ status: "CONFLICT" });
  await assert.rejects(call("Assign", {}), (error) => error instanceof Refused && error.status === "CONFLICT");
  assert.equal(sent.length, 1);
});

test("patience ends", async () => {
  serve("nothing");
  await assert.rejects(call("Board", {}, { patienceMs: 0 }), Unreachable);
  assert.equal(sent.length, 1);
});

test("a session that is over is said once, and the proof of the page goes with each request", async () => {
  let over = 0;
  onLoggedOut(() => over++);
  useCsrf("abc");
  serve({ status: "UNAUTH" });
  await assert.rejects(call("Board", {}), Refused);
  assert.equal(over, 1);
  assert.equal(sent[0]?.headers["X-Callout-Csrf"], "abc");
});

test("any answer is a sign of life, a refusal too", async () => {
  lastAnswer.value = 0;
  serve({ status: "NOT_FOUND" });
  await assert.rejects(call("Board", {}), Refused);
  assert.ok(lastAnswer.value > 0);
});
