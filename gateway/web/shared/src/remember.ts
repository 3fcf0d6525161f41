/* remember.ts - small choices of this browser's user that outlive the page; never anything of
 * customers or orders. A browser that keeps nothing (private mode) is as good. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`callout.${name}`);
  } catch {
    return null;
  }
}

/* null: it is forgotten. */
export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`callout.${name}`);
    else localStorage.setItem(`callout.${name}`, value);
  } catch {
    /* then it holds until the page is closed */
  }
}

/* Does this browser keep anything at all? */
export function remembers(): boolean {
  try {
    return localStorage.length >= 0;
  } catch {
    return false;
  }
}
