/* router.ts - the screen that is shown, in the address behind #, so that "back" goes back. */
import { signal } from "@preact/signals";

export interface Place {
  screen: string;
  id: string;
}

function read(): Place {
  const [screen = "", id = ""] = location.hash.replace(/^#\/?/, "").split("/");
  return { screen: screen || "today", id: decodeURIComponent(id) };
}

export const place = signal<Place>(read());

export function followAddress(): void {
  addEventListener("hashchange", () => {
    place.value = read();
    scrollTo(0, 0);
  });
}

export function address(screen: string, id = ""): string {
  return id === "" ? `#/${screen}` : `#/${screen}/${encodeURIComponent(id)}`;
}

export function go(screen: string, id = ""): void {
  location.hash = address(screen, id);
}

/* The code of an enrolment link; it is taken out of the address, where others might see it. */
export function takeEnrolCode(): string {
  const code = /^#enrol=([0-9A-Za-z-]+)$/.exec(location.hash)?.[1] ?? "";
  if (code !== "") {
    history.replaceState(null, "", location.pathname);
    place.value = read();
  }
  return code;
}

/* A code as people type it: groups, blanks and capitals make no difference. */
export function tidyCode(text: string): string {
  return text.replace(/[\s-]/g, "").toLowerCase();
}
