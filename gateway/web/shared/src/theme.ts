/* theme.ts - light, dark, or as the system has it. */
import { signal } from "@preact/signals";
import { remember, remembered } from "./remember.ts";

export type Theme = "system" | "light" | "dark";

const themes: readonly Theme[] = ["system", "light", "dark"];
export const theme = signal<Theme>(themes.find((one) => one === remembered("theme")) ?? "system");

/* Canvas needs to know, style sheets do not: it changes when the page's colours did. */
export const isDark = signal(false);

const system = matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
  const dark = theme.value === "dark" || (theme.value === "system" && system.matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
  isDark.value = dark;
}

export function setTheme(wanted: Theme): void {
  theme.value = wanted;
  remember("theme", wanted);
  apply();
}

export function startTheme(): void {
  system.addEventListener("change", apply);
  apply();
}
