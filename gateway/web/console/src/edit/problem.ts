/* problem.ts - what a form says when the server did not take it: which field, and what is wrong there. */
import { Refused } from "@callout/shared/client";

export function problemText(error: unknown): string {
  if (error instanceof Refused && error.errors.length > 0)
    return error.errors.map((one) => `${one.field ?? ""}: ${one.problem ?? ""}`).join("; ");
  return error instanceof Error ? error.message : String(error);
}
