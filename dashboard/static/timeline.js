/**
 * The items of a conversation, oldest first, a page at a time in both directions from where it was
 * opened. An output stands under its call.
 */

import { calls } from "./api.js";
import { announce, button, copyButton, count, h, shortId, time, whenNear } from "./dom.js";
import { confirmTyped } from "./dialogs.js";
import { failure, showing } from "./feedback.js";
import { appearance, isCall, isOutput, pairKey } from "./items.js";
import { jsonBlock, pretty } from "./json.js";
import { addressOf, currentRoute } from "./route.js";
import { Shelf } from "./shelf.js";

const PAGE = 50;

export class Timeline {
  /** `scroller`: the element that scrolls. */
  constructor(api, conversationId, scroller) {
    this.api = api;
    this.id = conversationId;
    this.scroller = scroller;
    this.list = h("ol", { role: "list", "aria-label": "Items", class: "items" });
    this.shelf = new Shelf(this.list, scroller);
    this.before = h("div", { class: "edge" });
    this.after = h("div", { class: "edge" });
    this.state = h("span", { class: "muted", role: "status" });
    this.element = h("div", { class: "timeline" }, this.before, this.list, this.after);
    this.controls = h(
      "div",
      { class: "timeline-controls" },
      this.state,
      button("Oldest", () => this.open("start"), { class: "quiet" }),
      button("Latest", () => this.open("end"), { class: "quiet" }),
    );
    this.aborter = new AbortController();
  }

  close() {
    this.aborter.abort();
    this.#unwatch();
  }

  /** Show it from the "start", at the "end", or around an item. */
  async open(where) {
    this.close();
    this.aborter = new AbortController();
    this.entries = [];
    this.callsByKey = new Map();
    this.orphans = new Map();
    this.atStart = where === "start";
    this.atEnd = where === "end";
    this.shelf.clear();
    this.before.replaceChildren();
    this.after.replaceChildren();
    this.reopen = () => this.open(where);
    try {
      await this.#step(this.after, "Loading items", () => this.#first(where), this.reopen);
      if (where === "end") this.scroller.scrollTop = this.scroller.scrollHeight;
      else if (where === "start") this.scroller.scrollTop = 0;
      else this.#reveal(where);
      this.#watch();
    } catch {
      // Told in its place; or left for another view.
    }
  }

  async #first(where) {
    if (where === "start") return this.#later({});
    if (where === "end") return this.#earlier({});
    const { body: item } = await this.#send(calls.item(this.id, where));
    this.#add([item], "after");
    await this.#earlier({ before: where });
    return this.#later({ after: where });
  }

  async #later(cursor) {
    const page = await this.#send(calls.items(this.id, { order: "asc", limit: PAGE, ...cursor }));
    this.#add(page.body.data, "after");
    this.atEnd = !page.body.has_more;
    this.#settle();
  }

  /** The page in front of what is there; without a cursor, the last one. */
  async #earlier(cursor) {
    const isLast = !cursor.before;
    const query = { order: isLast ? "desc" : "asc", limit: PAGE, ...cursor };
    const page = await this.#send(calls.items(this.id, query));
    const data = isLast ? page.body.data.reverse() : page.body.data;
    this.#add(data, "before");
    this.atStart = !page.body.has_more;
    this.#settle();
  }

  async loadLater() {
    if (this.busy || this.atEnd || !this.entries.length) return;
    const after = this.entries.at(-1).item.id;
    await this.#more(this.after, () => this.#later({ after }), () => this.loadLater());
  }

  async loadEarlier() {
    if (this.busy || this.atStart || !this.entries.length) return;
    const before = this.entries[0].item.id;
    const first = this.entries[0].element;
    const top = () => first.getBoundingClientRect().top;
    const from = top();
    await this.#more(this.before, () => this.#earlier({ before }), () => this.loadEarlier());
    // What one reads stays where it is.
    if (first.isConnected) this.scroller.scrollTop += top() - from;
  }

  async #more(edge, work, again) {
    this.#unwatch();
    edge.replaceChildren();
    try {
      await this.#step(edge, "Loading items", work, again);
      this.#watch();
    } catch {
      // Told at this edge, and tried again from there.
    }
  }

  async #step(edge, what, work, again) {
    const { signal } = this.aborter;
    this.busy = true;
    this.list.setAttribute("aria-busy", "true");
    try {
      await showing(edge, what, work);
    } catch (error) {
      if (signal.aborted) throw error;
      // A cursor that is gone cannot be gone on from.
      const isGone = error.status === 404 && ["after", "before"].includes(error.param);
      edge.append(failure("The items could not be loaded", error, isGone ? this.reopen : again));
      throw error;
    } finally {
      if (!signal.aborted) {
        this.busy = false;
        this.list.removeAttribute("aria-busy");
      }
    }
  }

  #send(call) {
    return this.api.send(call, this.aborter.signal);
  }

  #watch() {
    this.#unwatch();
    const edges = [
      [this.before, this.atStart, "Load earlier items", () => this.loadEarlier()],
      [this.after, this.atEnd, "Load later items", () => this.loadLater()],
    ];
    this.watched = [];
    for (const [edge, isEnd, text, load] of edges) {
      edge.replaceChildren();
      if (isEnd || !this.entries.length) continue;
      edge.append(button(text, load, { class: "quiet" }));
      this.watched.push(whenNear(edge, this.scroller, load));
    }
  }

  #unwatch() {
    for (const stop of this.watched ?? []) stop();
    this.watched = [];
  }

  #add(items, where) {
    const made = items.map((item) => ({ item, outputs: [] }));
    for (const entry of made) entry.element = this.#row(entry);
    if (where === "after") {
      this.entries.push(...made);
      this.shelf.append(made.map((entry) => entry.element));
    } else {
      this.entries.unshift(...made);
      this.shelf.prepend(made.map((entry) => entry.element));
    }
    for (const entry of made) this.#pair(entry);
  }

  #pair(entry) {
    const key = pairKey(entry.item);
    if (key === null) return;
    if (isCall(entry.item)) {
      this.callsByKey.set(key, entry);
      const waiting = this.orphans.get(key) ?? [];
      this.orphans.delete(key);
      for (const output of waiting) this.#attach(entry, output);
    } else if (isOutput(entry.item)) {
      const call = this.callsByKey.get(key);
      if (call) this.#attach(call, entry);
      else this.orphans.set(key, [...(this.orphans.get(key) ?? []), entry]);
    }
  }

  #attach(call, output) {
    output.call = call;
    call.outputs.push(output);
    const place = h("div", { class: "output", id: `item-${output.item.id}` }, ...output.element.childNodes);
    output.element.remove();
    output.element = place;
    call.element.append(place);
  }

  /** Say which calls have no output, and which outputs no call, as far as that is known. */
  #settle() {
    for (const entry of this.callsByKey.values()) {
      const text = this.atEnd ? "no output" : "output not loaded yet";
      setNote(entry, entry.outputs.length ? null : text, this.atEnd);
    }
    for (const entry of [...this.orphans.values()].flat()) {
      setNote(entry, this.atStart ? "its call is missing" : null, true);
    }
    const total = count(this.entries.length, "item");
    const isWhole = this.atStart && this.atEnd;
    this.state.replaceChildren(isWhole ? total : `${total} loaded`);
    this.list.classList.toggle("is-empty", isWhole && !this.entries.length);
  }

  #row(entry) {
    const { item } = entry;
    const look = appearance(item);
    const body = h("div", { class: "item-body" }, look.body);
    const raw = button("JSON", toggleRaw, { class: "quiet", "aria-expanded": "false", "aria-label": `JSON of ${item.id}` });
    let block = null;
    function toggleRaw() {
      if (block) block.remove();
      block = block ? null : jsonBlock(item);
      if (block) body.after(block);
      raw.setAttribute("aria-expanded", String(block !== null));
    }
    const link = `${location.origin}${addressOf({ ...currentRoute(), conversation: this.id, item: item.id })}`;
    const curl = () => this.api.curl(calls.item(this.id, item.id));
    entry.note = h("span", { class: "badge", hidden: true });
    return h(
      "li",
      { class: `item tone-${look.tone}`, id: `item-${item.id}` },
      h(
        "div",
        { class: "item-head" },
        h("span", { class: "kind" }, look.label),
        look.name ? h("span", { class: "name" }, look.name) : null,
        item.status && item.status !== "completed" ? h("span", { class: "badge warning" }, String(item.status)) : null,
        entry.note,
        h("span", { class: "when" }, timeOf(item.id)),
        h(
          "span",
          { class: "item-actions" },
          raw,
          copyButton("curl", curl, { class: "quiet", "aria-label": `Copy item ${item.id} as curl`, title: "Copy as curl" }),
          copyButton("Copy", () => pretty(item), { class: "quiet", "aria-label": `Copy JSON of ${item.id}`, title: "Copy JSON" }),
          copyButton("Id", () => item.id, { class: "quiet", "aria-label": `Copy id ${item.id}`, title: `Copy ${item.id}` }),
          copyButton("Link", () => link, { class: "quiet", "aria-label": `Copy link to ${item.id}`, title: "Copy a link to this item" }),
          button("Delete", () => this.#remove(entry), { class: "quiet danger", "aria-label": `Delete item ${item.id}` }),
        ),
      ),
      body,
    );
  }

  #remove(entry) {
    confirmTyped({
      title: "Delete this item?",
      text: `${shortId(entry.item.id)} is removed from the conversation for good.`,
      phrase: "delete",
      run: async () => {
        await this.api.send(calls.removeItem(this.id, entry.item.id));
        this.#forget(entry);
        announce("The item is deleted");
      },
    });
  }

  #forget(entry) {
    this.entries.splice(this.entries.indexOf(entry), 1);
    const key = pairKey(entry.item);
    if (entry.call) entry.call.outputs.splice(entry.call.outputs.indexOf(entry), 1);
    if (this.callsByKey.get(key) === entry) this.callsByKey.delete(key);
    const left = (this.orphans.get(key) ?? []).filter((other) => other !== entry);
    this.orphans.set(key, left);
    // Its outputs are items of their own, and stay.
    for (const output of entry.outputs) {
      output.call = null;
      output.element = this.#row(output);
      entry.element.before(output.element);
      this.orphans.get(key).push(output);
    }
    entry.element.remove();
    this.#settle();
  }

  #reveal(itemId) {
    const element = document.getElementById(`item-${itemId}`);
    element?.scrollIntoView({ block: "center" });
    element?.classList.add("is-target");
  }
}

function setNote(entry, text, isWarning) {
  entry.note.hidden = text === null;
  entry.note.replaceChildren(text ?? "");
  entry.note.classList.toggle("warning", isWarning);
}

/** Ids that a server made begin with the time: 8 hexadecimal digits of Unix seconds. */
function timeOf(id) {
  const [, digits] = id.match(/^[a-z]+_([0-9a-f]{8})[0-9a-f]{40,}$/) ?? [];
  return digits ? time(parseInt(digits, 16)) : null;
}
