/* stamp.tsx - how fresh this is and what is not sent, always in sight, and true: it goes by answers
 * of the server, never by the browser's flag, which says yes behind a dead line. */
import { Icon } from "./icons.tsx";
import { device, now, zone } from "./state.ts";
import { address } from "./router.ts";
import { ageText, t, tn } from "./words.ts";

/* A held poll is answered within 25 s, so longer silence is no contact. */
const silentMs = 45_000;

export interface Freshness {
  live: boolean;
  unsent: number;
  lastMs: number; // domain time of the last answer; 0: none yet
}

export function freshness(): Freshness {
  const engine = device();
  now.value; // it ages by itself
  const { answeredMonoMs, failing } = engine.contact;
  const age = answeredMonoMs === null ? Infinity : engine.ports.clock.monoMs() - answeredMonoMs;
  return {
    live: !failing && age < silentMs, lastMs: engine.domain.lastMs,
    unsent: engine.outbox.unsent + engine.blobs.all().length,
  };
}

export function Stamp() {
  const { live, unsent, lastMs } = freshness();
  const text = unsent > 0 ? tn("stamp.unsent", unsent)
    : live ? t("stamp.live") : lastMs === 0 ? t("stamp.never") : t("stamp.asOf", { time: zone.value.time(lastMs) });
  const age = live || lastMs === 0 ? "" : ageText(now.value - lastMs);
  return (
    <a class={`stamp ${live ? "live" : "silent"}`} href={address("outbox")}
      aria-label={`${text}${age === "" ? "" : `, ${t("stamp.age", { age })}`}`}>
      <Icon name={unsent > 0 ? "unsent" : live ? "sent" : "quiet"} />
      <span>{text}{age !== "" && <small>{age}</small>}</span>
    </a>
  );
}
