/* login.tsx - name and password. What is wrong is said without telling which of the two. */
import { useState } from "preact/hooks";
import { Refused } from "@callout/shared/client";
import { t } from "@callout/shared/i18n";
import { logIn } from "@callout/shared/session";

function explain(error: unknown): string {
  if (!(error instanceof Refused)) return t("login.unreachable");
  if (error.status === "RATE" || error.status === "BUSY") return t("login.rate");
  return error.status === "UNAUTH" || error.status === "INVALID" ? t("login.wrong") : error.message;
}

export function Login() {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setProblem("");
    try {
      await logIn(String(form.get("name")), String(form.get("password")));
    } catch (error) {
      setProblem(explain(error));
      setBusy(false);
    }
  }

  return (
    <main class="login">
      <form class="login-card" onSubmit={(event) => void submit(event)}>
        <h1><span class="mark" aria-hidden="true" />{t("app.name")}</h1>
        <label>{t("login.name")}
          <input name="name" autocomplete="username" required maxLength={64} autofocus
            autocapitalize="none" spellcheck={false} />
        </label>
        <label>{t("login.password")}
          <input name="password" type="password" autocomplete="current-password" required
            maxLength={1024} />
        </label>
        <p class="login-problem" role="alert">{problem}</p>
        <button class="primary" type="submit" disabled={busy}>{t("login.submit")}</button>
      </form>
    </main>
  );
}
