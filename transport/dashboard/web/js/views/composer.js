// Writing a directive, or one of the console's words.
import { html, useEffect, useRef, useState } from "../lib.js";
import { DRAFTS, connected, read, store, useTopics, write } from "../app.js";
import { command, sendDirective } from "../actions.js";
import * as api from "../api.js";
import { label, t } from "../i18n.js";
import * as time from "../time.js";
import { ErrorText, Icon, Text, isolated } from "../ui/bits.js";
import { AgentField } from "../ui/agentselect.js";
import { Dialog } from "../ui/dialog.js";
import { toast } from "../ui/toast.js";

/** receivers are the agents that a choice means. */
function receivers(to) {
  const there = [...store.agents.values()].filter((a) => !a.left && !a.retired);
  if (to === "@all") return there.filter((a) => store.stateOf(a.agent_id) !== "offline");
  if (to === "@idle") return there.filter((a) => store.stateOf(a.agent_id) !== "offline" && !store.current(a.agent_id));
  if (to.startsWith("cap:")) return there.filter((a) => (a.capabilities || []).includes(to.slice(4)));
  return there.filter((a) => a.display_name === to);
}

export function Composer({ team, to: given, focus, sent }) {
  useTopics("agents", "presence", "conn");
  const [draft] = useState(() => read(DRAFTS, [], "sessionStorage").find(([of]) => of === team)?.[1] || {});
  const [to, setTo] = useState(given || draft.to || "");
  const [text, setText] = useState(draft.text || "");
  const [priority, setPriority] = useState("0");
  const [expires, setExpires] = useState("0");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [reply, setReply] = useState(null);
  const [ask, setAsk] = useState(null);
  const area = useRef();
  const key = useRef(api.idem());
  useEffect(() => {
    const others = read(DRAFTS, [], "sessionStorage").filter(([of]) => of !== team);
    write(DRAFTS, [...others, [team, { to, text }]], "sessionStorage");
  }, [team, to, text]);
  useEffect(() => { if (given) setTo(given); }, [given]);
  useEffect(() => { if (focus) area.current?.focus(); }, [focus]);
  const slash = text.trimStart().startsWith("/");
  const list = receivers(to);
  const agents = [...store.agents.values()].filter((a) => !a.left && !a.retired).sort((a, b) => a.display_name.localeCompare(b.display_name));
  const caps = [...new Set(agents.flatMap((a) => a.capabilities || []))].sort();

  const many = [["@idle", t("composer.idle")], ["@all", t("composer.all")], ...caps.map((c) => [`cap:${c}`, t("composer.cap", { cap: c })])];

  const submit = async (confirmed) => {
    const body = text.trim();
    if (!body || busy || !connected()) return;
    if (!slash && list.length === 0) return setError({ message: t("composer.nobody") });
    if (!slash && list.length > 1 && confirmed !== true) return setAsk(list);
    setAsk(null);
    setBusy(true);
    setError(null);
    try {
      if (slash) setReply(await command(body.slice(1)));
      else await send(body);
      setText("");
      key.current = api.idem();
    } catch (e) {
      setError(e);
    }
    setBusy(false);
  };
  async function send(instruction) {
    let last;
    for (const a of list) last = await sendDirective({ to_agent: a.agent_id, instruction, priority: +priority || undefined, expires_s: +expires ||
      undefined, idem_key: `${key.current}-${a.agent_id}`.slice(0, 128) });
    setReply(null);
    if (list.length === 1) sent(last.number?.slice(1) || last.directive_id);
    else toast(t("composer.sent", { n: list.length }));
  }
  const onKey = (e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.isComposing) {
      e.preventDefault();
      submit();
    }
  };
  return html`<form class="panel composer" aria-label=${t("cmd.directive")} onSubmit=${(e) => { e.preventDefault(); submit(); }}>
    ${reply && html`<${Reply} reply=${reply} onClose=${() => setReply(null)} />`}
    <div class="row wrap"><label class="row"><span class="muted small">${t("composer.to")}</span>
      ${agents.length > 60 ? html`<${AgentField} label=${t("composer.to")} placeholder=${t("composer.choose")} value=${to} onChange=${setTo}
        disabled=${slash} all=${[...agents.map((a) => a.display_name), ...many.map(([v]) => v)]} />` : html`<select class="select" value=${to}
          onChange=${(e) => setTo(e.target.value)} disabled=${slash}>
        <option value="">${t("composer.choose")}</option>
        ${agents.map((a) => html`<option key=${a.agent_id} value=${a.display_name} selected=${a.display_name === to}>
          ${a.display_name} · ${label("presence", store.stateOf(a.agent_id))}</option>`)}
        <optgroup label=${t("composer.many")}>${many.map(([v, l]) => html`<option key=${v} value=${v} selected=${v === to}>
          ${l} (${receivers(v).length})</option>`)}</optgroup></select>`}</label>
      <label class="row"><span class="muted small">${t("head.prio")}</span><select class="select" value=${priority}
        onChange=${(e) => setPriority(e.target.value)} disabled=${slash}>
          ${[["0", "normal"], ["10", "high"], ["-10", "low"]].map(([v, l]) => html`<option key=${v} value=${v}>${t(`priority.${l}`)}</option>`)}
            </select></label>
      <label class="row"><span class="muted small">${t("composer.expires")}</span><select class="select" value=${expires}
        onChange=${(e) => setExpires(e.target.value)} disabled=${slash}>
          ${[["0", t("composer.never")], ["600", time.brief(600_000)], ["3600", time.brief(3_600_000)],
            ["86400", time.brief(86_400_000)]].map(([v, l]) => html`<option key=${v} value=${v}>${l}</option>`)}</select></label></div>
    <div class="cinput"><textarea class="input" ref=${area} rows="2" aria-label=${t("composer.text")} placeholder=${t("composer.hint")} value=${text}
      onInput=${(e) => setText(e.target.value)} onKeyDown=${onKey} maxlength="65536" dir="auto"></textarea>
      <button class="btn primary" disabled=${busy || !text.trim() || !connected()} title=${connected() ? "Ctrl+Enter" : t("error.unreachable")}>
        <${Icon} name="directives" />
        ${busy ? t("saving") : slash ? t("composer.run") : t("composer.send")}</button></div>
    <${ErrorText} error=${error} />
    ${!slash && list.length === 1 && html`<${Delivery} agent=${list[0]} />`}
    ${slash && html`<p class="muted small">
      ${t("composer.words")} <code>/status</code> <code>/todo</code> <code>/send</code> <code>/dispatch</code> <code>/watch</code> <code>/logs</code> <code>/directives</code> <code>/cancel</code></p>`}
    ${ask && html`<${Dialog} title=${t("composer.confirm", { n: ask.length })} onClose=${() => setAsk(null)}><div class="body"><p class="text">${text}
      </p><p class="muted">${ask.slice(0, 12).map((a) => a.display_name).join(", ")}${ask.length > 12 ? ` +${ask.length - 12}` : ""}</p></div>
      <footer><button type="button" class="btn" onClick=${() => setAsk(null)}>${t("cancel")}</button>
        <button type="button" class="btn primary" autofocus onClick=${() => submit(true)}>${t("composer.sendall", { n: ask.length })}</button>
          </footer></${Dialog}>`}</form>`;
}

/** Delivery says honestly how what is sent arrives: agents come for it, nobody can push it into them. */
function Delivery({ agent }) {
  const p = store.presence.get(agent.agent_id);
  const taken = store.feed.findLast((e) => e.kind === "directive_claimed" && e.actor === agent.agent_id)?.ts;
  const waiting = [...store.directives.values()].filter((d) => d.to_agent === agent.agent_id && d.status === "pending").length;
  const state = p?.state || "offline";
  const parts = [t(`delivery.${state}`, { agent: isolated(agent.display_name), time: p?.lastSeen ? time.brief(time.now() - p.lastSeen) : "–" })];
  if (waiting) parts.push(t("delivery.waiting", { n: waiting }));
  if (taken) parts.push(t("delivery.taken", { time: time.brief(time.now() - taken) }));
  return html`<p class="small muted">${parts.join(" · ")}</p>`;
}

function Reply({ reply, onClose }) {
  const data = reply.data === undefined ? "" : JSON.stringify(reply.data, null, 2);
  return html`<div class="box reply"><div class="row"><strong class="sp"><${Text} of=${reply.message} /></strong>
    <button type="button" class="btn s quiet" onClick=${onClose}>${t("close")}</button></div>
      ${data && html`<details><summary class="small">${t("activity.details")}</summary><pre class="mono text" dir="auto">${data}
        </pre></details>`}</div>`;
}
