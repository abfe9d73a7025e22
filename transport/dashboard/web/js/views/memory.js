// What the team remembers: keys as a tree by their prefixes, each with its versions and what changed between them.
import { html, useEffect, useMemo, useRef, useState } from "../lib.js";
import { app, can, connected, store, useLoad, useStore, useTopics } from "../app.js";
import * as api from "../api.js";
import { branches } from "../figures.js";
import { num, t } from "../i18n.js";
import { setQuery } from "../router.js";
import { Agent, Copy, Empty, Failed, Head, Icon, Locked, SearchField, Select, Skeleton, Text, When, agentName, at } from "../ui/bits.js";
import { FormDialog } from "../ui/dialog.js";
import { Panel } from "../ui/panel.js";
import { toast } from "../ui/toast.js";

const PAGE = 200;
const SHOWN = 64 << 10; // a longer value is offered as a file

export default function Memory({ rest, query }) {
  useTopics("memory", "session", "conn");
  const prefix = query.get("prefix") || "";
  const keys = useRegisters(prefix);
  const key = rest.length ? rest.join("/") : "";
  const add = can("console") && html`<button class="btn primary" disabled=${!connected()} onClick=${() => setQuery({ new: 1 })}><${Icon} name="plus" />${t("memory.new")}</button>`;
  return html`<${Head} title=${t("nav.memory")} sub=${t("memory.keys", { n: store.counts.memory })}>${add || html`<${Locked} />`}</${Head}>
    <div class=${`aside2${key ? " picked" : ""}`}>
      <nav class="panel list" aria-label=${t("memory.list")}><div class="find"><${SearchField} label=${t("memory.prefix")} value=${prefix} onInput=${(v) => setQuery({ prefix: v })} /></div>
        ${keys.error && html`<${Failed} error=${keys.error} />`}
        ${!keys.loaded ? html`<${Skeleton} />` : keys.list.length === 0 ? html`<p class="muted small nokey">${t(prefix ? "memory.nomatch" : "memory.nokeys")}</p>` : html`<${Tree} rows=${keys.list} chosen=${key} query=${query} />`}
        ${keys.next && html`<button class="btn quiet w" disabled=${keys.busy} onClick=${keys.more}>${t("more.load")}</button>`}</nav>
      <div class="stack">${key ? html`<a class="btn quiet s back" href=${at(["memory"])}><${Icon} name="chevron" />${t("memory.back")}</a><${Register} key=${key} name=${key} query=${query} />`
        : html`<section class=${`panel${store.counts.memory ? " onlywide" : ""}`}><${Empty} text=${t(store.counts.memory ? "memory.choose" : "memory.none")}>${!store.counts.memory && add}</${Empty}></section>`}</div></div>
    ${query.get("new") && can("console") && html`<${SetValue} onClose=${() => setQuery({ new: null })} />`}`;
}

/** useRegisters pages through the keys with a prefix; those that change meanwhile come from the feed. */
function useRegisters(prefix) {
  const [state, setState] = useState({ rows: new Map(), loaded: false });
  const turn = useRef(0);
  const load = async (cursor, before) => {
    const mine = ++turn.current;
    setState((s) => ({ ...s, busy: true }));
    try {
      const page = await api.get(api.teamParts(app.team, "memory"), { prefix, cursor, limit: PAGE, max_bytes: 400_000 });
      if (mine !== turn.current) return;
      const rows = new Map(before);
      for (const [key, r] of Object.entries(page.keys)) rows.set(key, { key, version: r.version });
      setState({ rows, next: page.next_cursor, loaded: true, busy: false });
    } catch (error) {
      if (mine === turn.current) setState((s) => ({ ...s, error, loaded: true, busy: false }));
    }
  };
  useEffect(() => {
    const timer = setTimeout(() => load("", []), state.loaded ? 150 : 0);
    return () => clearTimeout(timer);
  }, [prefix]);
  const list = useMemo(() => {
    const all = new Map(state.rows);
    const last = state.next && [...state.rows.keys()].pop();
    for (const r of store.memory.values()) {
      if (r.key.startsWith(prefix) && (!last || r.key <= last) && (all.get(r.key)?.version || 0) < r.version) all.set(r.key, r);
    }
    return [...all.values()].filter((r) => r.key.startsWith(prefix)).sort((a, b) => (a.key < b.key ? -1 : 1));
  }, [state, prefix, store.head]);
  return { ...state, list, more: () => load(state.next, state.rows) };
}

/** Tree puts keys with the same beginning, up to a dot, a slash or a colon, under one heading. */
function Tree({ rows, chosen, query }) {
  const [groups, loose] = branches(rows);
  const item = (r, cut = 0) => html`<li key=${r.key}><a class=${cut ? "in" : ""} href=${at(["memory", r.key], { prefix: query.get("prefix") })} aria-current=${r.key === chosen ? "page" : undefined} title=${r.key}>
    <span class="row"><span class="cut sp mono"><${Text} of=${r.key.slice(cut)} /></span><span class="muted small">v${r.version}</span></span></a></li>`;
  return html`${groups.map(([head, list]) => html`<details key=${head} open=${groups.length < 6 || chosen.startsWith(head) || rows.length < 40}><summary class="mono">${head} <span class="count">${num(list.length)}</span></summary><ul>${list.map((r) => item(r, head.length))}</ul></details>`)}
    ${loose.length > 0 && html`<ul>${loose.map((r) => item(r))}</ul>`}`;
}

const textOf = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function Register({ name, query }) {
  const rev = useStore((s) => s.memory.get(name)?.version, `memory/${name}`);
  const { data, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "memory", name, "history"), { limit: 50, max_bytes: 400_000 }, signal), [name, rev]);
  const [older, setOlder] = useState(null);
  const [setting, setSetting] = useState(false);
  useEffect(() => setOlder(null), [rev]);
  if (!data) return error ? html`<section class="panel"><${Failed} error=${error} again=${again} /></section>` : html`<section class="panel"><${Skeleton} /></section>`;
  const versions = [...data.versions, ...(older?.versions || [])];
  const next = older ? older.next_cursor : data.next_cursor;
  const newest = versions[0];
  const shown = versions.find((v) => v.version === +query.get("v")) || newest;
  const from = query.get("diff");
  const more = async () => {
    try {
      const page = await api.get(api.teamParts(app.team, "memory", name, "history"), { cursor: next, limit: 50, max_bytes: 400_000 });
      setOlder({ versions: [...(older?.versions || []), ...page.versions], next_cursor: page.next_cursor });
    } catch (e) {
      toast(e.message, "bad");
    }
  };
  const names = versions.map((v) => [String(v.version), `v${v.version}`]);
  const text = textOf(shown.value);
  return html`<${Panel} id="register" title=${html`<span class="mono"><${Text} of=${name} /></span>`} count=${`v${shown.version}`}
      end=${html`<${Copy} words text=${text} />${can("console") && html`<button class="btn s" disabled=${!connected()} onClick=${() => setSetting(true)}>${t("memory.set")}</button>`}`}>
      <p class="small muted row wrap"><${Agent} id=${shown.writer} dot=${false} /> <${When} ts=${shown.updated_at} />${shown !== newest && html`<span class="badge warn">${t("memory.old")}</span><button class="link" onClick=${() => setQuery({ v: null, diff: null })}>${t("memory.newest")}</button>`}</p>
      ${from !== null ? html`<${Diff} name=${name} from=${from} to=${shown.version} onBack=${() => setQuery({ diff: null })} />` : text.length > SHOWN ? html`<p>${t("memory.large", { n: text.length })} <a class="btn s" download=${`${name}.json`} data-native href=${api.url(api.teamParts(app.team, "memory", name))}><${Icon} name="down" />${t("memory.download")}</a></p>`
        : html`<pre class="box text value" dir="auto"><${Text} of=${text} /></pre>`}</${Panel}>
    <${Panel} id="history" title=${t("memory.history")} count=${num(versions.length) + (next ? "+" : "")} flush
      end=${versions.length > 1 && html`<span class="muted small">${t("memory.compare")}</span><${Select} label=${t("memory.from")} value=${from ?? String(Math.max(0, shown.version - 1))} onChange=${(v) => setQuery({ v: shown.version, diff: v })} options=${[...names, ["0", t("memory.nothing")]]} />
        <span aria-hidden="true">→</span><${Select} label=${t("memory.to")} value=${String(shown.version)} onChange=${(v) => setQuery({ v, diff: from ?? String(Math.max(0, +v - 1)) })} options=${names} />`}>
      <ul class="rowlist">${versions.map((v) => html`<li key=${v.version} class=${v === shown ? "on" : ""}><a class="nowrap" href=${at(["memory", name], { ...Object.fromEntries(query), v: v === newest ? null : v.version, diff: null })}>v${v.version}</a>
        <${Agent} id=${v.writer} dot=${false} /><span class="muted cut sp mono small"><${Text} of=${textOf(v.value).replace(/\s+/g, " ").slice(0, 120)} /></span><${When} class="muted small nowrap" ts=${v.updated_at} />
        <button class="btn s quiet" onClick=${() => setQuery({ v: v.version, diff: String(v.version - 1) })}>${t("memory.changes")}</button></li>`)}</ul>
      ${next && html`<button class="btn quiet w" onClick=${more}>${t("more.older")}</button>`}</${Panel}>
    ${setting && html`<${SetValue} name=${name} version=${newest.version} value=${newest.value} onClose=${() => setSetting(false)} />`}`;
}

/** Diff is what changed between two versions, in hunks as the server cut them. Signs say it, not colours alone. */
function Diff({ name, from, to, onBack }) {
  const { data: d, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "memory", name, "diff"), { from, to }, signal), [name, from, to]);
  if (!d) return error ? html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} rows="3" />`;
  return html`<div class="stack s"><div class="row wrap small"><strong>v${from} → v${to}</strong>${d.equal ? html`<span class="muted">${t("memory.equal")}</span>` : html`<span class="ok">+${num(d.added)}</span><span class="bad">−${num(d.removed)}</span>`}
      ${onBack && html`<span class="sp"></span><button class="btn s" onClick=${onBack}>${t("memory.whole")}</button>`}</div>
    ${d.hunks?.length > 0 && html`<div class="diff" tabindex="0" role="region" aria-label=${t("memory.diff", { from, to })}><table><thead class="vh"><tr><th>v${from}</th><th>v${to}</th><th>${t("memory.change")}</th></tr></thead>${d.hunks.map((h, i) => {
      let [a, b] = [h.from_line, h.to_line];
      return html`<tbody key=${i}>${i > 0 && html`<tr class="gap"><td colspan="3">⋯</td></tr>`}${h.lines.map((l, k) => html`<tr key=${k} class=${l.op === "+" ? "add" : l.op === "-" ? "del" : ""}>
        <td class="ln">${l.op === "+" ? "" : a++}</td><td class="ln">${l.op === "-" ? "" : b++}</td><td><span class="op">${l.op}</span><span class="vh">${l.op === " " ? "" : t(l.op === "+" ? "memory.added" : "memory.removed")}</span><${Text} of=${l.text} /></td></tr>`)}</tbody>`;
    })}</table></div>`}</div>`;
}

/** SetValue writes a register, if it still is what the reader saw. If not, it shows what came between. */
function SetValue({ name, onClose, ...now }) {
  const [{ version = 0, value }] = useState(now); // as it was when the reader began, whatever comes meanwhile
  const [conflict, setConflict] = useState(null);
  const key = useRef(api.idem());
  const expected = conflict ? conflict.current_version : version;
  const submit = async (f) => {
    const text = f.get("value");
    const body = { value: f.get("kind") === "text" ? text : parse(text), expected_version: expected, idem_key: key.current };
    try {
      await api.post(api.teamParts(app.team, "memory", name || f.get("key").trim()), body);
    } catch (e) {
      key.current = api.idem();
      if (e.code !== "conflict") throw e;
      setConflict(e.body);
      throw new api.ApiError(409, { hint: t("memory.merge") });
    }
    toast(t("toast.done"));
  };
  const isText = typeof value === "string";
  return html`<${FormDialog} title=${name ? t("memory.setkey", { key: name }) : t("memory.new")} action=${conflict ? t("memory.overwrite", { v: String(expected) }) : t("memory.do")} danger=${Boolean(conflict)} onClose=${onClose} onSubmit=${submit}>
    ${!name && html`<div class="field"><label for="m-key">${t("memory.key")}</label><input class="input w mono" id="m-key" name="key" required maxlength="256" placeholder="build.flags" autofocus /></div>`}
    <div class="field"><label for="m-value">${t("memory.value")}</label><textarea class="input mono" id="m-value" name="value" rows="8" spellcheck="false" autofocus=${Boolean(name)}>${value === undefined ? "" : textOf(value)}</textarea></div>
    <fieldset class="row wrap plain"><legend class="vh">${t("memory.kind")}</legend><label class="check"><input type="radio" name="kind" value="json" defaultChecked=${!isText} />JSON</label><label class="check"><input type="radio" name="kind" value="text" defaultChecked=${isText} />${t("memory.text")}</label>
      ${name && html`<span class="sp"></span><span class="hint small muted">${t("memory.expects", { v: String(expected) })}</span>`}</fieldset>
    ${conflict && html`<section class="box warnbox stack s" role="alert"><strong>${t("memory.conflict", { v: String(conflict.current_version), who: conflict.current_writer ? agentName(conflict.current_writer) : "?" })}</strong>
      ${name ? html`<${Diff} name=${name} from=${version} to=${conflict.current_version} />` : html`<pre class="text mono">${textOf(conflict.current_value)}</pre>`}</section>`}</${FormDialog}>`;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new api.ApiError(400, { hint: t("memory.notjson") });
  }
}
