/* act.ts - the commands behind the buttons. */
import type { AppointmentStatus } from "@callout/shared/wire";
import { lastPlace } from "./position.ts";
import { say } from "./state.ts";
import type { Shown, Step } from "./sync/view.ts";

const statuses: Record<Exclude<Step, "checkOut">, AppointmentStatus> = {
  accept: "ACCEPTED", go: "EN_ROUTE", checkIn: "ON_SITE", resume: "WORKING",
};

export function report(visit: Shown, status: AppointmentStatus, reason = ""): Promise<boolean> {
  const point = lastPlace();
  return say({
    status: {
      appointmentId: visit.id, status, ...(reason === "" ? {} : { reason }),
      ...(point === null ? {} : { point }),
    },
  });
}

export function takeStep(visit: Shown, step: Exclude<Step, "checkOut">): Promise<boolean> {
  return report(visit, statuses[step]);
}

export function runLate(visit: Shown, minutes: number): Promise<boolean> {
  return say({ runningLate: { appointmentId: visit.id, delaySeconds: minutes * 60 } });
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
