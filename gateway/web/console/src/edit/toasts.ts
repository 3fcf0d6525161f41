/* toasts.ts - what just happened, said once: read out to those who do not look (role=status). */
import { signal } from "@preact/signals";

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly bad: boolean;
  readonly action?: { label: string; run: () => void };
}

export const toasts = signal<readonly Toast[]>([]);

const shownMs = 12_000;
const shownMax = 3;
let lastId = 0;

export function dismiss(id: number): void {
  toasts.value = toasts.peek().filter((one) => one.id !== id);
}

export function say(text: string, more: { bad?: boolean; action?: Toast["action"] } = {}): number {
  const id = ++lastId;
  const toast: Toast = { id, text, bad: more.bad === true,
    ...(more.action === undefined ? {} : { action: more.action }) };
  toasts.value = [...toasts.peek().slice(1 - shownMax), toast];
  setTimeout(() => dismiss(id), shownMs);
  return id;
}
