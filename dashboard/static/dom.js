/**
 * Makes elements. Strings become text nodes and nothing else: what was stored is never read as HTML.
 */

/**
 * An element. A function under a name is a listener of that event; null, undefined and false are
 * left out, true is an attribute without a value. `value` is set as a property.
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "value") element.value = value;
    else if (name === "href") setHref(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Only places of our own and the web: a `javascript:` address stays without effect. */
function setHref(element, value) {
  if (/^\/(?!\/)/.test(value) || isWebAddress(value)) element.setAttribute("href", value);
}

export function isWebAddress(value) {
  try {
    return ["http:", "https:"].includes(new URL(value).protocol);
  } catch {
    return false;
  }
}

/** A link to somebody else's site: it opens apart, and learns nothing of this page. */
export function outwardLink(address, text = address) {
  if (!isWebAddress(address)) return h("span", { class: "dead-link" }, text);
  return h(
    "a",
    { href: address, target: "_blank", rel: "noopener noreferrer", class: "outward" },
    text,
    h("span", { class: "sr-only" }, " (opens in a new tab)"),
  );
}

export function button(text, onclick, attributes = {}) {
  return h("button", { type: "button", click: onclick, ...attributes }, text);
}

/** A button that copies what `text()` gives, and says that it has. */
export function copyButton(label, text, attributes = {}) {
  const element = button(label, copy, attributes);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text());
      announce("Copied");
      element.replaceChildren("Copied");
    } catch {
      element.replaceChildren("Not copied: the browser refuses");
    }
    setTimeout(() => element.replaceChildren(label), 1500);
  }
  return element;
}

const announcer = h("div", { class: "sr-only", "aria-live": "polite" });

/** Tell a screen reader. */
export function announce(text) {
  if (!announcer.isConnected) document.body.append(announcer);
  announcer.replaceChildren(text);
}

/** The beginning and the end of an id: enough to tell it from others. */
export function shortId(id) {
  return id.length > 22 ? `${id.slice(0, 13)}…${id.slice(-6)}` : id;
}

/** A point in time, given in Unix seconds: short to read, whole on hover. */
export function time(seconds) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return h("span", {}, String(seconds));
  const today = new Date().toDateString() === date.toDateString();
  const thisYear = new Date().getFullYear() === date.getFullYear();
  const day = { day: "numeric", month: "short", ...(thisYear ? {} : { year: "numeric" }) };
  const clock = { hour: "2-digit", minute: "2-digit", ...(today ? { second: "2-digit" } : {}) };
  const text = date.toLocaleString("en-GB", today ? clock : { ...day, ...clock });
  return h("time", { datetime: date.toISOString(), title: date.toISOString() }, text);
}

export function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/** A length as the API counts it: in code points. */
export function codePoints(text) {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** Calls `onReached` when `element` is about to be seen, until the result is called. */
export function whenNear(element, root, onReached) {
  const observer = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && onReached(),
    { root, rootMargin: "600px 0px" },
  );
  observer.observe(element);
  return () => observer.disconnect();
}
