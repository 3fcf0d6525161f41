/* health.tsx - how the installation itself is: what somebody should see to, then all that is known. */
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { locale, t, tMaybe, tn } from "@callout/shared/i18n";
import { toNumber, usToMs } from "@callout/shared/units";
import type { Int64, RoleHealth, SystemHealthReply } from "@callout/shared/wire";
import { askHealth, health, warnings } from "../model/health.ts";
import { nowMs, zone } from "../model/store.ts";
import { spanText } from "./span.ts";

function bytesText(bytes: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1000)));
  return new Intl.NumberFormat(locale(), { style: "unit", unit: units[step] ?? "byte",
    maximumSignificantDigits: 3 }).format(bytes / 1000 ** step);
}

function agoText(it: SystemHealthReply, us: Int64 | undefined): string {
  const ms = usToMs(us);
  return ms === 0 ? t("health.never") : t("health.ago", { age: spanText(usToMs(it.nowUs) - ms) });
}

function Tile({ name, value, bad, children }: {
  name: string; value: string; bad: boolean; children?: ComponentChildren;
}) {
  return (
    <article class="tile" data-bad={bad}>
      <h3>{bad && <Icon name="late" label={t("health.look")} />}{name}</h3>
      <p class="tile-value">{value}</p>
      {children}
    </article>
  );
}

function Disk({ it }: { it: SystemHealthReply }) {
  const free = toNumber(it.diskFreeBytes), all = toNumber(it.diskBytes);
  const bad = warnings.value.some((one) => one === "HEALTH_DISK_LOW" || one === "HEALTH_WRITING_FAILS");
  if (all === 0) return null;
  return (
    <Tile name={t("health.disk")} value={t("health.free", { size: bytesText(free) })} bad={bad}>
      <progress value={all - free} max={all} aria-label={t("health.used")} />
      <p class="soft">{t("health.ofDisk", { size: bytesText(all), store: bytesText(toNumber(it.storeBytes)) })}</p>
    </Tile>
  );
}

function Backup({ it }: { it: SystemHealthReply }) {
  const made = usToMs(it.backupUs);
  return (
    <Tile name={t("health.backup")} value={made === 0 ? t("health.noBackup") : agoText(it, it.backupUs)}
      bad={warnings.value.includes("HEALTH_BACKUP_OLD")}>
      <p class="soft">{made === 0 ? t("health.howBackup") : zone.value.dayAndTime(made)}</p>
    </Tile>
  );
}

function Certificate({ it }: { it: SystemHealthReply }) {
  const end = usToMs(it.certificateEndUs), left = end - usToMs(it.nowUs);
  const value = end === 0 ? t("health.noCertificate") : left < 0 ? t("health.ended") : t("health.left", { time: spanText(left) });
  return (
    <Tile name={t("health.certificate")} value={value} bad={warnings.value.includes("HEALTH_CERTIFICATE_ENDS")}>
      <p class="soft">{end === 0 ? t("health.proxy") : t("health.until", { time: zone.value.dayAndTime(end) })}</p>
    </Tile>
  );
}

function Optimizer({ it }: { it: SystemHealthReply }) {
  const role = it.roles?.find((one) => one.role === "optimizer");
  const dies = warnings.value.includes("HEALTH_OPTIMIZER_DIES"), silent = warnings.value.includes("HEALTH_OPTIMIZER_SILENT");
  return (
    <Tile name={t("health.optimizer")} bad={dies || silent}
      value={dies ? t("health.keepsEnding") : silent ? t("health.isSilent") : t("health.works")}>
      <p class="soft">{t("health.planned", { ago: agoText(it, it.optimizerPlannedUs) })}
        {role !== undefined && ` · ${tn("health.restarts", role.ends ?? 0)}`}</p>
    </Tile>
  );
}

function Devices({ it }: { it: SystemHealthReply }) {
  const behind = it.devicesBehind ?? 0, since = usToMs(it.behindSinceUs);
  return (
    <Tile name={t("health.devices")} bad={false}
      value={behind === 0 ? t("health.upToDate") : t("health.behind", { behind, all: it.devices ?? 0 })}>
      <p class="soft">{behind === 0 ? tn("health.known", it.devices ?? 0)
        : since === 0 ? t("health.neverHeard") : t("health.silentSince", { age: spanText(nowMs.value - since) })}
        {toNumber(it.deadLetters) > 0 && ` · ${tn("health.letters", toNumber(it.deadLetters))}`}</p>
    </Tile>
  );
}

function exitText(code: number): string {
  return code > 128 ? t("health.signal", { number: code - 128 }) : t("health.code", { code });
}

function Role({ it, role }: { it: SystemHealthReply; role: RoleHealth }) {
  return (
    <tr>
      <th scope="row">{tMaybe(`health.role.${role.role}`)}</th>
      <td>{role.ends ?? 0}</td>
      <td>{role.endsLately ?? 0}</td>
      <td>{(role.ends ?? 0) === 0 ? "" : `${agoText(it, role.endedUs)}, ${exitText(role.exitCode ?? 0)}`}</td>
    </tr>
  );
}

export function Health() {
  const it = health.value;
  useEffect(() => {
    const gone = new AbortController();
    const once = () => void askHealth(gone.signal).catch(() => undefined);
    once();
    const timer = setInterval(once, 5_000);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, []);
  if (it === null) return <div class="cards"><p class="soft">{t("candidate.asking")}</p></div>;
  return (
    <div class="cards cards-wide">
      {warnings.value.length === 0 ? <p class="health-good" role="status"><Icon name="done" />{t("health.good")}</p>
        : <ul class="health-warnings">{warnings.value.map((one) => (
            <li key={one} data-warning={one}><Icon name="late" /><b>{tMaybe(`health.${one}`)}</b>
              <span>{tMaybe(`health.do.${one}`)}</span></li>))}</ul>}
      <div class="tiles"><Disk it={it} /><Backup it={it} /><Certificate it={it} /><Optimizer it={it} /><Devices it={it} /></div>
      {(it.roles ?? []).length > 0 &&
        <section class="card"><h3>{t("health.parts")}</h3>
          <div class="scroll"><table class="table">
            <thead><tr><th scope="col">{t("health.part")}</th><th scope="col">{t("health.ends")}</th>
              <th scope="col">{t("health.lately")}</th><th scope="col">{t("health.last")}</th></tr></thead>
            <tbody>{(it.roles ?? []).map((role) => <Role key={role.role} it={it} role={role} />)}</tbody>
          </table></div>
        </section>}
      <p class="soft">{t("health.since", { age: spanText(usToMs(it.nowUs) - usToMs(it.startedUs)) })}</p>
    </div>
  );
}
