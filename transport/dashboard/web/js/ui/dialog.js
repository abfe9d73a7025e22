// What lies over a view: dialogs, the drawer, menus. Each gives the focus back to where it was opened from.
import { html, useLayoutEffect, useRef, useState, useId } from "../lib.js";
import { ApiError } from "../api.js";
import { t } from "../i18n.js";
import { ErrorText, IconButton } from "./bits.js";
import { Icon as IconOf } from "./icons.js";
import { Guard } from "./panel.js";

const back = (to) => {
  const now = document.activeElement;
  if (now && now !== document.body) return;
  (to?.isConnected ? to : document.querySelector("main [data-focus]"))?.focus({ preventScroll: true });
};

/** useReturn gives the focus back when what took it is gone. */
export function useReturn() {
  useLayoutEffect(() => {
    const from = document.activeElement;
    return () => setTimeout(back, 0, from);
  }, []);
}

let opener; // where the drawer, or the pane beside a list, was opened from, whatever it has shown since
const PANE = ".drawer, .watch";

/** usePaneReturn is useReturn for what shows one thing after the other. */
export function usePaneReturn() {
  useLayoutEffect(() => {
    const from = document.activeElement;
    if (from && from !== document.body && !from.closest(PANE)) opener = from;
    return () => setTimeout(() => document.querySelector(PANE) || back(opener), 0);
  }, []);
}

/** Dialog is a native one. Without onClose it cannot be closed; a click outside does the same, unless it is given what to do. */
export function Dialog({ title, onClose, onOutside = onClose, class: more, children, bare }) {
  const ref = useRef();
  const id = useId();
  useReturn();
  useLayoutEffect(() => {
    const el = ref.current;
    el.showModal();
    el.querySelector("[autofocus]")?.focus();
    return () => el.open && el.close();
  }, []);
  const cancel = (e) => {
    e.preventDefault();
    onClose?.();
  };
  return html`<dialog ref=${ref} class=${more} aria-labelledby=${bare ? undefined : id} aria-label=${bare ? title : undefined} onCancel=${cancel}
    onMouseDown=${(e) => e.target === ref.current && onOutside?.()}>
    ${bare ? children : html`<div class="in"><header><h2 id=${id}>${title}</h2>${onClose && html`<${IconButton} icon="close" label=${t("close")}
      onClick=${onClose} />`}</header>
      <${Guard} name=${title}>${children}</${Guard}></div>`}</dialog>`;
}

/** FormDialog asks for something and does it; what goes wrong is told beside the button, in the server's words. */
export function FormDialog({ title, action, onSubmit, onClose, danger, children }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState(null);
  const [begun, setBegun] = useState(false); // what was written is not lost to a click beside it
  const submit = async (e) => {
    e.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await onSubmit(new FormData(e.target));
      onClose();
    } catch (err) {
      if (!(err instanceof ApiError)) console.warn(err);
      setError(err);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose} onOutside=${begun ? null : onClose}><form onSubmit=${submit}
    onInput=${() => setBegun(true)}><div class="body">${children}<${ErrorText} error=${error} /></div>
    <footer><button type="button" class="btn" onClick=${onClose}>${t(danger ? "close" : "cancel")}</button><button class=${`btn primary${danger ? " danger" : ""}`}
      disabled=${busy}>${busy ? t("saving") : action}</button></footer></form></${Dialog}>`;
}

/** Drawer shows one thing beside a list. Escape closes it, [ and ] go to its neighbours. */
export function Drawer({ label, onClose, onPrev, onNext, header, children }) {
  const ref = useRef();
  usePaneReturn();
  useLayoutEffect(() => ref.current.focus({ preventScroll: true }), []);
  useLayoutEffect(() => { // at once, so that a key that is pressed twice is heard twice
    const onKey = (e) => {
      if (e.defaultPrevented || document.querySelector("dialog[open], .menu")) return;
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName);
      if (e.key === "Escape") {
        e.preventDefault();
        if (typing) e.target.blur();
        else onClose();
      } else if (!typing && !e.ctrlKey && !e.metaKey && e.key === "[" && onPrev) onPrev();
      else if (!typing && !e.ctrlKey && !e.metaKey && e.key === "]" && onNext) onNext();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
  return html`<aside class="drawer" ref=${ref} tabindex="-1" aria-label=${label}>
    <header><div class="row">${header}<span class="sp"></span>
      ${(onPrev || onNext) && html`<${IconButton} icon="chevron" label=${t("drawer.prev")} class="flip" onClick=${onPrev} disabled=${!onPrev} />
        <${IconButton} icon="chevron" label=${t("drawer.next")} onClick=${onNext} disabled=${!onNext} />`}
      <${IconButton} icon="close" label=${t("close")} onClick=${onClose} /></div></header>
    <div class="body"><${Guard} name=${label}>${children}</${Guard}></div></aside>`;
}

/** Menu is a button that opens a list of things to do; items are {label, icon?, danger?, run} or null for none. */
export function Menu({ items, label, icon = "more", class: more, children, small = true }) {
  const [open, setOpen] = useState(false);
  const button = useRef();
  const list = useRef();
  const shown = items.filter(Boolean);
  useLayoutEffect(() => {
    if (!open) return;
    list.current.showPopover(); // above all, whatever is scrolled or moved around it
    place(list.current, button.current);
    list.current.querySelector("button, a")?.focus();
    const away = (e) => list.current && !list.current.contains(e.target) && !button.current?.contains(e.target) && setOpen(false);
    const close = () => setOpen(false);
    document.addEventListener("mousedown", away);
    addEventListener("resize", close);
    return () => {
      document.removeEventListener("mousedown", away);
      removeEventListener("resize", close);
    };
  }, [open]);
  const shut = () => {
    setOpen(false);
    button.current?.focus();
  };
  const onKey = (e) => {
    const all = [...list.current.querySelectorAll("button, a")];
    const i = all.indexOf(document.activeElement);
    const to = { ArrowDown: all[(i + 1) % all.length], ArrowUp: all[(i - 1 + all.length) % all.length], Home: all[0], End: all.at(-1) }[e.key];
    if (to) to.focus();
    else if (e.key === "Escape" || e.key === "Tab") shut();
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  if (!shown.length) return null;
  const toggle = (e) => {
    e.stopPropagation();
    setOpen(!open);
  };
  return html`<span class="menuat" onClick=${(e) => e.stopPropagation()}>
    ${children ? html`<button type="button" ref=${button} class=${more || "btn"} aria-haspopup="menu" aria-expanded=${open} aria-label=${label}
      title=${label} onClick=${toggle}>${children}</button>`
      : html`<${IconButtonRef} refTo=${button} icon=${icon} label=${label} small=${small} class=${more} aria-haspopup="menu" aria-expanded=${open}
        data-menu onClick=${toggle} />`}
    ${open && html`<div class="menu" role="menu" popover="manual" ref=${list} aria-label=${label} onKeyDown=${onKey}>${shown.map((m) => html`
      <button type="button" role="menuitem" key=${m.label} class=${m.danger ? "danger" : ""} aria-current=${m.on ? "true" : undefined}
        onClick=${(e) => { e.stopPropagation(); shut(); m.run(); }}>${m.icon && html`<${IconOf} name=${m.icon} />`}<span class="sp">${m.label}</span>
          ${m.on && html`<${IconOf} name="check" />`}</button>`)}</div>`}</span>`;
}


function IconButtonRef({ refTo, icon, label, small, class: more, ...rest }) {
  return html`<button type="button" ref=${refTo} class=${`btn quiet icon${small ? " s" : ""} ${more || ""}`} aria-label=${label} title=${label}
    ...${rest}><${IconOf} name=${icon} /></button>`;
}

function place(el, by) {
  const b = by.getBoundingClientRect();
  const { offsetWidth: w, offsetHeight: h } = el;
  el.style.left = `${Math.max(8, Math.min(innerWidth - w - 8, b.right - w < 8 ? b.left : b.right - w))}px`;
  el.style.top = `${b.bottom + h + 8 > innerHeight && b.top > h + 8 ? b.top - h - 4 : Math.min(b.bottom + 4, innerHeight - h - 8)}px`;
}
