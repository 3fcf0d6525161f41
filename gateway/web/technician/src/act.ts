/* act.ts - the commands behind the buttons. */
import type { AppointmentStatus, AttachmentKind, FollowUp } from "@callout/shared/wire";
import { lastPlace } from "./position.ts";
import { say } from "./state.ts";
import { toBase64, toHex } from "./sync/bytes.ts";
import type { CommandBody } from "./sync/rows.ts";
import type { Shown, Step } from "./sync/view.ts";

const statuses: Record<Exclude<Step, "checkOut">, AppointmentStatus> = {
  accept: "ACCEPTED", go: "EN_ROUTE", checkIn: "ON_SITE", resume: "WORKING",
};

/* What is left to do is said before the end, with which the visit leaves the day. */
export function report(
  visit: Shown, status: AppointmentStatus, reason = "", left: FollowUp | null = null,
): Promise<boolean> {
  const point = lastPlace();
  const ended: CommandBody = {
    status: {
      appointmentId: visit.id, status, ...(reason === "" ? {} : { reason }),
      ...(point === null ? {} : { point }),
    },
  };
  return say(left === null ? ended : [{ followUp: left }, ended]);
}

export function takeStep(visit: Shown, step: Exclude<Step, "checkOut">): Promise<boolean> {
  return report(visit, statuses[step]);
}

export function runLate(visit: Shown, minutes: number): Promise<boolean> {
  return say({ runningLate: { appointmentId: visit.id, delaySeconds: minutes * 60 } });
}

export function sha256Of(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", bytes);
}

/* Says that there is a photo or a signature, and keeps its bytes, in one. */
export async function attach(
  visit: Shown, kind: AttachmentKind, picture: Blob, name = "",
): Promise<boolean> {
  const bytes = await picture.arrayBuffer();
  const hash = new Uint8Array(await sha256Of(bytes));
  const attachment = {
    appointmentId: visit.id, sha256: toBase64(hash), mediaType: picture.type,
    size: bytes.byteLength, kind, name,
  };
  return say({ attachment }, [{
    sha256: toHex(hash), bytes, mediaType: picture.type, appointmentId: visit.id, received: 0,
  }]);
}

/* The phone's own way to a place: its navigation app, or a map in the browser. */
export function navigateTo({ place, order }: Shown): string {
  if (place === null) return "";
  const at = `${place.lat},${place.lon}`;
  const label = encodeURIComponent(order.site?.address ?? "");
  const agent = navigator.userAgent;
  if (/Android/.test(agent)) return `geo:${at}?q=${at}(${label})`;
  if (/iPhone|iPad/.test(agent)) return `maps:?daddr=${at}&q=${label}`;
  return `https://www.openstreetmap.org/directions?to=${encodeURIComponent(at)}`;
}
