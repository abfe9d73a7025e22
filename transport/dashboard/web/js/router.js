// Addresses are paths below the page's mount; all filters stand in the query. The page is told where its mount is,
// relative to where it was opened, so that it works under any prefix.
import { useEffect, useState } from "./lib.js";

const given = globalThis.document?.querySelector('meta[name="atmcp-root"]')?.content;

// Found once, while the address is still the one that the document came from. Without a word it is where the
// assets lie: …/_/<hash>/js/router.js.
export const MOUNT = given ? new URL(given, document.baseURI) : new URL("../../../", import.meta.url);

const listeners = new Set();

/** parse takes an address apart: its segments below the mount, and its query. */
export function parse(location = globalThis.location) {
  const path = location.pathname.startsWith(MOUNT.pathname) ? location.pathname.slice(MOUNT.pathname.length) : "";
  const parts = path.split("/").filter(Boolean).map(decode);
  return { parts, query: new URLSearchParams(location.search) };
}

function decode(s) {
  try {
    return decodeURIComponent(s);
  } catch {
    return s;
  }
}

/** href is the address of a path below the mount, given as segments, with a query. */
export function href(parts, query) {
  const path = MOUNT.pathname + parts.map(encodeURIComponent).join("/");
  const q = new URLSearchParams();
  for (const [k, v] of Object.entries(query || {})) if (v !== "" && v != null && v !== false) q.set(k, v);
  const text = q.toString();
  return text ? `${path}?${text}` : path;
}

/** moved tells whether the reader came to where they are by the browser's own buttons. */
export const moved = { back: false };

/** go opens an address of this page. */
export function go(address, { replace = false } = {}) {
  const target = new URL(address, globalThis.location.href);
  if (target.href === globalThis.location.href) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  moved.back = false;
  emit();
}

/** setQuery changes some members of the query and keeps the others; null takes one away. */
export function setQuery(changes, { replace = true } = {}) {
  const target = new URL(globalThis.location.href);
  for (const [k, v] of Object.entries(changes)) {
    if (v == null || v === "" || v === false) target.searchParams.delete(k);
    else target.searchParams.set(k, v);
  }
  go(target.href, { replace });
}

function emit() {
  for (const fn of [...listeners]) fn();
}

/** onRoute has fn called whenever the address changed. */
export function onRoute(fn) {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

export function useRoute() {
  const [route, setRoute] = useState(parse);
  useEffect(() => onRoute(() => setRoute(parse())), []);
  return route;
}

/** start has links inside the mount open without loading the page anew. */
export function start() {
  addEventListener("popstate", () => {
    moved.back = true;
    emit();
  });
  document.addEventListener("click", (e) => {
    if (e.defaultPrevented || e.button || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    const a = e.target.closest?.("a[href]");
    if (!a || a.target || a.hasAttribute("download") || a.dataset.native !== undefined) return;
    const to = new URL(a.href);
    if (to.origin !== location.origin || !to.pathname.startsWith(MOUNT.pathname)) return;
    if (to.hash && to.pathname === location.pathname && to.search === location.search) return;
    e.preventDefault();
    go(to.href);
  });
}
