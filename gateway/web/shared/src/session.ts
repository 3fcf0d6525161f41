/* session.ts - who is at this page.
 *
 * The session is a cookie that scripts cannot read; what the page holds is the text that proves
 * that a request comes from it (CSRF). After a reload the cookie is still there, and the page asks
 * for that text again.
 */
import { signal } from "@preact/signals";
import { call, onLoggedOut, post, Refused, useCredentials } from "./client.ts";
import type { LoginReply, WhoAmIReply } from "./wire.ts";

/* undefined: not known yet; null: nobody. */
export const who = signal<WhoAmIReply | null | undefined>(undefined);

export async function logIn(name: string, password: string): Promise<void> {
  const envelope = await post<LoginReply>("/api/Login", { name, password });
  if ((envelope.status ?? "OK") !== "OK")
    throw new Refused("Login", envelope.status ?? "INTERNAL", envelope.text ?? "",
      envelope.errors ?? [], envelope.retryAfterMs ?? 0, undefined);
  useCredentials({ bearer: envelope.body?.sessionToken ?? "" });
  who.value = envelope.body?.who ?? null;
}

export async function logOut(): Promise<void> {
  try {
    await call("Logout", {}, { patienceMs: 0 });
  } finally {
    forget();
  }
}

function forget(): void {
  useCredentials({});
  who.value = null;
}

export async function startSession(): Promise<void> {
  onLoggedOut(forget);
  who.value = null;
}
