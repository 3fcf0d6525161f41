/* candidates.tsx - who could do it, best first: one press each, by pointer, arrows or digit. */
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "@callout/shared/icons";
import { t, tn } from "@callout/shared/i18n";
import { toNumber, usToMs } from "@callout/shared/units";
import type { Move } from "@callout/shared/wire";
import type { Visit } from "../model/day.ts";
import { day, zone } from "../model/store.ts";
import { useAsked } from "./asked.ts";
import { focusWish, offer, withdraw } from "./choice.ts";
import { assign } from "./edits.ts";
import { costLines, knockOnCount, signedMinutes, technicianName, verdictOf } from "./reasons.ts";

const shown = 6;

/* Whoever has it already at that time is no candidate. */
function isOther(move: Move, visit: Visit): boolean {
  return move.technicianId !== visit.technicianId ||
    Math.abs(usToMs(move.startUs) - visit.startMs) > 60_000;
}

function wordsOf(move: Move, visit: Visit): string {
  const { broken, late } = verdictOf(move, visit.id);
  return [technicianName(move.technicianId), zone.value.time(usToMs(move.startUs)),
    t("candidate.travel", { travel: signedMinutes(toNumber(move.costDelta?.travel)) }),
    ...broken, ...late].join(", ");
}

function Row({ move, visit, number }: { move: Move; visit: Visit; number: number }) {
  const { broken, late } = verdictOf(move, visit.id);
  const cost = costLines(move.costDelta).map((line) => `${line.label} ${line.text}`).join(" · ");
  const choose = () => void assign(visit, move.technicianId ?? "", 0, move);
  return (
    <tr class="candidate" data-fits={broken.length === 0} onClick={choose} title={cost}>
      <th scope="row">
        <button type="button" class="candidate-name" aria-label={wordsOf(move, visit)}
          aria-keyshortcuts={String(number)}
          onClick={(event) => { event.stopPropagation(); choose(); }}>
          <kbd aria-hidden="true">{number}</kbd>{technicianName(move.technicianId)}
        </button>
      </th>
      <td>{zone.value.time(usToMs(move.startUs))}</td>
      <td>{signedMinutes(toNumber(move.costDelta?.travel))}</td>
      <td class="candidate-effects">
        {broken.map((text) => <span key={text} class="bad"><Icon name="rule" />{text}</span>)}
        {late.map((text) => <span key={text} class="warn"><Icon name="late" />{text}</span>)}
        {broken.length === 0 && late.length === 0 && <span class="soft">{knockOnCount(move)}</span>}
      </td>
    </tr>
  );
}

function arrows(event: KeyboardEvent): void {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const table = event.currentTarget as HTMLElement;
  const buttons = [...table.querySelectorAll<HTMLButtonElement>(".candidate-name")];
  const at = buttons.findIndex((one) => one === document.activeElement);
  buttons[Math.max(0, Math.min(buttons.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))]?.focus();
  event.preventDefault();
  event.stopPropagation();
}

export function Candidates({ visit }: { visit: Visit }) {
  const place = useRef<HTMLTableElement>(null);
  const wanted = useRef(0);
  const { reply, failed } = useAsked("Candidates", { appointmentId: visit.id, count: shown + 1 }, visit.id,
    `${visit.version} ${day.value?.planVersion ?? 0}`);
  const moves = (reply?.candidates ?? []).filter((one) => isOther(one, visit)).slice(0, shown);
  useEffect(() => {
    if (reply !== null) offer(visit, moves);
    return withdraw;
  }, [reply, visit]);
  /* The focus that was wished for before they came. */
  useEffect(() => {
    if (focusWish.value === wanted.current || moves.length === 0) return;
    wanted.current = focusWish.value;
    place.current?.querySelector<HTMLButtonElement>(".candidate-name")?.focus();
  }, [focusWish.value, reply]);
  return (
    <section class="drawer-part" aria-busy={reply === null && failed === ""}>
      <h3>{t("candidate.title")}
        {reply !== null && <span class="soft">{tn("candidate.fitting", reply.fitting ?? 0,
          { all: reply.technicians ?? 0 })}</span>}</h3>
      {failed !== "" && <p class="bad">{failed}</p>}
      {reply === null && failed === "" && <p class="soft">{t("candidate.asking")}</p>}
      {moves.length > 0 &&
        <table class="candidates" ref={place} onKeyDown={arrows}>
          <thead><tr>
            <th scope="col">{t("candidate.who")}</th><th scope="col">{t("candidate.start")}</th>
            <th scope="col">{t("candidate.extra")}</th><th scope="col">{t("candidate.effects")}</th>
          </tr></thead>
          <tbody>{moves.map((move, index) =>
            <Row key={move.technicianId} move={move} visit={visit} number={index + 1} />)}</tbody>
        </table>}
      {reply !== null && moves.length === 0 && <p class="soft">{t("candidate.none")}</p>}
    </section>
  );
}
