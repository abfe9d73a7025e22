// Signing in: a token for a cookie. The token is sent once and kept nowhere.
import { html, useState } from "../lib.js";
import { app, loadSession, reopen, session, store } from "../app.js";
import * as api from "../api.js";
import { t } from "../i18n.js";
import { Dialog } from "./dialog.js";
import { ErrorText, Icon } from "./bits.js";

export default function SignIn({ onClose }) {
  const [error, setError] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (e) => {
    e.preventDefault();
    const token = new FormData(e.target).get("token").trim();
    if (!token) return;
    setBusy(true);
    try {
      await api.post(["api", "session"], { token });
      await signedIn();
      onClose?.();
    } catch (err) {
      setError(err.status === 401 ? { message: t("signin.bad") } : err);
    }
    setBusy(false);
  };
  return html`<${Dialog} title=${t("signin.title")} onClose=${onClose}><form onSubmit=${submit}>
    <div class="body"><p class="muted">${t("signin.text")}</p>
      <div class="field"><label for="token">${t("signin.token")}</label>
        <input id="token" name="token" type="password" class="input w mono" autocomplete="off" spellcheck="false" required autofocus /></div>
      <${ErrorText} error=${error} />
      <details class="small muted"><summary>${t("signin.where")}</summary><p>${t("signin.how")} <code>atmcpd open</code></p></details></div>
    <footer>${onClose && html`<button type="button" class="btn" onClick=${onClose}>${t("cancel")}</button>`}
      <button class="btn primary" disabled=${busy}><${Icon} name="lock" />${t("signin.do")}</button></footer></form></${Dialog}>`;
}

/** signedIn goes on where the missing session had stopped the page. */
export async function signedIn() {
  session.needed = false;
  await loadSession();
  if (app.team) await reopen();
  app.onSignedIn?.();
  store.touch("session", "all");
}
