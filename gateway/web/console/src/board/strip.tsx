/* strip.tsx - how many of each kind need attention; a press on a chip dims everything else. */
import { computed } from "@preact/signals";
import { Icon, type IconName } from "@callout/shared/icons";
import { t, tMaybe, tn } from "@callout/shared/i18n";
import { kinds, type Kind } from "../model/attention.ts";
import { openScreen } from "../edit/state.ts";
import { warnings } from "../model/health.ts";
import { chip, pressChip } from "../model/selection.ts";
import { day, isLoaded, nowMinute } from "../model/store.ts";
import { counts } from "../model/trouble.ts";
import { isOver } from "../model/status.ts";

export const kindIcons: Record<Kind, IconName> = {
  lateNow: "late", willBeLate: "soon", noTechnician: "nobody", ruleBroken: "rule",
  noContact: "silent", waiting: "part",
};

const visits = computed(() => day.value?.visits ?? null); // the same Map as long as no visit changes
const technicians = computed(() => day.value?.technicians ?? null);
const visitsOver = computed(() => {
  let over = 0;
  for (const visit of visits.value?.values() ?? []) if (isOver(visit)) over++;
  return over;
});
const atWork = computed(() => {
  let count = 0;
  for (const { shift, absent } of technicians.value?.values() ?? [])
    if (shift !== null && !absent && shift.startMs <= nowMinute.value && nowMinute.value < shift.endMs) count++;
  return count;
});
const visitsAll = computed(() => visits.value?.size ?? 0);

function Progress() {
  if (!isLoaded.value) return null;
  const done = visitsOver.value, all = visitsAll.value;
  return (
    <p class="strip-progress">
      <progress value={done} max={Math.max(1, all)} aria-hidden="true" />
      {t("strip.done", { done, all })} · {tn("strip.working", atWork.value)}
    </p>
  );
}

/* What the installation itself needs; nothing, as long as it needs nothing. */
function System() {
  const [first, ...others] = warnings.value;
  if (first === undefined) return null;
  const text = tMaybe(`health.${first}`);
  return (
    <button type="button" class="chip chip-system" onClick={() => openScreen("health")}>
      <Icon name="late" />
      <span>{others.length === 0 ? text : t("health.more", { text, count: others.length })}</span>
    </button>
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
      <System />
      <Progress />
    </nav>
  );
}
