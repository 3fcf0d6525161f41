/* strip.tsx - how many of each kind need attention; a press on a chip dims everything else. */
import { Icon, type IconName } from "@callout/shared/icons";
import { t, tn } from "@callout/shared/i18n";
import { kinds, type Kind } from "../model/attention.ts";
import { chip, pressChip } from "../model/selection.ts";
import { day, nowMs } from "../model/store.ts";
import { counts } from "../model/trouble.ts";
import { isOver } from "../model/status.ts";

export const kindIcons: Record<Kind, IconName> = {
  lateNow: "late", willBeLate: "soon", noTechnician: "nobody", ruleBroken: "rule",
  noContact: "silent", waiting: "part",
};

function Progress() {
  const it = day.value;
  if (it === null) return null;
  let done = 0, atWork = 0;
  for (const visit of it.visits.values()) if (isOver(visit)) done++;
  for (const technician of it.technicians.values())
    if (technician.shift !== null && !technician.absent && technician.shift.startMs <= nowMs.value &&
        nowMs.value < technician.shift.endMs) atWork++;
  return (
    <p class="strip-progress">
      <progress value={done} max={Math.max(1, it.visits.size)} aria-hidden="true" />
      {t("strip.done", { done, all: it.visits.size })} · {tn("strip.working", atWork)}
    </p>
  );
}

export function AttentionStrip() {
  return (
    <nav class="strip" aria-label={t("strip.title")}>
      {kinds.map((kind) => (
        <button key={kind} type="button" class={`chip chip-${kind}`} aria-pressed={chip.value === kind}
          data-empty={counts.value[kind] === 0} onClick={() => pressChip(kind)}>
          <Icon name={kindIcons[kind]} />
          <span>{t(`kind.${kind}`)}</span>
          <b>{counts.value[kind]}</b>
        </button>
      ))}
      <Progress />
    </nav>
  );
}
