// What the reader chose, in this browser; how the page fares; and what it is made of.
import { html, useState } from "../lib.js";
import { app, can, isAdmin, mine, session, set, settings, store, useTopics } from "../app.js";
import { num, t } from "../i18n.js";
import { MOUNT, href } from "../router.js";
import * as time from "../time.js";
import { Copy, Head, Icon, Segments } from "../ui/bits.js";
import { useEvery } from "../ui/chart.js";
import { Panel } from "../ui/panel.js";
import { THEMES } from "../ui/theme.js";

const LANGUAGES = [["", ""], ["en", "English"], ["zh-CN", "简体中文"]];

export default function Settings({ team }) {
  useTopics("settings", "session", "conn");
  const choice = (name, items) => html`<div class="choice"><span class="lab" id=${`s-${name}`}>${t(`settings.${name}`)}</span><${Segments} label=${t(`settings.${name}`)} value=${settings[name]} onChange=${(v) => set({ [name]: v })} items=${items} /></div>`;
  return html`<${Head} title=${t("nav.settings")} sub=${t("settings.here")} />
    <div class="cols"><div class="stack">
      <${Panel} id="s-look" title=${t("settings.look")}><div class="stack">
        ${choice("theme", THEMES.map((x) => [x, t(x === "system" ? "settings.system" : `theme.${x}`)]))}
        ${choice("locale", LANGUAGES.map(([v, name]) => [v, name || t("settings.system")]))}
        ${choice("density", [["cards", t("density.cards")], ["rows", t("density.rows")]])}
        ${choice("time", ["relative", "absolute", "utc"].map((x) => [x, t(`settings.time.${x}`)]))}
        <p class="small muted">${t("settings.sample", { when: time.when(time.now() - 400_000), full: time.full(time.now()) })}</p></div></${Panel}>
      <${Panel} id="s-act" title=${t("settings.acts")}><div class="stack"><div>
        <label class="check"><input type="checkbox" checked=${settings.keys} onChange=${(e) => set({ keys: e.target.checked })} />${t("settings.keys")}</label>
        <p class="small muted">${t("settings.keyshint")} <button class="link" onClick=${() => app.showKeys()}>${t("cmd.keys")}</button></p></div>
        <${Notify} /></div></${Panel}>
      <${Panel} id="s-about" title=${t("settings.about")}><div class="stack"><p>${t("settings.what")}</p>
        <dl class="dl"><dt>${t("settings.server")}</dt><dd>${app.server || meta("atmcp-version") || "–"}</dd><dt>Preact</dt><dd>MIT</dd><dt>htm</dt><dd>Apache-2.0</dd></dl>
        <p><a class="btn s" href=${new URL("licenses", MOUNT).href} data-native target="_blank" rel="noreferrer"><${Icon} name="link" />${t("settings.licences")}</a></p></div></${Panel}></div>
      <div class="stack"><${Session} team=${team} /><${Diagnostics} team=${team} /></div></div>`;
}

const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;

/** Notify turns notifications on, if the browser lets it. */
function Notify() {
  const there = "Notification" in globalThis;
  const [state, setState] = useState(there ? Notification.permission : "none");
  const toggle = async (e) => {
    const on = e.target.checked;
    const now = on && state === "default" ? await Notification.requestPermission() : state;
    setState(now);
    set({ notify: on && now === "granted" });
  };
  return html`<div><label class="check"><input type="checkbox" checked=${settings.notify && state === "granted"} disabled=${state === "denied" || state === "none"} onChange=${toggle} />${t("settings.notify")}</label>
    <p class="small muted">${t(state === "denied" ? "settings.denied" : state === "none" ? "settings.nonotify" : "settings.notifyhint")}</p></div>`;
}

function Session({ team }) {
  const me = mine(team);
  const rights = ["read", "dispatch", "console", "admin"].filter((s) => can(s, team));
  return html`<${Panel} id="s-session" title=${t("settings.session")} end=${html`<button class="btn s" onClick=${() => app.signIn()}><${Icon} name="lock" />${t("signin.title")}</button>`}>
    <div class="stack">${session.sessions.length === 0 ? html`<p class="muted">${t(session.openReads ? "settings.open" : "who.nobody")}</p>`
      : html`<ul class="rowlist inset">${session.sessions.map((s, i) => html`<li key=${i}><span class="sp cut"><strong>${s.name || (s.role === "admin" ? t("who.admin") : t(`role.${s.role}`))}</strong> <span class="muted">${[s.team, s.name && t(`role.${s.role}`)].filter(Boolean).join(" · ")}</span></span>
        ${s === me && html`<span class="badge ok">${t("settings.used")}</span>`}<span class="small muted nowrap">${t("settings.until", { time: time.full(s.expires_at).slice(0, -3) })}</span></li>`)}</ul>`}
      <p class="row wrap"><span class="small muted">${t("settings.rights")}</span>${rights.map((r) => html`<span class="chip" key=${r}>${t(`scope.${r}`)}</span>`)}</p>
      ${isAdmin() && team && html`<p><a class="btn s" href=${href(["teams"], { tokens: team })}><${Icon} name="teams" />${t("settings.tokens")}</a></p>`}</div></${Panel}>`;
}

/** Diagnostics are what to send along with a complaint. They hold no secret. */
function Diagnostics({ team }) {
  useEvery(2000);
  const s = app.stats;
  const rows = [
    ["server", app.server || "–"], ["page", document.documentElement.dataset.assets || "–"], ["team", team], ["state", `${app.conn.name}${app.conn.transport ? ` (${app.conn.transport})` : ""}`],
    ["head", String(store.head)], ["rate", t("pill.rate", { v: num(Math.round(store.rate() * 10) / 10) })], ["clock", t("time.ms", { n: Math.round(time.now() - Date.now()) || 0 })], ["reconnects", num(app.stream?.reconnects || 0)],
    ["gaps", num(s.gaps)], ["snapshots", num(s.snapshots)], ["violations", num(s.violations)], ["rows", `${num(store.tasks.size)} / ${num(store.agents.size)} / ${num(store.feed.length)}`], ["nodes", num(document.querySelectorAll("*").length)],
  ];
  const report = () => [...rows.map(([k, v]) => `${k}: ${v}`), `browser: ${navigator.userAgent}`, `at: ${new Date().toISOString()}`].join("\n");
  return html`<${Panel} id="s-diag" title=${t("settings.diag")} end=${html`<${Copy} words text=${report} label=${t("settings.report")} />`}>
    <dl class="dl">${rows.map(([k, v]) => html`<dt key=${k}>${t(`diag.${k}`)}</dt><dd key=${`${k}.v`}>${v}</dd>`)}</dl></${Panel}>`;
}
