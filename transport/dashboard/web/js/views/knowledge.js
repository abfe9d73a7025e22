// What the team found out: searched as one types, with what matched marked, and whose word it is.
import { html, useEffect, useRef, useState } from "../lib.js";
import { app, can, connected, store, useLoad, useStore, useTopics } from "../app.js";
import { visible } from "../ansi.js";
import * as api from "../api.js";
import { pieces } from "../figures.js";
import { num, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { go, setQuery } from "../router.js";
import { split } from "../store.js";
import * as time from "../time.js";
import { Agent, Copy, Empty, Failed, Head, Icon, Locked, SearchField, Select, Skeleton, Text, When, at } from "../ui/bits.js";
import { AgentSelect } from "../ui/agentselect.js";
import { Drawer, FormDialog } from "../ui/dialog.js";
import { moveFocus } from "../ui/list.js";

const WAIT_MS = 150;
const PAGE = 30;

export default function Knowledge({ rest, query }) {
  useTopics("session", "conn", "agents");
  const tag = query.get("tag") || "";
  const author = query.get("author") || "";
  const [typed, setTyped] = useState(query.get("q") || "");
  const found = useSearch(typed, tag, author);
  const box = useRef();
  const fresh = useSince("knowledge_added", found.seen).size;
  const gone = useSince("knowledge_retracted", found.seen);
  const items = gone.size ? found.items.filter((x) => !gone.has(x.content_id)) : found.items;
  useEffect(() => {
    if ((query.get("q") || "") !== typed) setTyped(query.get("q") || "");
  }, [query.get("q")]);
  const search = (q) => {
    setTyped(q);
    setQuery({ q });
  };
  const id = rest[0];
  const place = (of) => at(["knowledge", ...(of ? [of] : [])], Object.fromEntries(query));
  const i = items.findIndex((x) => x.content_id === id);
  const step = (by) => (i >= 0 && items[i + by] ? () => go(place(items[i + by].content_id)) : undefined);
  useKeys({ j: () => moveFocus(box.current, 1), k: () => moveFocus(box.current, -1) });
  const away = [...store.agents.values()].filter((a) => a.left || a.retired).map((a) => a.display_name);
  const any = typed || tag || author;
  const tags = [...new Set([...(tag ? [tag] : []), ...[...store.knowledge.values(), ...items].flatMap((x) => x.tags || [])])].sort();
  const post = can("console") && html`<button class="btn primary" disabled=${!connected()} onClick=${() => setQuery({ new: 1 })}><${Icon} name="plus" />${t("knowledge.post")}</button>`;
  return html`<${Head} title=${t("nav.knowledge")} sub=${found.loaded && (found.next ? t("knowledge.many", { n: items.length }) : t("knowledge.found", { n: items.length }))}>${post || html`<${Locked} />`}</${Head}>
    <div class="tools finder"><${SearchField} label=${t("knowledge.search")} value=${typed} onInput=${search} />
      <${AgentSelect} label=${t("knowledge.author")} value=${author} onChange=${(v) => setQuery({ author: v })} extra=${away} />
      ${tags.length > 0 && html`<${Select} label=${t("knowledge.tag")} value=${tag} onChange=${(v) => setQuery({ tag: v })} options=${[["", t("knowledge.anytag")], ...tags.map((x) => [x, visible(x)])]} />`}
      ${any && html`<button class="btn quiet" onClick=${() => { setTyped(""); setQuery({ q: null, tag: null, author: null }); }}><${Icon} name="close" />${t("filter.clear")}</button>`}
      ${found.ms > 0 && typed && html`<span class="muted small">${t("time.ms", { n: found.ms })}</span>`}</div>
    ${found.relaxed && html`<p class="small muted row relaxed"><${Icon} name="info" size="13" />${t("knowledge.relaxed")}</p>`}
    <section class="panel found" aria-label=${t("nav.knowledge")} aria-busy=${found.busy}>
      ${fresh > 0 && html`<button class="pillnew" onClick=${found.again}>${t("knowledge.fresh", { n: fresh })}</button>`}
      ${found.error ? html`<${Failed} error=${found.error} again=${found.again} />` : !found.loaded ? html`<${Skeleton} />`
        : items.length === 0 ? html`<${Empty} text=${t(any ? "knowledge.nothing" : "knowledge.none")}>${!any && post}</${Empty}>`
          : html`<ul class="findings" ref=${box}>${items.map((x, n) => html`<${Finding} key=${x.content_id} item=${x} i=${n} on=${x.content_id === id} to=${place(x.content_id)} />`)}</ul>`}
      ${found.next && html`<button class="btn quiet w" disabled=${found.busy} onClick=${found.more}>${t("more.load")}</button>`}</section>
    ${id && html`<${FindingDrawer} key=${id} id=${id} onClose=${() => go(place())} prev=${step(-1)} next=${step(1)} />`}
    ${query.get("new") && can("console") && html`<${Post} old=${query.get("new")} onClose=${() => setQuery({ new: null })} done=${found.again} />`}`;
}

/** useSearch asks when the reader paused; an answer that is overtaken by a later question is dropped. */
function useSearch(typed, tag, author) {
  const [state, setState] = useState({ items: [], loaded: false, busy: true });
  const [n, setN] = useState(0);
  const asked = useRef(0);
  const q = typed.trim();
  const ask = async (cursor, before, signal) => {
    const turn = ++asked.current;
    const began = performance.now();
    setState((s) => ({ ...s, busy: true }));
    try {
      const r = await api.get(api.teamParts(app.team, "knowledge"), { query: q, tag, author, cursor, limit: PAGE, units: "utf16", excerpt: 240 }, signal);
      if (turn !== asked.current) return;
      const items = [...before, ...r.items.filter((x) => !before.some((y) => y.content_id === x.content_id))];
      setState({ items, next: r.next_cursor, relaxed: r.relaxed, ms: Math.max(1, Math.round(performance.now() - began)), seen: store.head, loaded: true, busy: false });
    } catch (error) {
      if (turn === asked.current && error.name !== "AbortError") setState((s) => ({ ...s, error, busy: false, loaded: true }));
    }
  };
  useEffect(() => {
    if (q && [...q].length < 2 && q < "\u2e80") return; // one letter finds everything, one ideograph does not
    const stop = new AbortController();
    const timer = setTimeout(() => ask("", [], stop.signal), state.loaded ? WAIT_MS : 0);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [q, tag, author, n]);
  return { ...state, again: () => setN((x) => x + 1), more: () => ask(state.next, state.items) };
}

/** useSince are the findings that an event of a kind was about since the answer that is shown. */
function useSince(kind, seen) {
  const list = useStore((s) => (seen === undefined ? [] : s.feed.filter((e) => e.kind === kind && e.id > seen).map((e) => split(e.entity)[1])), "knowledge");
  return new Set(list);
}

/** Marked is a text of which spans are marked; spans count UTF-16 units, as strings here do. */
function Marked({ of, spans, as = "span", class: name }) {
  if (typeof of !== "string" || !spans?.length) return html`<${Text} of=${of} as=${as} class=${name} />`;
  return html`<${as} dir="auto" class=${name}>${pieces(of, spans).map(([text, marked]) => (marked ? html`<mark>${visible(text)}</mark>` : visible(text)))}</${as}>`;
}

const inField = (item, field) => item.spans?.filter((s) => s.field === field);

function Finding({ item: x, i, on, to }) {
  return html`<li class=${on ? "on" : ""}><div class="row"><a class="title cut2" data-row=${i} href=${to}><${Marked} of=${x.title} spans=${inField(x, "title")} /></a><${Holds} of=${x} /></div>
    <${Marked} of=${x.body} spans=${inField(x, "body")} as="p" class="cut2" />
    <div class="meta"><${Agent} id=${x.first_author} dot=${false} />${x.contributor_count > 1 && html`<span>${t("knowledge.also", { n: x.contributor_count - 1 })}</span>`}
      <${When} ts=${x.last_seen_at} />${(x.tags || []).map((tag) => html`<button type="button" class="chip" key=${tag} onClick=${() => setQuery({ tag })}><${Text} of=${tag} /></button>`)}</div></li>`;
}

/** Holds says what does not hold any more. */
function Holds({ of: x }) {
  const why = x.present === false ? "retracted" : x.superseded_by ? "superseded" : x.expired ? "expired" : "";
  return why ? html`<span class="badge warn">${t(`knowledge.${why}`)}</span>` : null;
}

function Related({ name, ids }) {
  if (!ids?.length) return null;
  return html`<dt>${t(name)}</dt><dd>${ids.map((id) => html`<a class="cut block" key=${id} href=${at(["knowledge", id])}>${store.knowledge.get(id)?.title || id.slice(0, 12)}</a>`)}</dd>`;
}

function FindingDrawer({ id, onClose, prev, next }) {
  useTopics(`knowledge/${id}`, "session", "conn");
  const row = store.knowledge.get(id);
  const { data: x, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "knowledge", id), { units: "utf16" }, signal), [id, row?.rev]);
  const [asking, setAsking] = useState(false);
  const header = html`<span class="no mono cut">${id.slice(0, 12)}</span><${Copy} text=${id} label=${t("knowledge.copyid")} />${x && html`<${Holds} of=${x} />`}`;
  return html`<${Drawer} label=${t("knowledge.label")} onClose=${onClose} onPrev=${prev} onNext=${next} header=${header}>
    ${error ? html`<${Failed} error=${error} again=${again} />` : !x ? html`<${Skeleton} />` : html`<div class="stack"><h2 class="big"><${Text} of=${x.title} /></h2>
      ${can("console") && x.present && html`<div class="row wrap"><button class="btn s" disabled=${!connected()} onClick=${() => setQuery({ new: id })}><${Icon} name="plus" size="13" />${t("knowledge.supersede")}</button>
        <button class="btn s danger" disabled=${!connected()} onClick=${() => setAsking(true)}><${Icon} name="block" size="13" />${t("knowledge.retract")}</button></div>`}
      ${x.body && html`<section><div class="row"><h3 class="sp">${t("knowledge.body")}</h3><${Copy} text=${x.body} /></div><div class="box text"><${Text} of=${x.body} /></div></section>`}
      ${x.tags?.length > 0 && html`<div class="row wrap">${x.tags.map((tag) => html`<a class="chip" key=${tag} href=${at(["knowledge"], { tag })}><${Text} of=${tag} /></a>`)}</div>`}
      <dl class="dl"><dt>${t("knowledge.first")}</dt><dd><${When} ts=${x.first_seen_at} /></dd><dt>${t("knowledge.last")}</dt><dd><${When} ts=${x.last_seen_at} /></dd>${x.valid_until && html`<dt>${t("knowledge.until")}</dt><dd>${time.full(x.valid_until)}</dd>`}
        <${Related} name="knowledge.supersededby" ids=${x.superseded_by && [x.superseded_by]} /><${Related} name="knowledge.supersedes" ids=${x.supersedes} /></dl>
      <section><h3>${t("knowledge.provenance")} <span class="count">${num(x.contributions?.length || 0)}</span></h3><ol class="claims">${(x.contributions || []).map((c) => html`<li key=${c.event_id}><${Agent} id=${c.agent_id} />
        ${c.task_id && html`<a href=${at(["tasks", store.tasks.get(c.task_id)?.number.slice(1) || c.task_id])}>${store.tasks.get(c.task_id)?.number || t("head.task")}</a>`}
        <span class="sp"></span><a class="small" href=${at(["activity"], { at: c.event_id })}>${t("knowledge.event", { n: String(c.event_id) })}</a><${When} class="small muted" ts=${c.ts} /></li>`)}</ol></section></div>
      ${asking && html`<${FormDialog} danger title=${t("knowledge.askretract")} action=${t("knowledge.retract")} onClose=${() => setAsking(false)} onSubmit=${() => api.post(api.teamParts(app.team, "knowledge", id, "retract"), { idem_key: api.idem() }).then(again)}>
        <p><${Text} of=${x.title} /></p></${FormDialog}>`}`}</${Drawer}>`;
}

function Post({ old, onClose, done }) {
  const supersedes = /^[0-9a-f]{16,}$/.test(old) ? old : undefined;
  const key = useRef(api.idem());
  const submit = async (f) => {
    const tags = f.get("tags").split(/[\s,]+/).filter(Boolean);
    await api.post(api.teamParts(app.team, "knowledge"), { title: f.get("title").trim(), body: f.get("body"), tags: tags.length ? tags : undefined, supersedes, idem_key: key.current });
    done();
  };
  return html`<${FormDialog} title=${t(supersedes ? "knowledge.supersede" : "knowledge.post")} action=${t("knowledge.do")} onClose=${onClose} onSubmit=${submit}>
    ${supersedes && html`<p class="small muted">${t("knowledge.supersedehint", { title: store.knowledge.get(supersedes)?.title || supersedes.slice(0, 12) })}</p>`}
    <div class="field"><label for="k-title">${t("head.title")}</label><input class="input w" id="k-title" name="title" required maxlength="256" autofocus /></div>
    <div class="field"><label for="k-body">${t("knowledge.body")}</label><textarea class="input" id="k-body" name="body" rows="6" required></textarea></div>
    <div class="field"><label for="k-tags">${t("knowledge.tags")}</label><input class="input w" id="k-tags" name="tags" placeholder="decision store" /></div></${FormDialog}>`;
}
