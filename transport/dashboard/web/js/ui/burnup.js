// A burn-up: how much there was to do and how much of it was done, as two lines of steps. What was added while the
// work went on is seen as such.
import { html, useState } from "../lib.js";
import { timeTicks, topOf } from "../figures.js";
import { compact, num, t } from "../i18n.js";
import * as time from "../time.js";
import { AsTable, tickText, useWidth } from "./chart.js";

const HEIGHT = 240;
const LEFT = 44;
const RIGHT = 16;
const TOP = 12;
const BOTTOM = 24;

export function BurnUp({ data: b }) {
  const [ref, width] = useWidth();
  const [at, setAt] = useState(null);
  const span = Math.max(60_000, b.now - b.from);
  const ahead = b.eta && b.eta - b.now < span * 0.6 ? b.eta : 0;
  const end = ahead || b.now;
  const top = topOf(Math.max(b.scope, ...b.points.map((p) => p.scope), 1));
  const x = (ms) => LEFT + ((ms - b.from) / Math.max(60_000, end - b.from)) * (width - LEFT - RIGHT);
  const y = (v) => HEIGHT - BOTTOM - (v / top) * (HEIGHT - TOP - BOTTOM);
  const steps = (of) => b.points.map((p, i) => `${i ? `H${x(p.at).toFixed(1)}V` : `M${x(p.at).toFixed(1)} `}${y(of(p)).toFixed(1)}`).join("");
  const done = steps((p) => p.done);
  const point = at === null ? null : b.points.findLast((p) => p.at <= at) || b.points[0];
  const move = (e) => setAt(b.from + ((e.clientX - ref.current.getBoundingClientRect().left - LEFT) / (width - LEFT - RIGHT)) * (end - b.from));
  return html`<figure class="figure"><figcaption class="keyline"><span class="k scope">${t("burnup.scope", { v: num(point ? point.scope : b.scope) })}</span><span class="k did">${t("burnup.done", { v: num(point ? point.done : b.done) })}</span>
      ${ahead > 0 && html`<span class="k ahead">${t("burnup.ahead")}</span>`}<span class="sp"></span><span class="muted">${point ? time.full(Math.min(at, b.now)) : ""}</span></figcaption>
    <div class="plot" ref=${ref} onPointerMove=${move} onPointerLeave=${() => setAt(null)}>${width > 0 && b.points.length > 0 && html`
      <svg width=${width} height=${HEIGHT} role="img" aria-label=${summary(b)}>
        ${[0, 0.25, 0.5, 0.75, 1].map((f) => html`<g key=${f}><line class="grid" x1=${LEFT} x2=${width - RIGHT} y1=${y(top * f)} y2=${y(top * f)} /><text class="tick" x=${LEFT - 8} y=${y(top * f) + 4} text-anchor="end">${top < 10_000 ? num(top * f) : compact(top * f)}</text></g>`)}
        ${timeTicks(b.from, end, Math.max(2, Math.floor(width / 110))).map((ms) => html`<text key=${ms} class="tick" x=${x(ms)} y=${HEIGHT - 6} text-anchor=${x(ms) < LEFT + 20 ? "start" : x(ms) > width - RIGHT - 20 ? "end" : "middle"}>${tickText(ms, span)}</text>`)}
        <path class="area" d=${`${done}H${x(b.now)}V${y(0)}H${x(b.points[0].at)}Z`} />
        <path class="line scope" d=${`${steps((p) => p.scope)}H${x(b.now)}`} /><path class="line did" d=${`${done}H${x(b.now)}`} />
        ${ahead > 0 && html`<path class="line ahead" d=${`M${x(b.now)} ${y(b.done)}L${x(ahead)} ${y(b.scope)}`} />`}
        ${point && html`<line class="cursor" x1=${x(Math.min(at, end))} x2=${x(Math.min(at, end))} y1=${TOP} y2=${HEIGHT - BOTTOM} />`}
      </svg>`}</div>
    <${AsTable} label=${t("overview.burnup")} heads=${[t("chart.when"), t("burnup.head.scope"), t("burnup.head.done")]} rows=${() => b.points.map((p) => [time.full(p.at), num(p.scope), num(p.done)])} /></figure>`;
}

const summary = (b) => t("burnup.summary", { done: num(b.done), scope: num(b.scope), pct: b.progress_pct, from: time.full(b.from) });

/** Forecast says when it will be done, or why nobody knows. */
export function Forecast({ data: b }) {
  if (!b.eta) return html`<span class="muted">${t(`burnup.reason.${b.eta_reason || "not_enough_data"}`)}</span>`;
  const today = time.full(b.eta).slice(0, 10) === time.full(b.now).slice(0, 10);
  return html`<span><strong>${today ? time.hm(b.eta) : time.full(b.eta).slice(0, -3)}</strong> <span class="muted">${t(`burnup.conf.${b.eta_confidence || "low"}`)}</span></span>`;
}
