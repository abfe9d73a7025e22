// The keyboard. Single letters work only outside of fields and of an input method's composition, and can be turned
// off; what a view wants of them it says with useKeys.
import { useEffect } from "./lib.js";
import { settings } from "./app.js";

const handlers = []; // the newest first
let prefix = "";
let prefixTimer;

export const typing = (e) => {
  const el = e.target;
  return e.isComposing || el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName || "");
};

/** useKeys has keys call functions while the component is there: {"j": fn, "g o": fn}. A function that returns false passes. */
export function useKeys(map) {
  useEffect(() => {
    handlers.unshift(map);
    return () => void handlers.splice(handlers.indexOf(map), 1);
  });
}

function run(key, e) {
  for (const map of handlers) {
    if (map[key] && map[key](e) !== false) {
      e.preventDefault();
      return true;
    }
  }
  return false;
}

export function startKeys() {
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing) return;
    if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === "k") return void run("mod+k", e);
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e) || document.querySelector("dialog[open], .menu")) return;
    const key = e.shiftKey && e.key.length > 1 ? `shift+${e.key}` : e.key;
    if (e.key === " " && e.target.closest("button, a, summary, [role=option], [role=tab]")) return;
    if (!settings.keys && e.key.length === 1) return;
    clearTimeout(prefixTimer);
    if (prefix && run(`${prefix} ${key}`, e)) return void (prefix = "");
    prefix = "";
    if (key === "g") {
      prefix = "g";
      prefixTimer = setTimeout(() => (prefix = ""), 1200);
      return;
    }
    run(key, e);
  });
}
