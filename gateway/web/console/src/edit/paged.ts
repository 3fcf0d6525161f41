/* paged.ts - a list that comes page by page: the first page at once, more when somebody asks. */
import { useEffect, useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import type { Methods } from "@callout/shared/wire";

type Paged = {
  [Name in keyof Methods]: "pageToken" extends keyof Methods[Name]["request"]
    ? "nextPageToken" extends keyof Methods[Name]["reply"] ? Name : never : never;
}[keyof Methods];

export interface Pages<Reply> {
  pages: readonly Reply[];
  failed: string; // empty: it did not
  more: (() => void) | null; // null: these are all
}

/* `about`: what it is about ("": not asked); `key`: what it depends on. When that changes, as many
 * pages come anew as there were; the former ones stay in sight until then. */
export function usePaged<Name extends Paged>(
  method: Name, request: Methods[Name]["request"], about: string, key: string,
): Pages<Methods[Name]["reply"]> {
  const [wanted, setWanted] = useState(1);
  const [state, setState] = useState<{ pages: Methods[Name]["reply"][]; failed: string; about: string }>(
    { pages: [], failed: "", about: "" });
  useEffect(() => setWanted(1), [about]);
  useEffect(() => {
    if (about === "") return;
    const gone = new AbortController();
    const ask = async () => {
      const pages: Methods[Name]["reply"][] = [];
      for (let token: string | undefined = ""; token !== undefined && pages.length < wanted;) {
        const reply: Methods[Name]["reply"] & { nextPageToken?: string } =
          await call(method, { ...request, pageToken: token } as Methods[Name]["request"], { signal: gone.signal });
        pages.push(reply);
        token = reply.nextPageToken === "" ? undefined : reply.nextPageToken;
      }
      setState({ pages, failed: "", about });
    };
    ask().catch((error: unknown) => {
      if (!gone.signal.aborted)
        setState({ pages: [], failed: error instanceof Error ? error.message : String(error), about });
    });
    return () => gone.abort(new DOMException("gone", "AbortError"));
  }, [method, about, key, wanted]);
  const last = state.pages[state.pages.length - 1] as { nextPageToken?: string } | undefined;
  const more = (last?.nextPageToken ?? "") === "" ? null : () => setWanted(state.pages.length + 1);
  return state.about === about ? { pages: state.pages, failed: state.failed, more } : { pages: [], failed: "", more: null };
}
