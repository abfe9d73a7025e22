// VList renders the rows that are seen, of lists of any length. Rows have one height, or are measured. What the reader
// looks at stays where it is when rows come or go above it.
import { html, useLayoutEffect, useMemo, useReducer, useRef, cls } from "../lib.js";
import { Heights, fixedView, offsets, view } from "../vlist.js";

/**
 * items, keyOf(item), row(item, index) → vnode; height (of one row), or guess where they differ;
 * header stays at the top; follow keeps the end in sight, onFollow(bool) tells when the reader leaves it or comes back; onTop(bool) the same for the start.
 */
export function VList({ items, keyOf, row, header, height, guess, class: more, follow, onFollow, onTop, label, role = "list", itemRole = "listitem",
  jump, tabindex = 0, attrs }) {
  const box = useRef();
  const [, again] = useReducer((x) => x + 1, 0);
  const port = useRef({ top: 0, height: 600, width: 0, onTop: true });
  const heights = useMemo(() => new Heights(guess || height), [guess, height]);
  const at = height ? null : offsets(items.length, (i) => heights.of(keyOf(items[i])));
  const offset = (i) => (height ? i * height : at[i]);
  const total = offset(items.length);
  const p = port.current;
  const top = follow ? Math.max(0, total - p.height) : Math.min(p.top, Math.max(0, total - p.height));
  const [from, to] = height ? fixedView(items.length, height, top, p.height) : view(at, top, p.height);

  const now = { items, keyOf, offset, total, follow, onFollow, onTop };
  const last = useRef();

  useLayoutEffect(() => {
    const el = box.current;
    const measure = () => {
      const w = el.clientWidth;
      const h = el.clientHeight - (header ? el.firstChild.offsetHeight : 0);
      if (h === p.height && w === p.width) return;
      if (p.width && w !== p.width) heights.known.clear();
      Object.assign(p, { height: h, width: w });
      again();
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(el);
    return () => watcher.disconnect();
  }, [heights]);

  // Keep what is seen in its place: the first row in sight is found again, and the box scrolled to it.
  useLayoutEffect(() => {
    const el = box.current;
    const before = el.scrollTop === p.top ? last.current : undefined; // the reader has moved on
    if (follow) {
      if (Math.abs(el.scrollTop - (total - p.height)) > 1) el.scrollTop = total;
    } else if (before && before.key !== undefined && p.top > 0 && items.length) {
      let i = Math.min(before.index, items.length - 1);
      if (keyOf(items[i]) !== before.key) i = nearest(items, keyOf, before.key, before.index);
      if (i >= 0) {
        const want = offset(i) + before.delta;
        if (Math.abs(want - el.scrollTop) > 1) el.scrollTop = want;
      }
    }
    p.top = el.scrollTop;
    anchor();
  });

  useLayoutEffect(() => {
    if (height) return;
    let changed = false;
    for (const el of box.current.lastChild.children) {
      const i = +el.dataset.i;
      if (items[i] !== undefined && heights.set(keyOf(items[i]), el.offsetHeight)) changed = true;
    }
    if (changed) again();
  });

  useLayoutEffect(() => {
    if (jump === undefined || jump === null || jump < 0) return;
    const el = box.current;
    el.scrollTop = p.top = Math.max(0, offset(jump) - p.height / 3);
    anchor();
    again();
  }, [jump]);

  function anchor() {
    if (!items.length) return void (last.current = undefined);
    const i = height ? Math.min(items.length - 1, Math.floor(p.top / height)) : view(at, p.top, 0, 0)[0];
    last.current = { index: i, key: keyOf(items[i]), delta: p.top - offset(i) };
  }

  const scrolled = () => {
    const el = box.current;
    if (!el) return; // it scrolled once more as it went
    const was = p.top;
    p.top = el.scrollTop;
    anchor();
    const end = p.top + p.height >= now.total - 24;
    if (onFollow && follow && p.top < was - 2 && !end) onFollow(false);
    else if (onFollow && !follow && end && p.top > was) onFollow(true);
    const atTop = p.top < 8;
    if (onTop && atTop !== p.onTop) onTop(atTop);
    p.onTop = atTop;
    again();
  };

  const rows = [];
  for (let i = from; i < to; i++) {
    const key = keyOf(items[i]);
    rows.push(html`<${Row} key=${key} i=${i} y=${offset(i)} h=${height} role=${itemRole} count=${items.length}>${row(items[i], i)}</${Row}>`);
  }
  return html`<div class=${cls("vlist", more)} ref=${box} onScroll=${scrolled} tabindex=${tabindex} role=${role} aria-label=${label}
    ...${attrs}>${header}
    <div class="all" role="presentation" style=${{ height: `${total}px` }}>${rows}</div></div>`;
}

function Row({ i, y, h, role, count, children }) {
  return html`<div class="at" data-i=${i} role=${role} aria-setsize=${role === "listitem" ? count : undefined}
    aria-posinset=${role === "listitem" ? i + 1 : undefined}
    style=${{ transform: `translateY(${y}px)`, height: h ? `${h}px` : "" }}>${children}</div>`;
}

// Rows seldom move far: look around where it was.
function nearest(items, keyOf, key, index) {
  const reach = Math.max(index, items.length - index);
  for (let d = 1; d <= Math.min(reach, 2000); d++) {
    if (index - d >= 0 && index - d < items.length && keyOf(items[index - d]) === key) return index - d;
    if (index + d < items.length && keyOf(items[index + d]) === key) return index + d;
  }
  return -1;
}

/** rowKeys moves the focus among the rows of a list by arrow keys and by j and k. */
export function moveFocus(container, step) {
  const rows = [...container.querySelectorAll("[data-row]")].sort((a, b) => +a.dataset.row - +b.dataset.row);
  if (!rows.length) return;
  const i = rows.indexOf(document.activeElement);
  const next = i < 0 ? (step > 0 ? firstSeen(container, rows) : rows.at(-1)) : rows[Math.max(0, Math.min(rows.length - 1, i + step))];
  next.focus({ preventScroll: false });
}

function firstSeen(container, rows) {
  const top = container.getBoundingClientRect().top;
  return rows.find((r) => r.getBoundingClientRect().top >= top) || rows[0];
}
