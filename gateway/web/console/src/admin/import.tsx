/* import.tsx - technicians, orders and addresses from CSV files: looked at first, then taken. */
import { useState } from "preact/hooks";
import { call } from "@callout/shared/client";
import { Icon } from "@callout/shared/icons";
import { t, tMaybe, tn } from "@callout/shared/i18n";
import { who } from "@callout/shared/session";
import { territory } from "../model/store.ts";
import { lookAt, readFile, sendAddresses, sendRows, type Kind, type Looked, type Trouble } from "./import_run.ts";
import { problemText } from "../edit/problem.ts";

type State = { kind: "idle" } | { kind: "busy"; text: string } | { kind: "failed"; text: string }
  | { kind: "looked"; looked: Looked } | { kind: "done"; text: string; refused: readonly Trouble[] };

const remedyOf = (column: string) => {
  const name = `remedy.${column}`, text = tMaybe(name);
  return text === name ? "" : text;
};

function Troubles({ troubles, count }: { troubles: readonly Trouble[]; count: number }) {
  return (
    <section class="card"><h3><span class="bad"><Icon name="failed" /></span>{tn("import.troubles", count)}</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label={tn("import.troubles", count)}>
      <table class="table"><thead><tr>{(["import.line", "import.column", "import.what", "import.remedy"] as const)
        .map((name) => <th key={name} scope="col">{t(name)}</th>)}</tr></thead>
        <tbody>{troubles.map((one, index) => (
          <tr key={index}><th scope="row">{one.line === 0 ? t("import.file") : one.line}</th><td><code>{one.column}</code></td>
            <td>{one.text}</td><td>{remedyOf(one.column)}</td></tr>))}</tbody></table></div>
      {count > troubles.length && <p class="soft">{t("import.andMore", { count: count - troubles.length })}</p>}
    </section>
  );
}

function LookedAt({ kind, looked, take }: { kind: Kind; looked: Looked; take: () => void }) {
  const isAdmin = who.value?.role === "admin";
  const barred = looked.newSkills.length > 0 && !isAdmin;
  const count = kind === "addresses" ? looked.addresses.length : looked.rows.length;
  return (
    <>
      <section class="card" role="status"><h3>{t("import.looked")}</h3>
        {kind === "addresses" ? <p>{tn("import.addresses", count)}</p>
          : <p class="counts" data-fresh={looked.fresh} data-changed={looked.changed} data-same={looked.same}>
            <span>{tn("import.fresh", looked.fresh)}</span><span>{tn("import.changed", looked.changed)}</span>
            <span>{tn("import.same", looked.same)}</span></p>}
        {looked.newSkills.length > 0 && <p class={barred ? "bad" : ""}>
          {t(barred ? "import.skillsBarred" : "import.skillsAdded", { names: looked.newSkills.join(", ") })}</p>}
        {looked.troubleCount > 0 ? <p class="bad">{t("import.mend")}</p>
          : count === 0 ? <p>{t("import.nothing")}</p>
          : <p><button type="button" class="primary" disabled={barred} onClick={take}>{tn("import.take", count)}</button></p>}
      </section>
      {looked.troubleCount > 0 && <Troubles troubles={looked.troubles} count={looked.troubleCount} />}
    </>
  );
}

async function addSkills(names: readonly string[]): Promise<void> {
  const here = territory.peek();
  if (names.length === 0 || here === null) return;
  await call("UpsertTerritory", { territory: { territoryId: here.id, name: here.name, timeZone: here.zone }, skillNames: [...names] });
}

export function Import() {
  const [kind, setKind] = useState<Kind>("orders");
  const [state, setState] = useState<State>({ kind: "idle" });
  const isAdmin = who.value?.role === "admin", id = territory.value?.id ?? "";
  const kinds: Kind[] = isAdmin ? ["orders", "technicians", "addresses"] : ["orders", "technicians"];
  const progress = (name: "import.looking" | "import.sending") => (done: number, all: number) =>
    setState({ kind: "busy", text: t(name, { done, all }) });

  async function settle(work: () => Promise<State>): Promise<void> {
    try {
      setState(await work());
    } catch (error) {
      setState({ kind: "failed", text: problemText(error) });
    }
  }
  const look = (file: File) => void settle(async () =>
    ({ kind: "looked", looked: await lookAt(kind, await readFile(file), id, progress("import.looking")) }));
  const take = (looked: Looked) => void settle(async () => {
    if (kind === "addresses") {
      const { added, moved, same, count } = await sendAddresses(looked.addresses, progress("import.sending"));
      return { kind: "done", text: t("import.addressesDone", { added, moved, same, count }), refused: [] };
    }
    await addSkills(looked.newSkills);
    const { sent, refused } = await sendRows(looked.rows, progress("import.sending"));
    return { kind: "done", text: tn("import.done", sent, { same: looked.same }), refused };
  });

  return (
    <div class="cards">
      <section class="card"><h3>{t("import.title")}</h3>
        <p>{t("import.hint")}</p>
        <div class="line">
          <label>{t("import.kind")}<select value={kind} onChange={(event) => {
            setKind(event.currentTarget.value as Kind);
            setState({ kind: "idle" });
          }}>{kinds.map((one) => <option key={one} value={one}>{t(`import.${one}`)}</option>)}</select></label>
          <label>{t("import.choose")}<input type="file" accept=".csv,text/csv" disabled={state.kind === "busy"}
            onChange={(event) => {
              const file = event.currentTarget.files?.[0];
              event.currentTarget.value = ""; // the same file may be chosen again
              if (file !== undefined) look(file);
            }} /></label>
        </div>
        <p class="soft">{t("import.columns")} <code>{t(`columns.${kind}`)}</code></p>
      </section>
      {state.kind === "busy" && <p class="card" role="status">{state.text}</p>}
      {state.kind === "failed" && <p class="card bad" role="alert">{state.text}</p>}
      {state.kind === "looked" && <LookedAt kind={kind} looked={state.looked} take={() => take(state.looked)} />}
      {state.kind === "done" && <p class="card" role="status" data-import-done>{state.text}</p>}
      {state.kind === "done" && state.refused.length > 0 && <Troubles troubles={state.refused} count={state.refused.length} />}
    </div>
  );
}
