/* edits.ts - everything a dispatcher does to a visit, and what becomes of it.
 *
 * Idea: each edit is one call with the version that its author saw. It is seen at once (overlay.ts).
 * Four things can come back: done, with a toast that offers Undo; a rule does not hold, then the
 * author is asked once for a reason and the same edit goes with it; somebody else was before, then
 * both versions are shown and nothing is changed; anything else, which a toast tells.
 */
import { signal } from "@preact/signals";
import { ask, Refused, Unreachable } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import { msToUs } from "@callout/shared/units";
import type { Clash, Methods, Move, MutationReply } from "@callout/shared/wire";
import type { Visit } from "../model/day.ts";
import { day, territory, zone } from "../model/store.ts";
import { lay, type Lay, type Wished } from "./overlay.ts";
import { outsideMs, technicianName } from "./reasons.ts";
import { say } from "./toasts.ts";
import { undoLast } from "./undo.ts";

/* An edit is not lost by a server that is away for a while: it stays hatched, and is sent again. */
const patientMs = 60_000;

type Mutation = {
  [Name in keyof Methods]: "logSeq" | "duplicate" extends keyof Methods[Name]["reply"] ? Name : never;
}[keyof Methods];

/* What waits for a reason. */
export interface NeedsReason {
  text: string; // the server's
  visitId: string;
  move: Move | null;
  give: (reason: string) => void;
  drop: () => void;
}
export const needsReason = signal<NeedsReason | null>(null);

export interface Clashed {
  visitId: string;
  wished: string; // what its author wanted
  text: string;
  clash: Clash | null;
  again: () => void; // with the version that is there now
}
export const clashed = signal<Clashed | null>(null);

function isMutation(body: unknown): body is MutationReply {
  return typeof body === "object" && body !== null;
}

function failureText(error: unknown): string {
  if (error instanceof Unreachable) return t("edit.unreachable");
  if (error instanceof Refused) return t("edit.refused", { text: error.message });
  return String(error);
}

/* Sends a change that needs no picture of its own. True: it was done. */
export async function send<Name extends Mutation>(
  method: Name, request: Methods[Name]["request"], done: string, undoable = true,
): Promise<boolean> {
  try {
    await ask(method, request);
    say(done, undoable ? { action: { label: t("edit.undo"), run: () => void undoLast() } } : {});
    return true;
  } catch (error) {
    say(failureText(error), { bad: true });
    return false;
  }
}

interface Edit {
  method: Mutation;
  visit: Visit;
  wished: Wished;
  words: string; // what it does, as said when it is done
  request: (version: string, reason: string) => object;
  takesReason: boolean;
}

function wantsReason(error: Refused): boolean {
  return error.status === "CONFLICT" && error.message.includes("override_reason");
}

function isClash(error: Refused): boolean {
  return error.status === "CONFLICT" && error.errors.some((one) => one.field === "expected_version");
}

async function run(edit: Edit, version: string, reason: string, known: Move | null): Promise<void> {
  const picture = lay(edit.visit.id, edit.wished);
  try {
    const envelope = await ask(edit.method, edit.request(version, reason) as never, { patienceMs: patientMs });
    picture.confirm(envelope.body?.logSeq);
    say(edit.words, { action: { label: t("edit.undo"), run: () => void undoLast() } });
  } catch (error) {
    if (error instanceof Refused && edit.takesReason && wantsReason(error))
      askReason(edit, version, error, known, picture);
    else {
      picture.takeBack();
      if (error instanceof Refused && isClash(error)) showClash(edit, reason, error);
      else say(failureText(error), { bad: true });
    }
  }
}

function askReason(edit: Edit, version: string, error: Refused, known: Move | null, picture: Lay): void {
  const body = isMutation(error.body) ? error.body : {};
  needsReason.value = {
    text: error.message, visitId: edit.visit.id, move: body.move ?? known,
    give(reason) {
      needsReason.value = null;
      picture.takeBack();
      void run(edit, version, reason, known);
    },
    drop() {
      needsReason.value = null;
      picture.takeBack();
    },
  };
}

function showClash(edit: Edit, reason: string, error: Refused): void {
  const clash = isMutation(error.body) ? (error.body.clash ?? null) : null;
  clashed.value = {
    visitId: edit.visit.id, wished: edit.words, text: error.message, clash,
    again() {
      clashed.value = null;
      const version = clash?.version ?? day.peek()?.visits.get(edit.visit.id)?.version ?? "0";
      void run(edit, version, reason, null);
    },
  };
}

/* A pinned visit is moved by people, but not by chance. */
export interface Confirmation {
  visit: Visit;
  go: () => void;
}
export const confirming = signal<Confirmation | null>(null);

/* `startMs` 0: whenever it fits best. `move`: what CheckMove or Candidates said of it. */
export function assign(visit: Visit, technicianId: string, startMs: number, move: Move | null): Promise<void> {
  if (!visit.pinned) return assignNow(visit, technicianId, startMs, move);
  confirming.value = { visit, go: () => void assignNow(visit, technicianId, startMs, move) };
  return Promise.resolve();
}

function assignNow(visit: Visit, technicianId: string, startMs: number, move: Move | null): Promise<void> {
  const shownMs = startMs !== 0 ? startMs : Number(move?.startUs ?? 0) / 1000 || visit.startMs;
  const words = t(visit.technicianId === technicianId ? "edit.doneMove" : "edit.doneAssign", {
    order: visit.orderId, name: technicianName(technicianId), time: zone.peek().time(shownMs) });
  const edit: Edit = {
    method: "Assign", visit, words, takesReason: true,
    wished: { technicianId, startMs: shownMs,
      ...(visit.status === "UNSCHEDULED" ? { status: "SCHEDULED" } : {}) },
    request: (expectedVersion, overrideReason) => ({
      appointmentId: visit.id, technicianId, startUs: startMs === 0 ? "0" : msToUs(startMs),
      expectedVersion, overrideReason }),
  };
  const { ms, promised } = outsideMs(visit, startMs);
  if (startMs === 0 || !promised || ms < 60_000) return run(edit, visit.version, "", move);
  /* The server takes a person's word for a start; a broken promise still wants a reason. */
  needsReason.value = {
    text: t("outside.title"), visitId: visit.id, move: move ?? { technicianId, startUs: msToUs(startMs) },
    give(reason) {
      needsReason.value = null;
      void run(edit, visit.version, reason, move);
    },
    drop() {
      needsReason.value = null;
    },
  };
  return Promise.resolve();
}

export function unassign(visit: Visit, reason: string): Promise<void> {
  return run({
    method: "Unassign", visit, takesReason: false,
    words: t("edit.doneUnassign", { order: visit.orderId }),
    wished: { technicianId: null, startMs: 0, status: "UNSCHEDULED" },
    request: (expectedVersion) => ({ appointmentId: visit.id, expectedVersion, reason }),
  }, visit.version, "", null);
}

export function togglePin(visit: Visit): Promise<void> {
  const pin = visit.pinned ? {} : { technician: true, time: true,
    technicianId: visit.technicianId ?? "", startUs: msToUs(visit.startMs) };
  return run({
    method: "SetPin", visit, takesReason: false,
    words: t(visit.pinned ? "edit.doneUnpin" : "edit.donePin", { order: visit.orderId }),
    wished: { pinned: !visit.pinned },
    request: (expectedVersion) => ({ appointmentId: visit.id, pin, expectedVersion }),
  }, visit.version, "", null);
}

export function cancel(visit: Visit, reason: string): Promise<void> {
  return run({
    method: "CancelWorkOrder", visit, takesReason: false,
    words: t("edit.doneCancel", { order: visit.orderId }), wished: { status: "CANCELLED" },
    request: (expectedVersion) => ({ workOrderId: visit.orderId, reason, expectedVersion }),
  }, visit.version, "", null);
}

/* Nobody plans it until it is released. */
export function hold(visit: Visit, reason: string): Promise<void> {
  return run({
    method: "HoldWorkOrder", visit, takesReason: false,
    words: t("edit.doneHold", { order: visit.orderId }),
    wished: { technicianId: null, startMs: 0, status: "UNSCHEDULED" },
    request: (expectedVersion) => ({ workOrderId: visit.orderId, reason, expectedVersion }),
  }, visit.version, "", null);
}

export function release(visit: Visit): Promise<void> {
  return run({
    method: "ReleaseWorkOrder", visit, takesReason: false,
    words: t("edit.doneRelease", { order: visit.orderId }), wished: {},
    request: (expectedVersion) => ({ workOrderId: visit.orderId, expectedVersion }),
  }, visit.version, "", null);
}

export function swap(visit: Visit, other: Visit): Promise<void> {
  return run({
    method: "Swap", visit, takesReason: true,
    words: t("edit.doneSwap", { order: visit.orderId, other: other.orderId }),
    wished: { technicianId: other.technicianId, startMs: other.startMs },
    request: (expectedVersion, overrideReason) => ({
      appointmentId: visit.id, otherAppointmentId: other.id, expectedVersion,
      otherExpectedVersion: other.version, overrideReason }),
  }, visit.version, "", null);
}

/* What its technician told by telephone. */
export function correct(
  visit: Visit, status: Visit["status"], happenedMs: number, reason: string,
): Promise<void> {
  return run({
    method: "ReportStatus", visit, takesReason: false,
    words: t("edit.doneCorrect", { order: visit.orderId }), wished: { status },
    request: (expectedVersion) => ({
      technicianId: visit.technicianId ?? "", appointmentId: visit.id, status, reason,
      happenedUs: happenedMs === 0 ? "0" : msToUs(happenedMs), expectedVersion }),
  }, visit.version, "", null);
}

/* To nobody in particular: to all of the territory. */
export async function sendMessage(technicianIds: string[], text: string, appointmentId: string): Promise<boolean> {
  const names = technicianIds.length === 0 ? t("message.all") : technicianIds.map(technicianName).join(", ");
  return send("SendMessage", { territoryId: territory.peek()?.id ?? "", technicianIds, text, appointmentId },
    t("contact.sent", { name: names }), false);
}
