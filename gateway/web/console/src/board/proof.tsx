/* proof.tsx - how good the plan is, and what would make it better: the optimizer's proof in words.
 *
 * The header has the gap; a press says what it means, and what one more hour, one more technician
 * or another window would be worth. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { locale, t } from "@callout/shared/i18n";
import { ageText, minutesText } from "@callout/shared/words";
import type { ShadowPrice, ShadowPriceKind } from "@callout/shared/wire";
import type { Bound } from "../model/day.ts";
import { selectVisit } from "../model/selection.ts";
import { day } from "../model/store.ts";
import { useAsked } from "../edit/asked.ts";

export const proofOpen = signal(false);

/* One digit, two below a tenth, as the reader writes them: "1.2", "0,04". */
export function percentText(percent: number): string {
  const digits = percent > 0 && percent < 0.1 ? 2 : 1;
  return percent.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function ProofButton() {
  const bound = day.value?.solver.bound ?? null;
  if (bound === null) return null;
  return (
    <button type="button" class="quiet proof-gap" data-certified={bound.certified}
      title={t(bound.certified ? "proof.tip" : "proof.tipOld", { age: ageText(bound.ageSeconds * 1000) })}
      onClick={() => { proofOpen.value = true; }}>
      {t("solver.gap", { gap: percentText(bound.gapPercent) })}
    </button>
  );
}

const secondsText = (seconds: number) => minutesText(seconds * 1000);

function Meaning({ bound }: { bound: Bound }) {
  return (
    <>
      <p>{t("proof.meaning", {
        cost: secondsText(bound.costSeconds), lower: secondsText(bound.lowerSeconds),
        gap: secondsText(bound.costSeconds - bound.lowerSeconds), percent: percentText(bound.gapPercent),
      })}</p>
      <p class="soft">{t(bound.certified ? "proof.now" : "proof.before", { age: ageText(bound.ageSeconds * 1000) })}</p>
    </>
  );
}

const shown: readonly ShadowPriceKind[] = [
  "PRICE_OF_TECHNICIAN", "PRICE_OF_SKILL_HOUR", "PRICE_OF_HOUR", "PRICE_OF_WINDOW", "PRICE_OF_FREEZE"];
const perKind = 3;

const nameOf = (technicianId: string) => day.value?.technicians.get(technicianId)?.name ?? technicianId;

function OfVisit({ visitId }: { visitId: string }) {
  return (
    <button type="button" class="link"
      onClick={() => { proofOpen.value = false; selectVisit(visitId); }}>
      {day.value?.visits.get(visitId)?.orderId ?? visitId}
    </button>
  );
}

function What({ price }: { price: ShadowPrice }) {
  const who = nameOf(price.technicianId ?? "");
  switch (price.kind) {
    case "PRICE_OF_TECHNICIAN": return <>{t("proof.technician", { name: who })}</>;
    case "PRICE_OF_HOUR": return <>{t("proof.hour", { name: who })}</>;
    case "PRICE_OF_SKILL_HOUR": return <>{t("proof.skillHour", { skill: price.skill ?? "", name: who })}</>;
    case "PRICE_OF_WINDOW": return <>{t("proof.window")} <OfVisit visitId={price.appointmentId ?? ""} /></>;
    case "PRICE_OF_FREEZE": return <>{t("proof.freeze")} <OfVisit visitId={price.appointmentId ?? ""} /></>;
    default: return null;
  }
}

function Prices({ prices }: { prices: readonly ShadowPrice[] }) {
  const rows = shown.flatMap((kind) => prices.filter((price) => price.kind === kind).slice(0, perKind));
  if (rows.length === 0) return <p class="soft">{t("proof.noPrices")}</p>;
  return (
    <table>
      <caption>{t("proof.prices")}</caption>
      <tbody>
        {rows.map((price) => (
          <tr key={`${price.kind} ${price.skill} ${price.technicianId} ${price.appointmentId}`}>
            <th scope="row"><What price={price} /></th>
            <td>{t("proof.atMost", { time: secondsText(Number(price.seconds ?? "0")) })}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/* Asked when it opens, and again when the bound changes while it is open. */
function Body() {
  const it = day.value;
  const bound = it?.solver.bound ?? null;
  const about = it === null ? "" : `${it.territoryId} ${it.serviceDay}`;
  const { reply, failed } = useAsked("ShadowPrices",
    { territoryId: it?.territoryId ?? "", serviceDay: String(it?.serviceDay ?? 0), count: perKind },
    about, String(bound?.lowerSeconds));
  return (
    <>
      {bound !== null && <Meaning bound={bound} />}
      {failed !== "" && <p class="bad" role="alert">{failed}</p>}
      {reply !== null && <Prices prices={reply.prices ?? []} />}
    </>
  );
}

export function Proof() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (proofOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [proofOpen.value]);
  return (
    <dialog class="proof" ref={dialog} aria-labelledby="proof-title"
      onClose={() => { proofOpen.value = false; }}>
      <h2 id="proof-title">{t("proof.title")}</h2>
      {proofOpen.value && <Body />}
      <button type="button" class="primary" onClick={() => { proofOpen.value = false; }}>
        {t("keys.close")}
      </button>
    </dialog>
  );
}

/* What one order costs the plan, in the order's drawer. Null: nothing is known of it. */
export function useWorth(visitId: string): { serving: number | null; window: number | null } {
  const it = day.value;
  const bound = it?.solver.bound ?? null;
  const { reply } = useAsked("ShadowPrices",
    { territoryId: it?.territoryId ?? "", serviceDay: String(it?.serviceDay ?? 0), appointmentId: visitId, count: 1 },
    bound === null ? "" : visitId, String(bound?.lowerSeconds));
  const of = (kind: ShadowPriceKind) => {
    const price = reply?.prices?.find((one) => one.kind === kind);
    return price === undefined ? null : Number(price.seconds ?? "0");
  };
  return { serving: of("PRICE_OF_VISIT"), window: of("PRICE_OF_WINDOW") };
}
