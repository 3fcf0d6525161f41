/* asked.ts - a question to the server whose answer a component shows.
 *
 * Asked again when its key changes; the former answer stays in sight until the new one is there,
 * unless it is about something else. */
import { useEffect, useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import type { Methods } from "@callout/shared/wire";

export interface Asked<Reply> {
  reply: Reply | null;
  failed: string; // empty: it did not
}

/* `about`: what it is about; `key`: what it depends on, such as a version. about "": not asked. */
export function useAsked<Name extends keyof Methods>(
  method: Name, request: Methods[Name]["request"], about: string, key: string,
): Asked<Methods[Name]["reply"]> {
  const [state, setState] = useState<Asked<Methods[Name]["reply"]> & { about: string }>(
    { reply: null, failed: "", about: "" });
  useEffect(() => {
    if (about === "") return;
    const gone = new AbortController();
    call(method, request, { signal: gone.signal }).then(
      (reply) => setState({ reply, failed: "", about }),
      (error: unknown) => {
        if (!gone.signal.aborted)
          setState({ reply: null, failed: error instanceof Error ? error.message : String(error), about });
      });
    return () => gone.abort(new DOMException("gone", "AbortError"));
  }, [method, about, key]);
  return state.about === about ? state : { reply: null, failed: "" };
}
