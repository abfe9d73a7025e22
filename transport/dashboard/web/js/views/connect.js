// How an agent's client is set up, and a look at whether it came through: what it writes is checked as it happens.
import { html, useEffect, useState } from "../lib.js";
import { app, useLoad } from "../app.js";
import * as api from "../api.js";
import { label, locale, t } from "../i18n.js";
import { setQuery } from "../router.js";
import { Copy, Empty, Failed, Head, Icon, Segments, Skeleton, Text, When, at } from "../ui/bits.js";
import { useEvery } from "../ui/chart.js";
import { Panel } from "../ui/panel.js";

const POLL_MS = 2000;
const MARKS = ["reached", "accepted", "joined", "heartbeat", "inbox"];

export default function Connect({ query }) {
  const [name, setName] = useState(query.get("agent") || "alice");
  const client = query.get("client") || "";
  const wish = { auth: query.get("auth") || undefined, scope: query.get("scope") || undefined, lang: locale() };
  const agent = name.trim();
  useEffect(() => {
    const timer = setTimeout(() => setQuery({ agent: agent === "alice" ? null : agent }), 300);
    return () => clearTimeout(timer);
  }, [agent]);
  const asked = useDelayed(agent);
  const { data, error, again } = useLoad(async (signal) => {
    const ask = (id) => api.get(api.teamParts(app.team, "connect"), { client: id, agent: asked, ...wish }, signal);
    return ask(client || (await ask()).clients[0].id);
  }, [client, asked, wish.auth, wish.scope, wish.lang]);
  const auths = data?.auths || ["env", "inline"];
  const scopes = data?.scopes || ["project", "user"];
  const token = data?.token || (auths.includes(wish.auth) ? wish.auth : auths[0]);
  const scope = data?.scope || (scopes.includes(wish.scope) ? wish.scope : scopes[0]);
  return html`<${Head} title=${t("connect.title")} />
    <div class="connect"><div class="stack">
      <${Panel} id="connect-how" title=${t("connect.step1")}><div class="stack">
        ${data && html`<div class="clients" role="group" aria-label=${t("connect.client")}>${data.clients.map((c) => html`<button type="button" class="btn" key=${c.id} aria-pressed=${c.id === data.client} onClick=${() => setQuery({ client: c.id, auth: null, scope: null })}>${c.id === "stdio" ? t("connect.other") : c.name}</button>`)}</div>`}
        <div class="choices"><div class="field"><label for="c-agent">${t("head.agent")}</label><input class="input" id="c-agent" value=${name} maxlength="64" spellcheck="false" autocomplete="off" onInput=${(e) => setName(e.target.value)} /></div>
          ${data && html`<div class="field"><span class="lab">${t("connect.scope")}</span><${Segments} label=${t("connect.scope")} value=${scope} onChange=${(v) => setQuery({ scope: v })} items=${scopes.map((v) => [v, t(`connect.scope.${v}`)])} /></div>
          <div class="field"><span class="lab">${t("connect.token")}</span><${Segments} label=${t("connect.token")} value=${token} onChange=${(v) => setQuery({ auth: v })} items=${auths.map((v) => [v, t(`connect.token.${v}`)])} /></div>`}</div>
        ${data && html`<p class="small muted hintline"><span class="icon1"><${Icon} name=${token === "inline" ? "warn" : "info"} size="14" /></span><span>${t(`connect.about.${token}`)}</span></p>`}</div></${Panel}>
      <${Panel} id="connect-put" title=${t("connect.step2")}>${!data ? (error ? html`<${Failed} error=${error} again=${again} />` : html`<${Skeleton} />`) : html`<div class="stack">${(data.snippets || []).map((s, i) => html`<${Snippet} key=${`${s.kind} ${i}`} snippet=${s} />`)}
        ${data.notes?.length > 0 && html`<ul class="notes">${data.notes.map((n, i) => html`<li key=${i} class="small"><${Icon} name="info" size="13" /><span>${n}</span></li>`)}</ul>`}</div>`}</${Panel}></div>
      <${Waiting} agent=${asked} /></div>`;
}

/** useDelayed is a value as it was when it last rested for a moment. */
function useDelayed(value) {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), 300);
    return () => clearTimeout(timer);
  }, [value]);
  return rested;
}

function Snippet({ snippet: s }) {
  const title = s.path && s.path !== s.label ? html`${s.label} <span class="muted mono small">${s.path}</span>` : s.label;
  const save = () => {
    const a = document.createElement("a");
    a.href = URL.createObjectURL(new Blob([s.text], { type: "application/octet-stream" }));
    a.download = s.path.split(/[\\/]/).pop();
    a.dataset.native = "";
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
  };
  return html`<div class="snippet"><header class="row"><${Icon} name=${s.kind === "file" ? "rows" : s.kind === "link" ? "link" : "terminal"} size="14" /><h3 class="sp cut">${title}</h3>
    ${s.kind === "file" && s.path && html`<button class="btn s" onClick=${save}><${Icon} name="down" />${t("memory.download")}</button>`}<${Copy} words text=${s.text} /></header>
    <pre tabindex="0" role="region" aria-label=${s.label} class="mono"><${Text} of=${s.text} /></pre></div>`;
}

/** Waiting looks every two seconds how far an agent of that name has come. */
function Waiting({ agent }) {
  const n = useEvery(POLL_MS, Boolean(agent));
  const { data, error } = useLoad((signal) => (agent ? api.get(api.teamParts(app.team, "connect", agent), {}, signal).then((r) => ({ ...r, asked: agent })) : Promise.resolve(null)), [agent, n]);
  const mine = data?.asked === agent ? data : null;
  const at_ = Object.fromEntries((mine?.marks || []).map((m) => [m.id, m]));
  const all = MARKS.every((m) => at_[m]?.at);
  const failed = mine?.problem && !at_.accepted?.at;
  const next = MARKS.find((m) => !at_[m]?.at);
  return html`<${Panel} id="connect-wait" class="waiting" title=${t("connect.step3")}>
    ${error?.status === 404 ? html`<${Empty} text=${t("error.notfound")} />` : html`<div class="stack">
      <p role="status">${!agent ? t("connect.noname") : all ? html`<strong class="ok">${t("connect.there", { agent })}</strong>` : t(at_.joined?.at ? "connect.lacks" : "connect.waiting",
        { agent, step: t(`connect.mark.${next}`) })}</p>
      <ol class="marks">${MARKS.map((m) => {
        const done = at_[m]?.at;
        return html`<li key=${m} class=${done ? "done" : m === next && agent ? (failed && m === "accepted" ? "failed" : "next") : ""}><span class="mark">${done ? html`<${Icon} name="check" size="12" />` : failed && m === next ? html`<${Icon} name="close" size="12" />` : ""}</span>
          <span class="sp">${t(`connect.mark.${m}`)}<span class="vh">${t(done ? "connect.yes" : "connect.notyet")}</span>${at_[m]?.detail && html`<br /><span class="small muted"><${Text} of=${at_[m].detail} /></span>`}</span>${done && html`<${When} class="small muted" ts=${done} />`}</li>`;
      })}</ol>
      ${mine?.problem && html`<div class="box warnbox stack s" role="alert"><strong class="row"><${Icon} name="warn" size="14" />${label("connect.problem", mine.problem.code)}</strong><span class="small"><${Text} of=${mine.problem.hint} /></span>
        <span class="small muted">${mine.problem.from && `${t("connect.fromwhere", { from: mine.problem.from })} · `}<${When} ts=${mine.problem.at} /></span></div>`}
      ${all && html`<a class="btn" href=${at(["agents", agent])}>${t("connect.look", { agent })}</a>`}</div>`}</${Panel}>`;
}
