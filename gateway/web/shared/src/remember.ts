/* remember.ts - small choices of this browser's user that outlive the page; never anything of
 * customers or orders. A browser that keeps nothing (private mode) is as good. */
export function remembered(name: string): string | null {
  try {
    return localStorage.getItem(`callout.${name}`);
  } catch {
    return null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(`callout.${name}`, value);
  } catch {
    /* then it holds until the page is closed */
  }
}
