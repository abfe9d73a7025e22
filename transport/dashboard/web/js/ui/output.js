// The output of an agent: lines with colours, followed or held, searched, loaded further back.
import { html, memo, useEffect, useMemo, useState, cls } from "../lib.js";
import { earlier, set, settings, useTopics, watchOutput } from "../app.js";
import { label, t } from "../i18n.js";
import { textOf } from "../output.js";
import * as time from "../time.js";
import { Copy, Empty, Icon, IconButton, Select, Skeleton } from "./bits.js";
import { VList } from "./list.js";
import { toast } from "./toast.js";

/** OutputView shows what an agent wrote; dir narrows it to a directive. */
export function OutputView({ agent, dir, compact }) {
  const [feed, setFeed] = useState(null);
  const [follow, setFollow] = useState(true);
  const [text, setText] = useState("");
  const [source, setSource] = useState("");
  const [hit, setHit] = useState(0);
  const [busy, setBusy] = useState(false);
  const [heldAt, setHeldAt] = useState(0);
  useTopics(`output/${agent}`, "settings");
  useEffect(() => {
    const w = watchOutput(agent);
    setFeed(w);
    setFollow(true);
    return () => w.close();
  }, [agent]);
  const buffer = feed?.buffer;
  const all = buffer ? buffer.all() : none;
  const query = text.trim().toLowerCase();
  const lines = useMemo(() => (dir || source ? all.filter((l) => (!dir || l.dir === dir) && (!source || l.source === source)) : all),
    [buffer, buffer?.version, dir, source]);
  const hits = useMemo(() => {
    if (!query) return none;
    const found = [];
    lines.forEach((l, i) => textOf(l).toLowerCase().includes(query) && found.push(i));
    return found;
  }, [lines, buffer?.version, query]);
  const at = hits.length ? hits[((hit % hits.length) + hits.length) % hits.length] : undefined;
  const sources = useMemo(() => [...new Set(all.map((l) => l.source))], [buffer, buffer?.version]);

  const hold = (on) => {
    setFollow(on);
    setHeldAt(on ? 0 : buffer.next);
  };
  const jump = (by) => {
    setFollow(false);
    setHit((n) => n + by);
  };
  const back = async () => {
    setBusy(true);
    try {
      await earlier(agent, buffer);
    } catch (e) {
      toast(e.message, "bad");
    }
    setBusy(false);
  };
  const save = () => {
    const url = URL.createObjectURL(new Blob([plainOf(lines)], { type: "text/plain" }));
    const a = document.createElement("a");
    Object.assign(a, { href: url, download: `${agent}.log` });
    a.click();
    URL.revokeObjectURL(url);
  };
  const fresh = heldAt ? (buffer?.next ?? 0) - heldAt : 0;
  const longest = useMemo(() => (settings.wrap ? 0 : lines.reduce((n, l) => Math.max(n, l.size), 0)), [lines, buffer?.version, settings.wrap]);
  const items = useMemo(() => [START, ...lines], [lines, buffer?.version]);
  return html`<div class=${cls("output", compact && "compact")}>
    <div class="obar"><div class="search"><${Icon} name="search" /><input class="input" type="search" value=${text} aria-label=${t("output.find")}
      placeholder=${t("output.find")} onInput=${(e) => { setText(e.target.value); setHit(0); setFollow(false); }}
        onKeyDown=${(e) => e.key === "Enter" && !e.isComposing && (e.preventDefault(), jump(e.shiftKey ? -1 : 1))} /></div>
      ${query && html`<span class="small muted nowrap" role="status">
        ${hits.length ? t("output.hits", { n: (((hit % hits.length) + hits.length) % hits.length) + 1, total: hits.length }) :
          t("output.nohits")}</span>`}
      ${!compact && sources.length > 1 && html`<${Select} label=${t("output.source")} value=${source} onChange=${setSource}
        options=${[["", t("output.anysource")], ...sources.map((s) => [s, label("source", s)])]} />`}
      <span class="sp"></span>
      ${!compact && html`<${IconButton} icon="wrap" label=${t("output.wrap")} aria-pressed=${settings.wrap}
        onClick=${() => set({ wrap: !settings.wrap })} />`}
      <${IconButton} icon="follow" label=${t("output.follow")} aria-pressed=${follow} onClick=${() => hold(!follow)} />
      ${!compact && html`<${Copy} small=${false} label=${t("output.copy")} text=${() => plainOf(lines)} /><${IconButton} icon="down"
        label=${t("output.save")} onClick=${save} />`}</div>
    <div class="oscroll">${!buffer?.ready ? html`<${Skeleton} />` : lines.length === 0 ? html`<${Empty}
      text=${t(dir ? "output.nonedir" : "output.none")} />`
      : html`<${VList} class=${cls("lines", settings.wrap && "wrap")} label=${t("output.label")} role="log" itemRole="presentation"
        attrs=${{ "aria-live": "off" }} items=${items} keyOf=${(l) => l.n} height=${settings.wrap ? undefined : 20} guess=${20} follow=${follow}
          onFollow=${hold}
          jump=${at === undefined ? undefined : at + 1} row=${(l, i) => (l === START ? html`<${Start} busy=${busy} whole=${buffer.whole} back=${back}
            dropped=${buffer.dropped} />` : html`<${Line} line=${l} before=${items[i - 1]} query=${query} on=${i - 1 === at}
              wide=${longest} />`)} />`}
      ${!follow && fresh > 0 && html`<button class="btn s primary tofollow" onClick=${() => hold(true)}><${Icon} name="follow" size="13" />
        ${t("output.new", { n: fresh })}</button>`}</div></div>`;
}

const none = [];
const START = { n: "start" }; // stands before the lines
const plainOf = (lines) => `${lines.map(textOf).join("\n")}\n`;

function Start({ busy, whole, back, dropped }) {
  return html`<div class="oline start row">${!whole ? html`<button class="link small" disabled=${busy} onClick=${back}>
    ${busy ? t("loading") : t("output.earlier")}</button>` : html`<span class="muted small">${t("output.begin")}</span>`}
    ${dropped > 0 && html`<span class="muted small">${t("output.dropped", { n: dropped })}</span>`}</div>`;
}

const Line = memo(({ line, before, query, on, wide }) => {
  const stamp = time.hms(line.ts);
  const same = before && before !== START && time.hms(before.ts) === stamp;
  return html`<div class=${cls("oline", on && "on", line.source === "hook" && "hook")} style=${{ minWidth: wide ? `${wide + 12}ch` : "" }}>
    <span class="ots" aria-hidden=${same}>${same ? "" : stamp}</span>
    <span class="otext" dir="auto">${line.segs.length === 0 ? "\u200b" : line.segs.map((s, i) => html`<span key=${i} class=${s.c}>
      ${query ? marked(s.t, query) : s.t}</span>`)}</span></div>`;
});

/** marked puts what was searched for into marks, where it does not go across colours. */
function marked(text, query) {
  const low = text.toLowerCase();
  if (low.length !== text.length) return text;
  const out = [];
  let from = 0;
  for (let i = low.indexOf(query); i >= 0; i = low.indexOf(query, from)) {
    out.push(text.slice(from, i), html`<mark>${text.slice(i, i + query.length)}</mark>`);
    from = i + query.length;
  }
  out.push(text.slice(from));
  return out;
}
