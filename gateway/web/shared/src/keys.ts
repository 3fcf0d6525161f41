/* keys.ts - the keys of a page, in one list that `?` shows.
 *
 * A key is heard on the whole page except while somebody types, or while a dialog is open that it
 * does not belong to. Keys of a single letter can be turned off (WCAG 2.1.4), since speech input
 * would press them by chance; everything they do has a button, too.
 */
import { signal } from "@preact/signals";
import { remember, remembered } from "./remember.ts";
import type { Text } from "./i18n.ts";

export interface Key {
  key: string; // "/", "Ctrl+z", "ArrowUp", "Escape", "?"
  label: Text;
  run: (event: KeyboardEvent) => void;
  when?: () => boolean; // not said: always
  hidden?: boolean; // not in the list: a second way to the same
}

const keys: Key[] = [];

export const singleKeys = signal(remembered("single-keys") !== "off");

export function setSingleKeys(on: boolean): void {
  singleKeys.value = on;
  remember("single-keys", on ? "on" : "off");
}

/* Returns what takes it out again. */
export function addKey(key: Key): () => void {
  keys.push(key);
  return () => {
    const index = keys.indexOf(key);
    if (index >= 0) keys.splice(index, 1);
  };
}

export function listKeys(): readonly Key[] {
  return keys.filter((key) => key.hidden !== true);
}

/* "Ctrl+Shift+z" of what was pressed; Shift is named for letters that Ctrl changes only. */
export function keyName(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey;
  const name = event.key.length === 1 && control ? event.key.toLowerCase() : event.key;
  return `${control ? "Ctrl+" : ""}${control && event.shiftKey ? "Shift+" : ""}${
    event.altKey ? "Alt+" : ""}${name}`;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input, textarea, select");
}

const isSingle = (name: string) => name.length === 1;

function handle(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const name = keyName(event);
  if (isTyping(event.target) && !name.startsWith("Ctrl+") && name !== "Escape") return;
  if (isTyping(event.target) && name === "Ctrl+z") return; // takes back what was typed
  if (isSingle(name) && name !== "?" && !singleKeys.value) return;
  if (document.querySelector("dialog[open]") !== null) return; // which closes with Escape by itself
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index];
    if (key === undefined || key.key !== name || key.when?.() === false) continue;
    event.preventDefault();
    key.run(event);
    return;
  }
}

export function listenForKeys(): void {
  document.addEventListener("keydown", handle);
}
