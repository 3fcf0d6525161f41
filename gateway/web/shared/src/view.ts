/* view.ts - what is looked at, in the page's address: whoever gets the link sees the same.
 *
 * A value that is the default is left out. Steps that a person takes with intent (another screen,
 * another day) are entries of the history; the rest replaces the last one.
 */
import { signal } from "@preact/signals";

export type View = Readonly<Record<string, string>>;

function read(): View {
  return Object.fromEntries(new URLSearchParams(location.search));
}

export const view = signal<View>(read());

export function setView(changes: Record<string, string | null>, step = false): void {
  const fresh: Record<string, string> = { ...view.value };
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") delete fresh[name];
    else fresh[name] = value;
  }
  const query = new URLSearchParams(fresh).toString();
  const address = query === "" ? location.pathname : `?${query}`;
  if (query === new URLSearchParams(view.value).toString()) return;
  if (step) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
  view.value = fresh;
}

export function followHistory(): void {
  addEventListener("popstate", () => {
    view.value = read();
  });
}
