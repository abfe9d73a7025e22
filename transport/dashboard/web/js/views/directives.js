// The console: what was sent to whom, what became of it, and the output of who is at it beside it.
import { html, memo, useEffect, useMemo, useRef, useState } from "../lib.js";
import { app, can, connected, store, useLoad, useTopics } from "../app.js";
import { cancelDirective, resend } from "../actions.js";
import * as api from "../api.js";
import { label, t } from "../i18n.js";
import { useKeys } from "../keys.js";
import { setQuery } from "../router.js";
import { numberOf } from "../store.js";
import * as time from "../time.js";
import { Agent, Copy, Elapsed, Empty, Failed, Head, Icon, IconButton, ReadOnly, Rich, Select, Skeleton, Status, Text, When,
  actorName, agentName } from "../ui/bits.js";
import { AgentSelect } from "../ui/agentselect.js";
import { usePaneReturn } from "../ui/dialog.js";
import { VList, moveFocus } from "../ui/list.js";
import { Guard } from "../ui/panel.js";
import { OutputView } from "../ui/output.js";
import { toast } from "../ui/toast.js";
import { Composer } from "./composer.js";

const OPEN = new Set(["pending", "running"]);
const FRESH = { list: [], busy: false };
const STATES = ["pending", "running", "done", "failed", "canceled"];

export default function Directives({ team, query }) {
  useTopics("directives", "agents", "session", "conn");
  const status = query.get("status") || "";
  const agent = query.get("agent") || "";
  const id = query.get("id") || "";
  const [older, setOlder] = useState(FRESH);
  const box = useRef();
  const list = useMemo(() => {
    const rows = [...store.directives.values(), ...older.list.filter((d) => !store.directives.has(d.directive_id))];
    return rows.filter((d) => (!status || (status === "open" ? OPEN.has(d.status) : d.status === status)) &&
      (!agent || agentName(d.to_agent) === agent)).sort((a, b) => numberOf(b) - numberOf(a));
  }, [store.head, older.list, status, agent, store.directives.size]);
  // The snapshot has the newest hundred that have ended: fewer are all.
  const more = older.more ?? [...store.directives.values()].filter((d) => !OPEN.has(d.status)).length >= 100;
  const loadOlder = async () => {
    setOlder((o) => ({ ...o, busy: true }));
    try {
      const page = await api.get(api.teamParts(app.team, "directives"),
        { limit: 100, max_bytes: 400_000, cursor: older.cursor, status: status && status !== "open" ? status : undefined, agent: agent ||
          undefined });
      setOlder((o) => ({ list: [...o.list, ...page.directives.map((d) => ({ ...d, ts: d.updated_at })).filter((d) =>
        !o.list.some((x) => x.directive_id === d.directive_id))], cursor: page.next_cursor, more: Boolean(page.next_cursor), busy: false }));
    } catch (e) {
      toast(e.message, "bad");
      setOlder((o) => ({ ...o, busy: false }));
    }
  };
  useEffect(() => setOlder(FRESH), [status, agent]);
  const open = (d) => setQuery({ id: d.number.slice(1), new: null }, { replace: false });
  useKeys({ j: () => moveFocus(box.current, 1), ArrowDown: () => moveFocus(box.current, 1), k: () => moveFocus(box.current, -1),
    ArrowUp: () => moveFocus(box.current, -1), Escape: () => (id ? setQuery({ id: null }) : false),
    Enter: () => { const i = document.activeElement?.dataset?.row; return i === undefined ? false : open(list[i]); } });
  return html`<${Head} title=${t("nav.directives")} />
    <div class="tools"><${Select} label=${t("filter.status")} value=${status} onChange=${(s) => setQuery({ status: s })}
      options=${[["", t("filter.anystatus")], ["open", t("directives.open")], ...STATES.map((s) => [s, label("directive", s)])]} />
      <${AgentSelect} value=${agent} onChange=${(a) => setQuery({ agent: a })} />
      ${(status || agent) && html`<button class="btn quiet" onClick=${() => setQuery({ status: null, agent: null })}><${Icon} name="close" />
        ${t("filter.clear")}</button>`}</div>
    <div class=${`console grow${id ? " watching" : ""}`}>
      <div class="cmain">${list.length === 0 && !more ? html`<div class="panel grow"><${Empty}
        text=${t(status || agent ? "directives.nomatch" : "directives.none")} /></div>`
          : html`<div class="grow" ref=${box}><${VList} class="panel table dirs" role="table" itemRole="presentation" label=${t("nav.directives")}
            attrs=${{ "aria-rowcount": list.length + 1 }} tabindex="-1" guess=${matchMedia("(max-width: 640px)").matches ? 72 : 40}
              header=${html`<div class="tr th" role="row" aria-rowindex="1">
                ${["id", "to", "status", "text", "age", "took", "by"].map((h) => html`<span role="columnheader" key=${h} class=${`d-${h}`}>
                  ${t(`dhead.${h}`)}</span>`)}</div>`}
              items=${more ? [...list, { end: true }] : list} keyOf=${(d) => d.directive_id || "end"}
              row=${(d, i) => (d.end ? html`<${End} older=${older} load=${loadOlder} none=${list.length === 0} />` : html`<${Row} d=${d} i=${i}
                on=${d.number === `#${id}` || d.directive_id === id} open=${open} />`)} /></div>`}
        ${can("dispatch") ? html`<${Composer} team=${team} to=${query.get("to")} focus=${query.get("new")}
          sent=${(n) => setQuery({ id: n, new: null, to: null }, { replace: false })} />` : html`<${ReadOnly} />`}</div>
      ${id && html`<${Guard} name="watch"><${Watch} key=${id} id=${id} onClose=${() => setQuery({ id: null })} /></${Guard}>`}</div>`;
}

function End({ older, load, none }) {
  return html`<div class="row fend"><button class="btn s" disabled=${older.busy} onClick=${load}>
    ${older.busy ? t("loading") : t("directives.older")}</button>
    ${none && html`<span class="muted small">${t("directives.none")}</span>`}</div>`;
}

const Row = memo(({ d, i, on, open }) => {
  const over = !OPEN.has(d.status);
  return html`<div class=${`tr${on ? " on" : ""}`} role="row" aria-rowindex=${i + 2} tabindex=${i === 0 ? 0 : -1} data-row=${i} aria-selected=${on}
    onClick=${() => open(d)}>
    <span role="cell" class="no d-id">${d.number}</span><span role="cell" class="d-to"><${Agent} id=${d.to_agent} link=${false} dot=${!over} /></span>
      <span role="cell" class="d-status"><${Status} of=${d.status} group="directive" /></span>
    <span role="cell" class="d-text"><${Text} of=${d.instruction} />
      ${d.status === "failed" && d.result_summary && html`<span class="bad"> — <${Text} of=${d.result_summary} /></span>`}</span>
    <span role="cell" class="muted d-age"><${When} ts=${d.created_at} /></span><span role="cell" class="muted d-took">
      ${over ? time.took((d.ts || d.created_at) - d.created_at) : d.status === "running" ? html`<${Elapsed}
        since=${d.ts || d.created_at} />` : "–"}</span>
    <span role="cell" class="muted d-by cut" title=${agentName(d.from_agent)}><${Text} of=${actorName(d.from_agent)} /></span></div>`;
});

function Watch({ id, onClose }) {
  useTopics("directives", "session", "conn");
  const found = store.directives.get(id) || store.directives.get(store.lookup(id)?.[1]);
  const ref = found?.directive_id || (/^\d+$/.test(id) ? `#${id}` : id);
  const { data, error, again } = useLoad((signal) => api.get(api.teamParts(app.team, "directives", ref), {}, signal),
    [ref, found?.status, found?.fencing_token]);
  const d = found ? { ...data?.directive, ...found, ...texts(data?.directive, found) } : data?.directive;
  const title = useRef();
  usePaneReturn();
  useEffect(() => title.current?.focus({ preventScroll: true }), [Boolean(d)]);
  const shut = html`<${IconButton} small icon="close" label=${t("close")} onClick=${onClose} />`;
  if (!d) return html`<aside class="panel watch"><header><span class="no">${ref[0] === "#" && ref}</span><span class="sp"></span>${shut}</header>
    ${error ? html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} />`}</aside>`;
  return html`<aside class="panel watch" aria-label=${t("directives.watch", { number: d.number })}>
    <header><span class="no">${d.number}</span><${Status} of=${d.status} group="directive" /><span class="sp"></span>
      ${can("dispatch") && OPEN.has(d.status) && html`<button class="btn s danger" disabled=${!connected()} onClick=${() => cancelDirective(d)}>
        <${Icon} name="stop" size="12" />${t("act.cancel")}</button>`}
      ${can("dispatch") && !OPEN.has(d.status) && html`<button class="btn s" disabled=${!connected()} onClick=${() => resend(d)}><${Icon} name="retry"
        size="13" />${t("act.resend")}</button>`}
      ${shut}</header>
    <div class="wbody"><h2 tabindex="-1" ref=${title} class="vh">${t("directives.watch", { number: d.number })}</h2>
      <div class="winfo"><div class="row start"><div class="sp"><${Rich} of=${d.instruction} /></div>
        ${typeof d.instruction === "string" && html`<${Copy} text=${d.instruction} />`}</div>
        <${Steps} d=${d} />
        ${d.status === "canceled" && d.delivered_at && html`<p class="small muted">${t("directives.stopping")}</p>`}
        ${d.result_summary && html`<div class=${`box ${d.status === "failed" ? "bad" : ""}`}><${Rich} of=${d.result_summary} /></div>`}
        ${d.result_output && html`<details><summary class="small">${t("directives.output")}</summary><pre class="box mono text"><${Text}
          of=${d.result_output} /></pre></details>`}</div>
      <div class="wout"><h3><${Agent} id=${d.to_agent} /><span class="muted small">${t("directives.live")}</span></h3><${OutputView}
        agent=${d.to_agent} dir=${d.directive_id} compact /></div></div></aside>`;
}

function texts(data, row) {
  const out = {};
  for (const k of ["instruction", "result_summary", "result_output"]) if (row[k] && typeof row[k] === "object" &&
    typeof data?.[k] === "string") out[k] = data[k];
  return out;
}

/** Steps is the way of a directive, with the moment of each step that was made. */
function Steps({ d }) {
  const over = !OPEN.has(d.status);
  const claimed = store.feed.findLast((e) => e.kind === "directive_claimed" && e.entity === `directive/${d.directive_id}`)?.ts;
  const steps = [["sent", d.created_at], ["delivered", d.delivered_at || (d.status === "running" || claimed ? claimed : 0)],
    ["running", claimed || (d.status === "running" ? d.ts : 0)], [over ? d.status : "end", over ? d.updated_at || d.ts : 0]];
  return html`<ol class="steps">${steps.map(([name, ts]) => html`<li key=${name} class=${ts ? (name === "failed" ? "bad" : "ok") : "muted"}><${Icon}
    name=${ts ? (name === "failed" ? "bad" : name === "canceled" ? "block" : "check") : "clock"} size="13" />
    <span>${t(`step.${name}`)}</span><span class="muted small">${ts ? time.hms(ts) : "–"}</span></li>`)}</ol>`;
}
