// The small parts that all views share.
import { html, useEffect, useLayoutEffect, useReducer, useRef, useState, cls } from "../lib.js";
import { app, store, useStore } from "../app.js";
import { visible } from "../ansi.js";
import { label, num, t } from "../i18n.js";
import { href } from "../router.js";
import * as time from "../time.js";
import { DotIcon, Icon } from "./icons.js";

export { Icon };

/** at is the address of a place in the open team. */
export const at = (parts = [], query) => href(["t", app.team, ...parts], query);

/** Text is what an agent wrote: text and nothing else, in its own direction, with hidden controls made visible. */
export function Text({ of, class: name, as = "span" }) {
  if (of == null) return null;
  if (typeof of === "object") return html`<em class="muted">${t("text.long", { n: of.len || 0 })}</em>`;
  return html`<${as} dir="auto" class=${name}>${visible(String(of))}</${as}>`;
}

/** isolated is what an agent wrote for a place within a sentence of ours, which keeps its direction. */
export const isolated = (text) => (text ? `\u2068${visible(String(text))}\u2069` : "");

/** Rich is Text in which numbers of what the team has are links. */
export function Rich({ of }) {
  if (of == null || typeof of === "object") return html`<${Text} of=${of} />`;
  const parts = visible(String(of)).split(/(#\d{1,12}\b)/);
  return html`<div class="text" dir="auto">${parts.map((p, i) => (i % 2 ? html`<${NumberLink} number=${p} />` : p))}</div>`;
}

function NumberLink({ number }) {
  const to = placeOf(number);
  return to ? html`<a href=${to}>${number}</a>` : number;
}

/** placeOf is where what has a number is shown. */
export function placeOf(number) {
  const found = store.lookup(number);
  if (!found) return "";
  const id = number.replace("#", "");
  return { tasks: at(["tasks", id]), goals: at(["goals", id]), directives: at(["directives"], { id }) }[found[0]] || "";
}

export const agentName = (id) => {
  if (!id) return t("actor.hub");
  return store.agents.get(id)?.display_name || String(id);
};

/** actorName is agentName as it stands beside what was done: a person's console without the word. */
export const actorName = (id) => agentName(id).replace(/^console:(?=.)/, "");

export function Dot({ state }) {
  return html`<span class=${`dot ${state}`} title=${label("presence", state)}><${DotIcon} state=${state} /><span class="vh">
    ${label("presence", state)}</span></span>`;
}

/** Agent is the name of an actor, with its presence and a way to its page. */
export function Agent({ id, dot = true, link = true }) {
  const state = useStore(() => store.stateOf(id), `agent/${id}`);
  if (!id) return html`<span class="muted">${t("actor.hub")}</span>`;
  const known = store.agents.get(id);
  if (!known) return html`<span class="cut"><${Text} of=${id} /></span>`;
  const name = html`<${Text} of=${known.display_name} />`;
  return html`<span class="row cut">${dot && html`<${Dot} state=${state} />`}${link ? html`<a class="cut" title=${known.display_name}
    href=${at(["agents", known.display_name])}>${name}</a>` : html`<span class="cut" title=${known.display_name}>${name}</span>`}</span>`;
}

const TONE = {
  open: "", ready: "info", claimed: "purple", in_progress: "purple", active: "purple", blocked: "warn", done: "ok", failed: "bad", cancelled: "",
    canceled: "",
  pending: "info", running: "purple", delayed: "", expired: "warn", released: "",
};
const SIGN = { done: "check", failed: "bad", blocked: "block", running: "play", in_progress: "play", claimed: "play", active: "play",
  expired: "clock", delayed: "clock", pending: "clock" };

export function Status({ of, group = "status" }) {
  return html`<span class=${cls("badge", TONE[of])}>${SIGN[of] && html`<${Icon} name=${SIGN[of]} size="11" />`}${label(group, of)}</span>`;
}

/** useTick writes into an element once a second. */
function useTick(write, inputs) {
  const ref = useRef();
  useLayoutEffect(() => time.ticker.add(() => ref.current && write(ref.current)), inputs);
  return ref;
}

/** When is a moment: how long ago, with the whole of it as title. */
export function When({ ts, class: name }) {
  const ref = useTick((el) => (el.textContent = time.when(ts)), [ts]);
  return html`<time class=${name} datetime=${ts ? new Date(ts).toISOString() : undefined} title=${ts ? time.full(ts) : undefined} ref=${ref}></time>`;
}

/** Elapsed counts up from a moment. */
export function Elapsed({ since }) {
  const ref = useTick((el) => (el.textContent = time.clock(time.now() - since)), [since]);
  return html`<span><span ref=${ref} aria-hidden="true"></span><span class="vh">${t("time.since", { time: time.hms(since) })}</span></span>`;
}

/** Lease counts down to the end of a term. Who listens hears the moment and not the ticking. */
export function Lease({ entity, ttl, bar }) {
  const lease = useStore((s) => s.lease(entity), entity, "leases");
  const barRef = useRef();
  const expires = lease?.expires;
  const span = ttl ? ttl * 1000 : lease?.span;
  const ref = useTick((el) => {
    const l = time.left(expires, span);
    if (el.textContent !== l.text) el.textContent = l.text;
    el.className = cls("lease", l.level);
    if (barRef.current) barRef.current.style.width = `${Math.round((l.part || 0) * 100)}%`;
  }, [expires, span]);
  if (!lease) return html`<span class="muted">–</span>`;
  return html`<span class="row"><span class="vh">${t("lease.until", { time: time.hms(expires) })}</span>
    ${bar && html`<span class="bar sp" aria-hidden="true"><i ref=${barRef}></i></span>`}<span ref=${ref} aria-hidden="true"></span></span>`;
}

export function Progress({ value, label: name, big, tone }) {
  const pct = Math.max(0, Math.min(100, Math.round(value || 0)));
  const ref = useRef();
  useLayoutEffect(() => void (ref.current.style.width = `${pct}%`), [pct]);
  return html`<span class=${cls("bar", big && "big", tone)} role="progressbar" aria-valuenow=${pct} aria-valuemin="0" aria-valuemax="100"
    aria-label=${name || t("progress")}><i ref=${ref}></i></span>`;
}

export function Empty({ text, children }) {
  return html`<div class="empty"><p>${text}</p>${children}</div>`;
}

export function Skeleton({ rows = 5 }) {
  return html`<div class="skel" role="status" aria-label=${t("loading")}>${Array.from({ length: rows }, () => html`<i></i>`)}</div>`;
}

export function ErrorText({ error }) {
  return error ? html`<p class="err" role="alert"><${Icon} name="bad" />
    ${error.status === 0 ? t("error.unreachable") : error.message || String(error)}</p>` : null;
}

/** Failed stands where a list or a detail could not be loaded. */
export function Failed({ error, again }) {
  // The server's hint says what a model should call; a person has an address that leads nowhere.
  if (error?.status === 404 || error?.code?.startsWith("unknown_")) return html`<${Empty} text=${t("error.notfound")} />`;
  return html`<div class="empty"><${ErrorText} error=${error} />${again && html`<p><button class="btn" onClick=${again}><${Icon} name="retry" />
    ${t("retry")}</button></p>`}</div>`;
}

export function IconButton({ icon, label: name, class: more, small, ...rest }) {
  return html`<button type="button" class=${cls("btn quiet icon", small && "s", more)} aria-label=${name} title=${name} ...${rest}><${Icon}
    name=${icon} /></button>`;
}

export function Copy({ text, label: name = t("copy"), small = true, words }) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return;
    const id = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(id);
  }, [done]);
  const copy = async () => {
    await copyText(typeof text === "function" ? text() : text);
    setDone(true);
  };
  const icon = html`<${Icon} name=${done ? "check" : "copy"} />`;
  if (words) return html`<button type="button" class=${cls("btn", small && "s")} onClick=${copy}>${icon}${done ? t("copied") : name}</button>`;
  return html`<button type="button" class=${cls("btn quiet icon", small && "s")} aria-label=${done ? t("copied") : name} title=${name}
    onClick=${copy}>${icon}</button>`;
}

/** Command is something to type into a terminal. */
export const Command = ({ of }) => html`<p class="command"><code>${of}</code><${Copy} text=${of} /></p>`;

/** copyText copies also where the browser has no clipboard for pages without TLS. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

export function SearchField({ value, onInput, label: name, id = "filter" }) {
  return html`<div class="search"><${Icon} name="search" /><input id=${id} class="input" type="search" value=${value} aria-label=${name}
    placeholder=${name} onInput=${(e) => onInput(e.target.value)} /></div>`;
}

/** Select is a choice among [value, label] pairs. */
export function Select({ value, options, onChange, label: name, class: more }) {
  return html`<select class=${cls("select", more)} aria-label=${name} title=${name} value=${value} onChange=${(e) => onChange(e.target.value)}>
    ${options.map(([v, text]) => html`<option key=${v} value=${v} selected=${v === value}>${visible(String(text))}</option>`)}</select>`;
}

/** Segments is a choice of which all are seen; items are [value, label, count?]. */
export function Segments({ value, items, onChange, label: name }) {
  return html`<div class="seg" role="group" aria-label=${name}>${items.map(([v, text, n]) => html`
    <button type="button" key=${v} aria-pressed=${v === value} onClick=${() => onChange(v)}>${text}${n !== undefined && html`<span class="count">
      ${num(n)}</span>`}</button>`)}</div>`;
}

// Whether the heading that comes next takes the focus: it does when a view was opened from another; and how far down
// the view begins.
export const arrival = { due: false, top: 0 };

/** Title is the one h1 of a view. */
export function Title({ class: name, children }) {
  const ref = useRef();
  useLayoutEffect(() => {
    if (arrival.due) ref.current.focus({ preventScroll: true });
    if (arrival.top) ref.current.closest("main").scrollTop = arrival.top;
    Object.assign(arrival, { due: false, top: 0 });
  }, []);
  return html`<h1 tabindex="-1" data-focus class=${name} ref=${ref}>${children}</h1>`;
}

/** Head is the heading of a view, and what can be done with all of it. */
export function Head({ title, sub, children }) {
  return html`<div class="head"><${Title}>${title}</${Title}>${sub && html`<span class="sub">${sub}</span>`}${children && html`<div class="end">
    ${children}</div>`}</div>`;
}

/** ReadOnly says why there is nothing to press. */
export function ReadOnly() {
  return html`<p class="box row wrap"><${Icon} name="lock" /><span class="sp">${t("readonly")}</span>
    <button class="btn s" onClick=${() => app.signIn()}>${t("signin.title")}</button></p>`;
}

/** Locked stands where a button would be that the session may not press. */
export function Locked() {
  return html`<span class="badge" title=${t("readonly")}><${Icon} name="lock" size="11" />${t("readonly.short")}</span>`;
}

/** useAgain renders again when it is called. */
export const useAgain = () => useReducer((x) => x + 1, 0)[1];
