// One door to the vendored library, so that a view has one import.
import { h, render, Component, Fragment } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export {
  useCallback, useEffect, useErrorBoundary, useId, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "../vendor/hooks.js";
export { Component, Fragment, h, render };

export const html = htm.bind(h);

const differ = (a, b) => {
  for (const k in a) if (a[k] !== b[k]) return true;
  for (const k in b) if (!(k in a)) return true;
  return false;
};

/** shallowEqual tells whether two values are the same, or two arrays or objects of the same members. */
export function shallowEqual(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || !a || !b) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  return !differ(a, b);
}

/** memo renders a component again only if a property changed. */
export function memo(View) {
  return class extends Component {
    shouldComponentUpdate(next) {
      return differ(this.props, next);
    }
    render(props) {
      return h(View, props);
    }
  };
}

/** cls joins class names and leaves out what is false. */
export const cls = (...names) => names.filter(Boolean).join(" ");
