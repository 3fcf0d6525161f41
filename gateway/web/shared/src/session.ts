/* session.ts - who is at this page.
 *
 * The session is a cookie that scripts cannot read; what the page holds is the text that proves
 * that a request comes from a page of ours (CSRF). After a reload the cookie is still there, and the
 * page asks for that text again; where nobody has logged in since the last one left, it need not ask.
 * It ends for this browser alone, or everywhere.
 */
import { signal } from "@preact/signals";
import { exchange, onLoggedOut, Refused, Unreachable, useCsrf, type Envelope } from "./client.ts";
import { remember, remembered, remembers } from "./remember.ts";
import type { LoginReply, WhoAmIReply } from "./wire.ts";

const cameIn = "session"; // remembered: somebody logged in with this browser

type WithCsrf<Body> = Envelope<Body> & { csrf?: string };

/* undefined: not known yet; null: nobody. */
export const who = signal<WhoAmIReply | null | undefined>(undefined);

function take(envelope: WithCsrf<unknown>, said: WhoAmIReply | undefined): void {
  useCsrf(envelope.csrf ?? "");
  remember(cameIn, said === undefined ? null : "1");
  who.value = said ?? null;
}

/* Refused or Unreachable, as a call. */
export async function logIn(name: string, password: string): Promise<void> {
  const envelope: WithCsrf<LoginReply> = await exchange("/session/login", { name, password });
  const status = envelope.status ?? "OK";
  if (status !== "OK")
    throw new Refused("Login", status, envelope.text ?? "", envelope.errors ?? [],
      envelope.retryAfterMs ?? 0, undefined);
  take(envelope, envelope.body?.who);
}

export async function logOut(everywhere = false): Promise<void> {
  try {
    await exchange(everywhere ? "/session/logout-everywhere" : "/session/logout", {});
  } finally {
    forget();
  }
}

function forget(): void {
  remember(cameIn, null);
  useCsrf("");
  who.value = null;
}

/* Goes on with the session of this browser, if there is one. As long as the server does not answer
 * nobody knows, so it is asked again. */
export async function startSession(): Promise<void> {
  onLoggedOut(forget);
  if (remembers() && remembered(cameIn) === null) return forget();
  for (let pauseMs = 300; ; pauseMs = Math.min(2 * pauseMs, 5_000))
    try {
      const envelope: WithCsrf<WhoAmIReply> = await exchange("/session", null);
      const known = (envelope.status ?? "OK") === "OK";
      return take(envelope, known ? envelope.body : undefined);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
}
