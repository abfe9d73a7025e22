// The frame around every view: top bar, navigation, the state of the connection, and what lies over all.
import { html, useEffect, useLayoutEffect, useRef, useState, cls } from "../lib.js";
import { DRAFTS, app, can, isAdmin, loadSession, mine, reopen, session, set, settings, store, unseen, useConn, useStore, useTopics, write } from "../app.js";
import * as api from "../api.js";
import { num, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { go, href, moved } from "../router.js";
import * as time from "../time.js";
import { VIEWS } from "../views.js";
import { Dialog, Menu } from "./dialog.js";
import { Icon, Text, arrival, at, useAgain } from "./bits.js";
import { Logo } from "./icons.js";
import { THEMES, cycleTheme } from "./theme.js";
import { Toasts, toast } from "./toast.js";

export function Shell({ team, view, children }) {
  useTopics("session", "settings");
  const [over, setOver] = useState("");
  const close = () => setOver("");
  app.signIn = () => setOver("signin");
  app.showKeys = () => setOver("keys");
  useKeys({
    "/": () => setOver("palette"), "mod+k": () => setOver("palette"), "?": () => setOver("keys"), t: cycleTheme,
    f: () => document.querySelector("main #filter")?.focus() ?? false,
    " ": () => (team && store.ready ? store.pause(!store.paused) : false),
    c: () => (team && can("dispatch") ? go(at(["directives"], { new: 1 })) : false),
    n: () => (team && can("dispatch") ? go(at(["tasks"], { new: 1 })) : false),
    ...Object.fromEntries(team ? VIEWS.map((v) => [`g ${v.key}`, () => go(at(v.name ? [v.name] : []))]) : []),
  });
  useEffect(() => {
    const id = setTimeout(() => palette().catch(() => {}), 2000); // so that it is there when it is wanted
    return () => clearTimeout(id);
  }, []);
  const needed = session.needed || over === "signin";
  return html`<div class="shell">
    <a class="skip" href="#main" data-native onClick=${(e) => { e.preventDefault(); document.querySelector("main h1, main")?.focus(); }}>
      ${t("skip")}</a>
    <header class="top">
      <a class="brand" aria-label="ATMcp" href=${href(team ? ["t", team] : [])}><${Logo} /><span>ATMcp</span></a>
      ${team && html`<${TeamMenu} team=${team} />`}
      <button class="jump" onClick=${() => setOver("palette")} aria-label=${t("palette.title")}><${Icon} name="search" /><span>${t("palette.short")}
        </span><kbd>/</kbd></button>
      <div class="end">${team && html`<${Pill} />`}<${UserMenu} /></div>
    </header>
    ${team ? html`<${Nav} view=${view} />` : html`<nav class="nav" aria-label=${t("nav.label")}><a href=${href(["teams"])}
      aria-current=${view === "teams" ? "page" : undefined}><${Icon} name="teams" /><span>${t("nav.teams")}</span></a></nav>`}
    <${Main} view=${view}>${children}</${Main}>
    ${team && html`<${BottomBar} view=${view} onMore=${() => setOver("more")} />`}
    <${Toasts} /><div id="say" class="vh" aria-live="polite"></div>
    ${over === "palette" && html`<${Late} load=${palette} onClose=${close} />`}
    ${over === "keys" && html`<${Keys} onClose=${close} />`}
    ${over === "more" && html`<${More} onClose=${close} />`}
    ${needed && html`<${Late} load=${signIn} onClose=${session.needed && !store.ready ? undefined :
      () => { session.needed = false; close(); store.touch("session"); }} />`}
  </div>`;
}

const palette = () => import("./palette.js");
const signIn = () => import("./signin.js");

/** Late is a part that is loaded when it is first wanted. */
function Late({ load, ...props }) {
  const [part, setPart] = useState(null);
  useEffect(() => void load().then(setPart, (e) => toast(String(e.message || e), "bad")), [load]);
  return part && html`<${part.default} ...${props} />`;
}

const places = new Map(); // how far down the reader was, by address
const FILL = new Set(["tasks", "activity", "directives", "agents"]);

function Main({ view, children }) {
  const ref = useRef();
  const first = useRef(true);
  useLayoutEffect(() => {
    if (!first.current) {
      const title = ref.current.querySelector("[data-focus]");
      const top = moved.back ? places.get(location.href) || 0 : 0;
      arrival.due = !title; // the view may still be on its way
      arrival.top = title ? 0 : top;
      ref.current.scrollTop = top;
      (title || ref.current).focus({ preventScroll: true });
    }
    first.current = false;
  }, [view]);
  return html`<main class=${cls("view", FILL.has(view) && "fill")} id="main" tabindex="-1" ref=${ref}
    onScroll=${() => places.set(location.href, ref.current.scrollTop)}><${Banner} />${children}</main>`;
}

const GRACE_MS = 1500; // a line that is back so soon is not worth a banner

function Banner() {
  const conn = useConn();
  const again = useAgain();
  useTopics("session");
  const grace = conn.name === "reconnecting" ? conn.since + GRACE_MS - Date.now() : 0;
  useEffect(() => {
    if (grace <= 0) return;
    const id = setTimeout(again, grace);
    return () => clearTimeout(id);
  });
  const fine = !store.ready || grace > 0 || ["live", "connecting", "idle"].includes(conn.name);
  if (fine && app.skew) return html`<div class="banner" role="status"><${Icon} name="info" />${t("banner.skew")}
    <button class="btn s" onClick=${() => location.reload()}>${t("banner.reload")}</button></div>`;
  if (fine) return null;
  const key = { signedout: "banner.signedout", gone: "banner.gone" }[conn.name] || "banner.stale";
  return html`<div class="banner" role="status"><${Icon} name="warn" />${t(key, { time: time.hms(conn.since || Date.now()) })}
    ${conn.name !== "signedout" && conn.name !== "gone" && html`<button class="btn s" onClick=${() => reopen()}>${t("banner.now")}</button>`}
    ${conn.name === "signedout" && html`<button class="btn s" onClick=${app.signIn}>${t("signin.title")}</button>`}</div>`;
}

/** Pill says whether what is seen is what is. */
function Pill() {
  const ref = useRef();
  const conn = useConn();
  const paused = useStore(() => store.paused && store.unseen + 1, "pause");
  useTopics("conn");
  // The rate and the countdown change by themselves: they are written, not rendered.
  useLayoutEffect(() => time.ticker.add(() => {
    if (!ref.current) return;
    const text = conn.name === "live" ? t("pill.rate", { v: num(Math.round(store.rate())) }) : conn.name === "reconnecting" && conn.at > Date.now() ?
      t("pill.in", { v: Math.ceil((conn.at - Date.now()) / 1000) }) : "";
    ref.current.textContent = text;
  }), [conn]);
  const toggle = html`<button type="button" class="btn quiet icon s" aria-pressed=${Boolean(paused)}
    aria-label=${t(paused ? "cmd.resume" : "cmd.pause")} title=${t(paused ? "cmd.resume" : "cmd.pause")} onClick=${() => store.pause(!store.paused)}>
      <${Icon} name=${paused ? "play" : "pause"} /></button>`;
  if (paused && conn.name === "live") return html`<span class="row" role="group" aria-label=${t("pill.label")}><span class="pill held"><${Icon}
    name="pause" size="12" />${t("pill.paused")} <span class="n" key="new">${t("pill.new", { n: paused - 1 })}</span></span>${toggle}</span>`;
  if (conn.name === "live" && app.target > store.head) return html`<span class="pill busy"><${Sign} name="half" />${t("pill.catching")} <span
    class="n" key="way">${num(store.head)} → ${num(app.target)}</span></span>`;
  const [tone, sign, text] = {
    live: ["live", "full", "pill.live"], idle: ["busy", "half", "pill.connecting"], connecting: ["busy", "half", "pill.connecting"],
      reconnecting: ["busy", "empty", "pill.reconnecting"],
    asleep: ["busy", "empty", "pill.asleep"], offline: ["down", "bad", "pill.offline"], signedout: ["down", "lock", "pill.signedout"],
      gone: ["down", "bad", "pill.gone"],
  }[conn.name] || ["busy", "empty", "pill.connecting"];
  return html`<span class="row" role="group" aria-label=${t("pill.label")}><span class=${`pill ${tone}`}
    title=${conn.transport ? t(`transport.${conn.transport}`) : ""}>
    <${Sign} name=${sign} />${t(text)} <span class="n" key="rate" ref=${ref}></span>
      ${conn.name === "reconnecting" && html`<button onClick=${() => app.stream?.nudge()}>${t("pill.now")}</button>`}</span>
    ${conn.name === "live" && toggle}</span>`;
}

function Sign({ name }) {
  if (name === "bad" || name === "lock") return html`<${Icon} name=${name} size="12" />`;
  return html`<svg width="10" height="10" viewBox="0 0 10 10" aria-hidden="true">
    <circle cx="5" cy="5" r="4" fill=${name === "full" ? "currentColor" : "none"} stroke="currentColor" stroke-width="1.5" />
    ${name === "half" && html`<path d="M5 1a4 4 0 0 0 0 8z" fill="currentColor" />`}</svg>`;
}

function Nav({ view }) {
  useTopics("counts", "agents", "tasks", "goals", "directives", "attention");
  const hot = unseen();
  return html`<nav class="nav" aria-label=${t("nav.label")}>${VIEWS.map((v, i) => html`
    ${v.later && !VIEWS[i - 1].later && html`<hr key="hr" />`}
    <a key=${v.name} href=${at(v.name ? [v.name] : [])} aria-current=${v.name === view ? "page" : undefined} title=${t(v.label)}><${Icon}
      name=${v.icon} /><span>${t(v.label)}</span>
      ${v.name === "" && hot > 0 && html`<span class="n hot" title=${t("attention.n", { n: hot })}>${num(hot)}</span>`}
      ${v.count && store.ready && v.count(store) > 0 && html`<span class="n">${num(v.count(store))}</span>`}</a>`)}</nav>`;
}

const BAR = ["", "tasks", "directives", "activity"];

function BottomBar({ view, onMore }) {
  useTopics("attention");
  const hot = unseen();
  return html`<nav class="bottom" aria-label=${t("nav.label")}>${BAR.map((name) => {
    const v = VIEWS.find((x) => x.name === name);
    return html`<a key=${name} href=${at(name ? [name] : [])} aria-current=${name === view ? "page" : undefined}><${Icon} name=${v.icon} size="18" />
      ${t(name === "directives" ? "nav.send" : v.label)}
      ${name === "" && hot > 0 && html`<span class="hot">${num(hot)}</span>`}</a>`;
  })}<button type="button" onClick=${onMore} aria-haspopup="dialog"><${Icon} name="menu" size="18" />${t("nav.more")}</button></nav>`;
}

function More({ onClose }) {
  return html`<${Dialog} title=${t("nav.more")} onClose=${onClose}><div class="body more">
    ${VIEWS.filter((v) => !BAR.includes(v.name)).map((v) => html`
    <a key=${v.name} class="btn" href=${at([v.name])} onClick=${onClose}><${Icon} name=${v.icon} />${t(v.label)}</a>`)}
    <a class="btn" href=${href(["teams"])} onClick=${onClose}><${Icon} name="teams" />${t("nav.teams")}</a></div></${Dialog}>`;
}

function TeamMenu({ team }) {
  const [teams, setTeams] = useState([]);
  useEffect(() => {
    api.get(["api", "overview"], { limit: 50 }).then((r) => setTeams(r.teams),
      () => setTeams(session.sessions.filter((s) => s.team).map((s) => ({ team: s.team }))));
  }, [team, session.sessions]);
  const items = [...teams.filter((x) => !x.archived).map((x) => ({ label: x.team, on: x.team === team, run: () => go(href(["t", x.team])) })),
    { label: t("nav.allteams"), icon: "teams", run: () => go(href(["teams"])) }];
  return html`<${Menu} label=${t("team.switch", { team })} class="btn quiet team" items=${items}><span class="cut"><${Text} of=${team} /></span>
    <${Icon} name="chevdown" size="12" /></${Menu}>`;
}

function UserMenu() {
  useTopics("session", "settings");
  const me = mine() || session.sessions[0];
  const name = !me ? t("who.nobody") : me.role === "admin" ? t("who.admin") : me.name || t(`role.${me.role}`);
  const items = [
    ...THEMES.map((x) => ({ label: t(`theme.${x}`), icon: x === "system" ? "theme" : undefined, on: settings.theme === x,
      run: () => set({ theme: x }) })),
    { label: document.documentElement.lang === "zh-CN" ? "English" : "简体中文", icon: "settings",
      run: () => set({ locale: document.documentElement.lang === "zh-CN" ? "en" : "zh-CN" }) },
    { label: t("cmd.keys"), icon: "info", run: app.showKeys },
    { label: t("signin.title"), icon: "lock", run: () => app.signIn() },
    session.sessions.length > 0 && { label: t("signout"), icon: "close", run: signOut },
  ];
  return html`<${Menu} label=${t("who.label", { name })} class="btn quiet who" items=${items}><${Icon} name=${isAdmin() ? "lock" : "user"} />
    <span class="desk cut">${name}</span></${Menu}>`;
}

async function signOut() {
  await api.del(["api", "session"]);
  write(DRAFTS, [], "sessionStorage");
  await loadSession();
  location.reload();
}

const SHEET = [
  ["keys.move", [["/", "keys.palette"], ["?", "keys.sheet"], ["Esc", "keys.close"], ["j k", "keys.rows"], ["Enter", "keys.open"],
    ["[ ]", "keys.neighbours"], ["f", "keys.filter"]]],
  ["keys.go", VIEWS.map((v) => [`g ${v.key}`, v.label])],
  ["keys.act", [["c", "cmd.directive"], ["n", "cmd.task"], ["m", "keys.menu"], ["x", "keys.select"], ["Space", "keys.pause"],
    ["Shift ↑ ↓", "keys.cycle"], ["t", "keys.theme"]]],
];

function Keys({ onClose }) {
  return html`<${Dialog} title=${t("keys.title")} onClose=${onClose} class="sheet"><div class="body"><div class="cols">
    ${SHEET.map(([head, rows]) => html`<section key=${head}><h3>${t(head)}</h3>
    <dl class="keys">${rows.map(([key, text]) => html`<div key=${key}><dt>${key.split(" ").map((k) => html`<kbd>${k}</kbd> `)}</dt><dd>${t(text)}</dd>
      </div>`)}</dl></section>`)}</div>
    <label class="check"><input type="checkbox" checked=${settings.keys} onChange=${(e) => set({ keys: e.target.checked })} />${t("keys.on")}</label>
      </div></${Dialog}>`;
}
