// The log as it grows: the newest first, folded where the same goes on, and held still while somebody reads.
import { html, memo, useEffect, useMemo, useRef, useState } from "../lib.js";
import { app, store, useTopics } from "../app.js";
import * as api from "../api.js";
import { label, num, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { setQuery } from "../router.js";
import * as time from "../time.js";
import { Copy, Empty, ErrorText, Head, Icon, SearchField, Text, actorName, agentName, at } from "../ui/bits.js";
import { did, isBad, note, sign, subject } from "../ui/event.js";
import { AgentSelect } from "../ui/agentselect.js";
import { VList, moveFocus } from "../ui/list.js";
import { say } from "../ui/toast.js";

const KINDS = ["task", "directive", "knowledge", "memory", "goal", "agent", "usage"];
const AT_TOP = 800; // how much of the ring is looked through while the reader is at its start
const PAGE = 200;

const kindOf = (e) => e.kind.slice(0, e.kind.indexOf("_"));

export default function Activity({ query }) {
  useTopics("feed", "agents", "tasks", "pause");
  const [older, setOlder] = useState({ list: [], more: true, busy: false, error: null });
  const [away, setHeld] = useState(0); // the newest event that is shown while the reader is elsewhere
  const held = away || store.pausedAt;
  const [open, setOpen] = useState(new Set());
  const wanted = +query.get("at") || 0;
  const kinds = (query.get("kind") || "").split(",").filter(Boolean);
  const agent = query.get("agent") || "";
  const entity = query.get("entity") || "";
  const q = (query.get("q") || "").trim().toLowerCase();
  const box = useRef();

  const matches = useMemo(() => {
    const who = agent && (agent.startsWith("console:") ? agent : [...store.agents.values()].find((a) => a.display_name === agent)?.agent_id || agent);
    const what = entity.startsWith("#") ? store.lookup(entity)?.[1] : entity;
    return (e) => (!kinds.length || kinds.includes(kindOf(e))) && (!agent || e.actor === who) &&
      (!what || e.entity === what || e.entity.endsWith(`/${what}`)) && (!q || words(e).includes(q));
  }, [query.get("kind"), agent, entity, q, store.agents.size]);

  const limit = held || wanted || older.list.length ? Infinity : AT_TOP;
  const { items, fresh } = useMemo(() => gather(matches, held, older.list, limit, open),
    [matches, held, older.list, limit, open, store.head, store.feed.length]);
  const jump = wanted ? items.findIndex((x) => x.id <= wanted) : undefined;

  useEffect(() => {
    if (wanted) find(wanted);
  }, [wanted]);
  useAnnounce();

  async function find(id) {
    setHeld(store.head);
    if ((store.feed[0]?.id ?? Infinity) <= id) return;
    await load({ before: id + PAGE / 2 });
  }

  // What is older than the ring stays with this view.
  async function load(from) {
    const oldest = older.list.at(-1)?.id ?? store.feed[0]?.id ?? store.head + 1;
    setOlder((o) => ({ ...o, busy: true, error: null }));
    try {
      const page = await api.get(api.teamParts(app.team, "events"), { before: from?.before ?? oldest, limit: PAGE, agent: agent || undefined });
      setOlder((o) => ({ list: [...o.list, ...page.events.filter((e) => e.id < (o.list.at(-1)?.id ?? Infinity) &&
        e.id < (store.feed[0]?.id ?? Infinity))], more: Boolean(page.next_before), busy: false }));
    } catch (error) {
      setOlder((o) => ({ ...o, busy: false, error }));
    }
  }

  const first = older.list.at(-1)?.id ?? store.feed[0]?.id ?? store.head + 1;
  const more = older.more && first > (app.oldest || 1);
  const toTop = () => {
    if (store.paused) store.pause(false);
    if (wanted) setQuery({ at: null });
    const list = box.current?.querySelector(".vlist");
    if (list) list.scrollTop = 0;
    setHeld(0);
  };
  const toggle = (id) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  useKeys({ j: () => moveFocus(box.current, 1), ArrowDown: () => moveFocus(box.current, 1), k: () => moveFocus(box.current, -1),
    ArrowUp: () => moveFocus(box.current, -1) });
  const any = kinds.length || agent || entity || q;
  return html`<${Head} title=${t("nav.activity")} sub=${t("activity.kept", { n: store.head })} />
    <${Tools} query=${query} kinds=${kinds} any=${any} />
    <div class="panel feedbox grow" ref=${box}>
      ${fresh > 0 && html`<button class="pillnew" onClick=${toTop}><${Icon} name="chevdown" class="up" size="13" />
        ${t("activity.new", { n: fresh })}</button>`}
      ${items.length === 0 && !more ? html`<${Empty} text=${t(any ? "activity.nomatch" : "activity.none")}>
        ${any && html`<button class="btn" onClick=${clear}>${t("filter.clear")}</button>`}</${Empty}>`
        : html`<${VList} class="feed" role="feed" itemRole="presentation" label=${t("nav.activity")} tabindex="-1" guess=${37} jump=${jump}
          keyOf=${(x) => x.id} onTop=${(top) => setHeld(top ? 0 : store.head)}
            items=${[...items, { id: "end" }]} row=${(x, i) => (x.id === "end" ? html`<${End} older=${older} more=${more} load=${load} any=${any}
              none=${items.length === 0} />` : html`<${Row} item=${x} i=${i} open=${open.has(x.id)} toggle=${toggle} marked=${x.id === wanted}
                total=${items.length} />`)} />`}
    </div>`;
}

const clear = () => setQuery({ kind: null, agent: null, entity: null, q: null });

function words(e) {
  const s = subject(e);
  return `${e.kind} ${agentName(e.actor)} ${s.number} ${typeof s.text === "string" ? s.text : ""} ${note(e)}`.toLowerCase();
}

/** gather is what is shown, the newest first, folded; and how much has come since it is held. */
function gather(matches, held, older, limit, open) {
  const items = [];
  let fresh = 0;
  let run = null;
  const take = (e) => {
    if (!matches(e)) return;
    if (held && e.id > held) return void (fresh += e.n || 1);
    if (run && run.kind === e.kind && run.actor === e.actor && run.entity === e.entity && !open.has(run.id)) {
      run.n += e.n || 1;
      run.from = e.ts;
      run.folded.push(e);
      return;
    }
    run = { id: e.id, kind: e.kind, actor: e.actor, entity: e.entity, event: e, n: e.n || 1, from: e.ts, folded: [] };
    items.push(run);
  };
  const feed = store.feed;
  for (let i = feed.length - 1, left = limit; i >= 0 && left > 0; i--, left--) take(feed[i]);
  if (limit === Infinity) older.forEach(take);
  return { items, fresh };
}

function Tools({ query, kinds, any }) {
  const consoles = new Set();
  for (const e of store.feed) if (e.actor?.startsWith("console:")) consoles.add(e.actor);
  const toggle = (k) => {
    const next = kinds.includes(k) ? kinds.filter((x) => x !== k) : [...kinds, k];
    setQuery({ kind: next.length === KINDS.length ? null : next.join(",") });
  };
  return html`<div class="tools"><${SearchField} label=${t("activity.filter")} value=${query.get("q") || ""} onInput=${(q) => setQuery({ q })} />
    <div class="seg" role="group" aria-label=${t("activity.kinds")}>
      ${KINDS.map((k) => html`<button type="button" key=${k} aria-pressed=${kinds.includes(k)} onClick=${() => toggle(k)}>${label("kind", k)}
        </button>`)}</div>
    <${AgentSelect} value=${query.get("agent") || ""} onChange=${(agent) => setQuery({ agent })} extra=${[...consoles]} />
    ${query.get("entity") && html`<span class="chip">${query.get("entity")}</span>`}
    ${any ? html`<button class="btn quiet" onClick=${clear}><${Icon} name="close" />${t("filter.clear")}</button>` : null}</div>`;
}

const Row = memo(({ item, i, open, toggle, marked, total }) => {
  const e = item.event;
  const s = subject(e);
  const [icon, tone] = sign(e.kind);
  const more = note(e);
  const self = s.type === "agent" && s.id === e.actor;
  return html`<article class=${`fitem${marked ? " on" : ""}`} aria-posinset=${i + 1} aria-setsize=${total}
    aria-label=${`${agentName(e.actor)} ${did(e)} ${s.number || s.text}`}>
    <div class="fline" data-row=${i} tabindex=${i === 0 ? 0 : -1} onKeyDown=${(k) => k.key === "Enter" && toggle(item.id)}>
      <time class="muted mono" title=${time.full(e.ts)} datetime=${new Date(e.ts).toISOString()}>${time.hmsMs(e.ts)}</time>
        <a class="muted mono fid" href=${at(["activity"], { at: e.id })}>${num(e.id)}</a>
      <span class=${tone}><${Icon} name=${icon} size="14" /></span>
      <span class="cut fwho"><strong class="cut" title=${self ? s.text : e.actor}><${Text} of=${self ? s.text : actorName(e.actor)} /></strong> <span class="muted">${did(e)}
        </span></span>
      <span class="cut fwhat">${!self && html`<a href=${s.to}>${s.number && html`<span class="no">${s.number}</span> `}<${Text} of=${s.text} />
        </a>`}${more && html`<span class="muted"> — <${Text} of=${more} /></span>`}</span>
      ${item.n > 1 ? html`<button class="btn s" onClick=${() => toggle(item.id)} aria-expanded=${open}>
        ${t("activity.folded", { n: item.n, time: time.brief(e.ts - item.from) })}</button>`
        : html`<button class="btn s quiet icon" aria-expanded=${open} aria-label=${t("activity.details")} title=${t("activity.details")}
          onClick=${() => toggle(item.id)}><${Icon} name=${open ? "chevdown" : "chevron"} size="13" /></button>`}</div>
    ${open && html`<${Details} event=${e} />`}</article>`;
});

function Details({ event: e }) {
  const json = JSON.stringify(e, null, 2);
  const link = new URL(at(["activity"], { at: e.id }), location.href).href;
  return html`<div class="fmore"><div class="row wrap"><${Copy} words text=${json} label=${t("activity.copyjson")} /><${Copy} words text=${link}
    label=${t("activity.copylink")} />
    <a class="btn s" href=${at(["activity"], { entity: e.entity })}>${t("activity.same")}</a></div><pre class="mono" dir="auto">${json}</pre></div>`;
}

function End({ older, more, load, any, none }) {
  return html`<div class="row fend">${older.error && html`<${ErrorText} error=${older.error} />`}
    ${more ? html`<button class="btn s" disabled=${older.busy} onClick=${() => load()}>${older.busy ? t("loading") : t("activity.older")}
      </button>` : html`<span class="muted small">${t("activity.start")}</span>`}
    ${none && any && html`<span class="muted small">${t("activity.nomatch")}</span>`}</div>`;
}

// Who listens hears a summary now and then, not each line.
function useAnnounce() {
  const last = useRef({ at: Date.now(), head: store.head });
  useEffect(() => store.subscribe((dirty) => {
    const l = last.current;
    if (!dirty.has("feed") || Date.now() - l.at < 10_000) return;
    const since = store.feed.filter((e) => e.id > l.head);
    if (since.length) say(t("activity.say", { n: since.reduce((n, e) => n + (e.n || 1), 0), bad: since.filter(isBad).length }));
    Object.assign(l, { at: Date.now(), head: store.head });
  }), []);
}
