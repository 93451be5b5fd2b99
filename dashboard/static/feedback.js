/** How the page says that it waits, and that something went wrong. */

import { button, copyButton, h } from "./dom.js";

const SLOW_SECONDS = 4;

/** A line that says that `what` is under way, and after a while for how long. `stop()` ends it. */
export function waiting(what) {
  const text = h("span", {}, `${what} …`);
  const element = h("div", { class: "waiting", role: "status" }, h("span", { class: "spinner" }), text);
  const began = Date.now();
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - began) / 1000);
    if (seconds >= SLOW_SECONDS) text.replaceChildren(`${what} … the API takes its time (${seconds} s)`);
  }, 1000);
  return {
    element,
    stop() {
      clearInterval(timer);
      element.remove();
    },
  };
}

/** What failed, in whose words, the request id to ask about it, and a way to try again. */
export function failure(what, error, retry) {
  console.error(what, error);
  const facts = [error.status || null, error.code, error.param].filter(Boolean).join(" · ");
  return h(
    "div",
    { class: "failure", role: "alert" },
    h("strong", {}, what),
    h("p", {}, error.message),
    error.details?.length > 1
      ? h("ul", {}, error.details.slice(1).map((detail) => h("li", {}, detail.message)))
      : null,
    h(
      "p",
      { class: "facts" },
      facts ? h("span", {}, facts) : null,
      error.requestId ? h("span", {}, "request id ", h("code", {}, error.requestId)) : null,
    ),
    h(
      "div",
      { class: "actions" },
      retry ? button("Try again", retry, { class: "primary" }) : null,
      error.requestId ? copyButton("Copy request id", () => error.requestId) : null,
    ),
  );
}

/** Shows `waiting` in `place` while `work` runs; one that ends at once leaves no flicker. */
export async function showing(place, what, work) {
  const line = waiting(what);
  const timer = setTimeout(() => place.append(line.element), 120);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    line.stop();
  }
}
