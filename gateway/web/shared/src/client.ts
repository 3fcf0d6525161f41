/* client.ts - asks the gateway's door: one function per call, typed by the contract.
 *
 * Errors: an answer whose status is not OK is thrown as Refused, no answer at all as Unreachable.
 * Retries: what says that nothing was stored (RETRY), that there is no room now (BUSY, RATE) or
 * that got no answer is asked again, until `patienceMs` is over. A mutation is as safe to repeat as
 * a question, because it carries an id under which the dispatcher keeps its result.
 * Connection: `lastAnswer` is when the server last said anything. Nothing here asks the browser
 * whether it is online, since that flag says yes behind a dead proxy.
 */
import { signal } from "@preact/signals";
import type { FieldError, Methods, Status } from "./wire.ts";
import { followServerClock } from "./clock.ts";

export interface Envelope<Body> {
  requestId?: string;
  status?: Status;
  text?: string;
  errors?: FieldError[];
  retryAfterMs?: number;
  logEpoch?: string;
  logSeq?: string;
  serverTimeUs?: string;
  clockRate?: number;
  body?: Body;
}

export class Refused extends Error {
  constructor(
    readonly method: string,
    readonly status: Status,
    text: string,
    readonly errors: FieldError[],
    readonly retryAfterMs: number,
    readonly body: unknown,
  ) {
    super(text || status);
  }
}

export class Unreachable extends Error {}

/* performance.now() of the last answer, 0 before the first. */
export const lastAnswer = signal(0);

export interface CallOptions {
  patienceMs?: number; // 0: asked once
  deadlineMs?: number; // of one try
  signal?: AbortSignal;
  requestId?: string; // of a mutation that may be repeated by hand
}

let csrf = "";
let whenLoggedOut: () => void = () => undefined;

/* What proves that a request comes from this page; "": nobody is logged in. */
export function useCsrf(fresh: string): void {
  csrf = fresh;
}

/* Called once for every answer that says that the session is over. */
export function onLoggedOut(handler: () => void): void {
  whenLoggedOut = handler;
}

export function csrfHeader(): Record<string, string> {
  return csrf === "" ? {} : { "X-Callout-Csrf": csrf };
}

const wait = (ms: number, signal?: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });

/* One request, one answer, whatever it says; what is thrown is Unreachable or the caller's own
 * abort. A body of null makes it a GET. */
export async function exchange<Body>(
  path: string, body: unknown, options: CallOptions = {},
): Promise<Envelope<Body>> {
  const deadline = AbortSignal.timeout(options.deadlineMs ?? 30_000);
  const gone = new AbortController();
  const abort = () => gone.abort();
  deadline.addEventListener("abort", abort);
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted) abort();
  const sent: Record<string, string> = csrfHeader();
  if (body !== null) sent["Content-Type"] = "application/json";
  if (options.requestId !== undefined) sent["Idempotency-Key"] = options.requestId;
  try {
    const response = await fetch(path, {
      method: body === null ? "GET" : "POST", headers: sent, signal: gone.signal,
      ...(body === null ? {} : { body: JSON.stringify(body) }),
      credentials: "same-origin", cache: "no-store", redirect: "error",
    });
    const envelope = (await response.json()) as Envelope<Body>;
    lastAnswer.value = performance.now();
    followServerClock(envelope);
    return envelope;
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw new Unreachable(String(error));
  } finally {
    deadline.removeEventListener("abort", abort);
    options.signal?.removeEventListener("abort", abort);
  }
}

/* 128 bits; randomUUID is missing where a page came by plain HTTP. */
export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const repeatable: ReadonlySet<Status> = new Set<Status>(["RETRY", "BUSY", "RATE", "IO"]);

/* As `call`, with the envelope around the answer. */
export async function ask<Name extends keyof Methods>(
  method: Name, request: Methods[Name]["request"], options: CallOptions = {},
): Promise<Envelope<Methods[Name]["reply"]>> {
  const requestId = options.requestId ?? newRequestId();
  const giveUp = performance.now() + (options.patienceMs ?? 10_000);
  for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    let failure: Error;
    let least = pauseMs;
    try {
      const envelope = await exchange<Methods[Name]["reply"]>(
        `/api/${method}`, request, { ...options, requestId });
      const status = envelope.status ?? "OK";
      if (status === "OK") return envelope;
      failure = new Refused(method, status, envelope.text ?? "", envelope.errors ?? [],
        envelope.retryAfterMs ?? 0, envelope.body);
      if (status === "UNAUTH") whenLoggedOut();
      if (!repeatable.has(status)) throw failure;
      least = Math.max(pauseMs, envelope.retryAfterMs ?? 0);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      failure = error;
    }
    /* A little chance, so that many pages do not come back at the same moment. */
    const pause = least * (1 + Math.random() / 4);
    if (performance.now() + pause > giveUp) throw failure;
    await wait(pause, options.signal);
  }
}

export async function call<Name extends keyof Methods>(
  method: Name, request: Methods[Name]["request"], options: CallOptions = {},
): Promise<Methods[Name]["reply"]> {
  return (await ask(method, request, options)).body ?? {};
}
