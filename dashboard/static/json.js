/** JSON to look at: folded with its beginning in one line, or whole. */

import { h } from "./dom.js";

const PREVIEW = 140;

export function pretty(value) {
  return JSON.stringify(value, null, 2);
}

export function jsonBlock(value) {
  return h("pre", { class: "json", tabindex: "0", role: "group", "aria-label": "JSON" }, pretty(value));
}

/** Folded: a label and the beginning in one line. The whole is made when it is opened. */
export function foldedJson(label, value, attributes = {}) {
  const line = JSON.stringify(value) ?? "";
  const shown = line.length > PREVIEW ? `${line.slice(0, PREVIEW)}…` : line;
  return folded(label, shown, () => jsonBlock(value), attributes);
}

/** Text that may be JSON: folded if it is an object or array, otherwise as it is. */
export function foldedText(label, text) {
  try {
    const value = JSON.parse(text);
    if (typeof value === "object" && value !== null) return foldedJson(label, value);
  } catch {
    // No JSON: as it is.
  }
  return h("div", { class: "labelled" }, h("span", { class: "label" }, label), longText(text));
}

export function folded(label, preview, content, attributes = {}) {
  let made = false;
  const details = h(
    "details",
    { class: "folded", ...attributes, toggle: make },
    h("summary", {}, h("span", { class: "label" }, label), h("span", { class: "preview" }, preview)),
  );
  function make() {
    if (!made && details.open) details.append(content());
    made ||= details.open;
  }
  return details;
}

const LONG = 3000;

/** Text as it was written; very long text is cut until one asks for the rest. */
export function longText(text, className = "text") {
  const element = h("div", { class: className });
  if (text.length <= LONG) {
    element.append(text);
    return element;
  }
  // Not between the halves of a surrogate pair.
  const end = /[\uD800-\uDBFF]/.test(text[LONG - 1]) ? LONG - 1 : LONG;
  const all = () => element.replaceChildren(text);
  element.append(
    `${text.slice(0, end)}… `,
    h("button", { type: "button", class: "quiet", click: all }, `Show all ${text.length.toLocaleString("en")} characters`),
  );
  return element;
}
