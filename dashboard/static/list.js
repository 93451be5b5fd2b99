/** The conversations of one user, newest first, narrowed by metadata; more come as one scrolls. */

import { calls } from "./api.js";
import { deleteAll, forget, resume, unfinished } from "./bulk.js";
import { button, copyButton, count, h, shortId, time, whenNear } from "./dom.js";
import { failure, showing } from "./feedback.js";
import { FilterError, formatFilters, hasPair, parseFilters, toggled } from "./filters.js";
import { addressOf, currentRoute, go } from "./route.js";
import { Shelf } from "./shelf.js";

const CHIPS = 6;

export class ListView {
  constructor(api) {
    this.api = api;
    this.rows = new Map();
    this.input = h("input", {
      type: "text",
      id: "filter",
      "aria-label": "Filter by metadata",
      "aria-describedby": "filter-problem",
      placeholder: "topic=demo user=ann",
      autocomplete: "off",
      spellcheck: "false",
      change: () => this.#apply(),
    });
    this.problem = h("p", { id: "filter-problem", class: "field-error", role: "alert", hidden: true });
    this.clear = button("Clear", () => go({ filters: [] }), { class: "quiet", "aria-label": "Clear filter" });
    this.status = h("span", { class: "muted", role: "status" });
    this.pending = h("div");
    this.list = h("ul", { role: "list", "aria-label": "Conversations", class: "rows" });
    this.edge = h("div", { class: "edge" });
    this.scroller = h("div", { class: "scroller" }, this.list, this.edge);
    this.shelf = new Shelf(this.list, this.scroller);
    this.deleteAll = button("Delete all…", () => deleteAll(api, this.shown, () => this.#afterDeletion()), { class: "quiet danger" });
    this.element = h(
      "section",
      { class: "pane list-pane", "aria-label": "List" },
      h(
        "div",
        { class: "pane-head" },
        h("form", { class: "filter", role: "search", submit: (event) => event.preventDefault() }, this.input, this.clear),
        this.problem,
        h(
          "div",
          { class: "list-controls" },
          this.status,
          button("Refresh", () => this.reload(), { class: "quiet" }),
          copyButton("curl", () => api.curl(calls.conversations(this.shown)), { class: "quiet", "aria-label": "Copy list as curl", title: "Copy as curl" }),
          this.deleteAll,
        ),
        this.pending,
      ),
      this.scroller,
    );
  }

  /** Show what the route says: the same list stays as it is. */
  show(route) {
    const { filters, isolationKey } = route;
    const wanted = JSON.stringify([filters, isolationKey]);
    if (wanted !== this.wanted) {
      this.wanted = wanted;
      this.shown = { filters, isolationKey };
      this.input.value = formatFilters(filters);
      this.#complain(null);
      this.reload();
    }
    this.clear.hidden = !filters.length;
    this.#mark(this.current, false);
    this.current = route.conversation;
    this.#mark(this.current, true);
  }

  #mark(id, isCurrent) {
    const row = this.rows.get(id);
    if (!row) return;
    row.classList.toggle("is-current", isCurrent);
    row.querySelector("a").setAttribute("aria-current", String(isCurrent));
  }

  async reload() {
    this.aborter?.abort();
    this.aborter = new AbortController();
    this.stopWatching?.();
    this.rows.clear();
    this.shelf.clear();
    this.scroller.scrollTop = 0;
    this.last = null;
    this.#showUnfinished();
    await this.#more();
  }

  /** Take note of changed metadata, or (null) of a deletion. */
  changed(id, conversation) {
    const row = this.rows.get(id);
    if (!row) return;
    if (conversation) {
      const renewed = this.#row(conversation);
      row.replaceWith(renewed);
      this.rows.set(id, renewed);
    } else {
      row.remove();
      this.rows.delete(id);
    }
    this.#tell();
  }

  /** Focus the next or the previous row. */
  step(by) {
    const links = [...this.list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const from = at >= 0 ? at : links.findIndex((link) => link.closest(".is-current"));
    links[Math.min(Math.max(from + by, 0), links.length - 1)]?.focus();
  }

  #apply() {
    try {
      const filters = parseFilters(this.input.value);
      this.#complain(null);
      go({ filters, conversation: null });
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.#complain(error.message);
    }
  }

  #complain(message) {
    this.problem.hidden = message === null;
    this.problem.replaceChildren(message ?? "");
    this.input.toggleAttribute("aria-invalid", message !== null);
  }

  async #more() {
    const { signal } = this.aborter;
    this.stopWatching?.();
    this.edge.replaceChildren();
    this.list.setAttribute("aria-busy", "true");
    try {
      const call = calls.conversations({ ...this.shown, after: this.last });
      const { body } = await showing(this.edge, "Loading conversations", () => this.api.send(call, signal));
      this.#add(body);
    } catch (error) {
      if (signal.aborted) return;
      this.edge.replaceChildren(failure("The conversations could not be loaded", error, () => this.#more()));
      this.status.replaceChildren("");
      this.deleteAll.hidden = true;
    }
    this.list.removeAttribute("aria-busy");
  }

  #add({ data, has_more: hasMore, last_id: last }) {
    const rows = data.map((conversation) => this.#row(conversation));
    data.forEach(({ id }, index) => this.rows.set(id, rows[index]));
    this.shelf.append(rows);
    this.last = last;
    this.hasMore = hasMore && last !== null;
    if (this.hasMore) {
      const load = () => this.#more();
      this.edge.append(button("Load more", load, { class: "quiet" }));
      this.stopWatching = whenNear(this.edge, this.scroller, load);
    } else if (!this.rows.size) {
      this.edge.append(this.#nothing());
    }
    this.#tell();
  }

  #tell() {
    const loaded = `${this.rows.size.toLocaleString("en")} loaded`;
    this.status.replaceChildren(this.hasMore ? loaded : count(this.rows.size, "conversation"));
    this.deleteAll.hidden = !this.rows.size;
  }

  #nothing() {
    const { filters, isolationKey } = this.shown;
    if (filters.length) return h("p", { class: "nothing" }, "No conversation has this metadata.");
    const whose = isolationKey ? "of this isolation key" : "without an isolation key";
    return h("p", { class: "nothing" }, `There are no conversations ${whose} yet.`);
  }

  #row({ id, created_at: created, metadata }) {
    const route = currentRoute();
    const pairs = Object.entries(metadata);
    const hidden = pairs.length - CHIPS;
    const isCurrent = id === route.conversation;
    return h(
      "li",
      { class: isCurrent ? "row is-current" : "row" },
      h(
        "a",
        { href: addressOf({ ...route, ...this.shown, conversation: id, item: null }), "data-route": true, class: "id", title: id, "aria-current": String(isCurrent) },
        shortId(id),
      ),
      copyButton("Copy", () => id, { class: "quiet copy", "aria-label": `Copy id ${id}` }),
      time(created),
      pairs.length
        ? h("div", { class: "chips" }, pairs.slice(0, CHIPS).map(chip), hidden > 0 ? h("span", { class: "muted" }, `+${hidden}`) : null)
        : null,
    );
  }

  /** The conversation that is open may be gone, too. */
  #afterDeletion() {
    go({ conversation: null });
    this.reload();
  }

  #showUnfinished() {
    const plan = unfinished();
    this.pending.replaceChildren();
    if (!plan || plan.isolationKey !== this.shown.isolationKey) return;
    const dismiss = () => {
      forget();
      this.#showUnfinished();
    };
    this.pending.append(
      h(
        "div",
        { class: "notice", role: "status" },
        `A deletion stopped: ${plan.ids.length.toLocaleString("en")} of ${plan.total.toLocaleString("en")} are left. `,
        button("Continue", () => resume(this.api, plan, () => this.#afterDeletion()), { class: "primary" }),
        button("Keep the rest", dismiss, { class: "quiet" }),
      ),
    );
  }
}

/** A pair of metadata that filters by itself, or ends that. */
export function chip([key, value]) {
  const { filters } = currentRoute();
  const isOn = hasPair(filters, key, value);
  const text = `${key}=${value}`;
  return h(
    "button",
    {
      type: "button",
      class: "chip",
      title: text,
      "aria-pressed": String(isOn),
      "aria-label": `Filter by ${text}`,
      click: () => go({ filters: toggled(currentRoute().filters, key, value), conversation: null }),
    },
    h("span", { class: "chip-key" }, key),
    h("span", { class: "chip-equals" }, "="),
    h("span", { class: "chip-value" }, value),
  );
}
