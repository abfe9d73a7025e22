// The page begins here: settings, language, session, and then whatever the address asks for.
import { html, render, useEffect, useState } from "./lib.js";
import { app, applySettings, attention, closeTeam, loadSession, openTeam, session, set, settings, store, unseen, useStore,
  useTopics } from "./app.js";
import * as api from "./api.js";
import { load, pick, t } from "./i18n.js";
import { startKeys } from "./keys.js";
import { go, href, parse, start as startRouter, useRoute } from "./router.js";
import { Command, Empty, Failed, Head, Skeleton } from "./ui/bits.js";
import { Guard } from "./ui/panel.js";
import { Shell } from "./ui/shell.js";
import { toast } from "./ui/toast.js";
import { TEAMS, viewOf } from "./views.js";

function App() {
  const { parts, query } = useRoute();
  useTopics("session", "settings", "locale");
  const team = parts[0] === "t" && parts[1];
  const name = team ? parts[2] || "" : parts[0] || "";
  useEffect(() => {
    if (team) openTeam(team);
    else closeTeam();
  }, [team]);
  useEffect(() => {
    if (!team && !name) home();
  }, [team, name, session.sessions]);
  const view = team ? viewOf(name) : name === "teams" ? TEAMS : null;
  useTitle(team, view);
  if (!team && !name) return html`<${Shell} view=""><${Home} /></${Shell}>`;
  return html`<${Shell} team=${team} view=${team ? name : "teams"}>
    ${team && !store.ready ? html`<${Opening} />` : html`<${View} key=${team ? `${team}/${name}` : name} view=${view} team=${team}
      rest=${parts.slice(3)} query=${query} />`}</${Shell}>`;
}

/** Opening stands until a team is there, or says why it is not. */
function Opening() {
  useTopics("conn", "session");
  const ready = useStore(() => store.ready, "all");
  if (ready) return null;
  return html`<${Head} title=${app.team} /><${Waiting} />`;
}

function Waiting() {
  if (app.error?.status === 404) return html`<${Empty} text=${t("error.noteam")}><a class="btn" href=${href(["teams"])}>${t("nav.allteams")}</a>
    </${Empty}>`;
  if (app.error && app.error.status !== 401) return html`<${Failed} error=${app.error} />`;
  return session.needed ? html`<${Empty} text=${t("signin.needed")} />` : html`<${Skeleton} rows="8" />`;
}

function View({ view, ...props }) {
  const [module, setModule] = useState(null);
  const [error, setError] = useState(null);
  useEffect(() => {
    if (!view) return;
    view.load().then(setModule, setError);
  }, [view]);
  if (!view) return html`<${Head} title=${t("error.title")} /><${Empty} text=${t("error.notfound")}>
    <a class="btn" href=${href(props.team ? ["t", props.team] : [])}>${t("error.up")}</a></${Empty}>`;
  if (error) return html`<${Failed} error=${error} again=${() => location.reload()} />`;
  return module ? html`<${Guard} name=${t(view.label || "nav.teams")}><${module.default} ...${props} /></${Guard}>` : html`<${Skeleton} />`;
}

/** Home is where nobody said which team: the only one there is, else the list, else a sign-in. */
function Home() {
  useTopics("session");
  return html`<${Head} title="ATMcp" /><${Homeless} />`;
}

function Homeless() {
  if (app.homeless === "noteam") return html`<${Empty} text=${t("teams.none")}><${Command} of="atmcpd team create core" /></${Empty}>`;
  return app.homeless ? html`<${Empty} text=${t("signin.needed")}><button class="btn primary" onClick=${() => app.signIn()}>${t("signin.title")}
    </button></${Empty}>` : html`<${Skeleton} />`;
}

async function home() {
  try {
    const { teams, admin, open_reads: open } = await api.get(["api", "overview"], { limit: 2 });
    const there = teams.filter((x) => !x.archived);
    if (there.length === 1) return go(href(["t", there[0].team]), { replace: true });
    if (there.length > 1 || admin) return go(href(["teams"]), { replace: true });
    app.homeless = open ? "noteam" : "stranger";
  } catch {
    app.homeless = "stranger";
  }
  if (app.homeless === "stranger") session.needed = true;
  store.touch("session");
}

function useTitle(team, view) {
  const hot = useStore(() => (team ? unseen() : 0), "attention");
  useEffect(() => {
    const where = team ? `${view?.name ? `${t(view.label)} · ` : ""}${team} · ` : "";
    document.title = `${hot ? `(${hot}) ` : ""}${where}ATMcp`;
    const icon = new URL(hot ? "../icon-alert.svg" : "../icon.svg", import.meta.url).href;
    const link = document.querySelector('link[rel="icon"]');
    if (link.getAttribute("href") !== icon) link.href = icon; // whole: browsers look it up again when the address changes
  });
}

// Notifications, if they were asked for: once an hour for the same thing.
const told = new Map();
app.onAttention = (items) => {
  if (!settings.notify || !("Notification" in globalThis) || Notification.permission !== "granted" || !document.hidden) return;
  for (const i of items) {
    if (i.severity === "low" || attention.seen.has(i.id) || Date.now() - (told.get(i.id) || 0) < 3_600_000) continue;
    told.set(i.id, Date.now());
    new Notification(t("app.name", { team: app.team }),
      { body: t(`attention.${i.rule}`, { title: i.title || "", number: i.number || "", agent: i.agent_name || "", n: i.count || 0 }), tag: i.id });
  }
};
app.onRestart = () => toast(t("toast.restarted"), "info");
app.onSignedIn = () => !app.team && home();

let wanted = "";
async function speak() {
  const locale = pick(settings.locale, navigator.languages);
  if (locale === wanted) return;
  wanted = locale;
  await load(locale);
  document.documentElement.lang = locale;
  store.touch("all", "locale");
}

/** enter exchanges the code of a link for a session; it stands behind the #, which goes to no server and no log. */
async function enter(words) {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return;
  history.replaceState(null, "", location.pathname + location.search);
  try {
    await api.post(["api", "session"], { code });
  } catch (e) {
    await words;
    toast(e.status === 401 ? t("signin.stale") : e.message, "bad");
  }
}

async function boot() {
  addEventListener("securitypolicyviolation", (e) => {
    app.stats.violations++;
    console.error("csp", e.violatedDirective, e.blockedURI);
  });
  applySettings();
  startRouter();
  startKeys();
  store.subscribe((dirty) => dirty.has("settings") && speak());
  const words = speak();
  await enter(words);
  const old = new URLSearchParams(location.search).get("team"); // a link of atmcpd open names the team so
  if (old && !parse().parts.length) go(href(["t", old]), { replace: true });
  // The words, the session and the team come at the same time.
  const known = loadSession().catch(() => {});
  const [kind, team] = parse().parts;
  if (kind === "t" && team) openTeam(team);
  await Promise.all([words, known]);
  render(html`<${App} />`, document.getElementById("app"));
}

// For a look under the hood, and for tests.
globalThis.atmcp = { app, store, session, settings, set };

boot();
