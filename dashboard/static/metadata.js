/** Editing metadata: pairs with live counters, and the choice when somebody else was faster. */

import { ApiError, calls } from "./api.js";
import { button, codePoints, count, h } from "./dom.js";
import { failure, showing } from "./feedback.js";

// The API's limits. They are shown, not enforced: whether something is too long is the API's word.
const MAX_PAIRS = 16;
const MAX_KEY = 64;
const MAX_VALUE = 512;

/** Rows of keys and values, with how much of each limit is used. */
export class PairsEditor {
  constructor(metadata) {
    this.rows = [];
    this.list = h("div", { class: "pairs" });
    this.total = h("span", { class: "counter" });
    this.add = button("Add pair", () => this.#append("", "").key.focus(), { class: "quiet" });
    this.problem = h("p", { class: "field-error", role: "alert", hidden: true });
    this.element = h(
      "div",
      { class: "pairs-editor" },
      this.list,
      this.problem,
      h("div", { class: "pairs-foot" }, this.add, this.total),
    );
    for (const [key, value] of Object.entries(metadata)) this.#append(key, value);
    this.#count();
  }

  /** The metadata as typed, or null if a key is there twice, which is then said. */
  read() {
    this.clear();
    const keys = new Set();
    for (const row of this.rows) {
      const key = row.key.value;
      if (keys.has(key)) return this.#say(row, `The key “${key}” is there twice.`) ?? null;
      keys.add(key);
    }
    return Object.fromEntries(this.rows.map((row) => [row.key.value, row.value.value]));
  }

  clear() {
    this.problem.hidden = true;
    for (const row of this.rows) {
      row.problem.hidden = true;
      row.key.removeAttribute("aria-invalid");
    }
  }

  /** Show the faults that name a pair at that pair. Gives whether all of them found a place. */
  showFaults(error) {
    const places = error.faults.map((fault) => {
      const row = this.rows.find(({ key }) => fault.param === `metadata.${key.value}`);
      if (!row && fault.param !== "metadata") return false;
      this.#say(row, fault.message);
      return true;
    });
    return places.every(Boolean);
  }

  #say(row, message) {
    const place = row?.problem ?? this.problem;
    place.hidden = false;
    place.replaceChildren(message);
    row?.key.setAttribute("aria-invalid", "true");
    row?.key.focus();
  }

  #append(key, value) {
    const number = this.rows.length + 1;
    const row = {
      key: h("input", { type: "text", value: key, "aria-label": `Key ${number}`, placeholder: "key", input: () => this.#count() }),
      value: h("textarea", { value, rows: "1", "aria-label": `Value ${number}`, placeholder: "value", input: () => this.#count() }),
      keyCount: h("span", { class: "counter" }),
      valueCount: h("span", { class: "counter" }),
      problem: h("p", { class: "field-error", role: "alert", hidden: true }),
    };
    const remove = button("×", () => this.#remove(row), { class: "quiet", "aria-label": `Remove pair ${number}` });
    row.element = h(
      "div",
      { class: "pair" },
      h("span", { class: "field" }, row.key, row.keyCount),
      h("span", { class: "field" }, row.value, row.valueCount),
      remove,
      row.problem,
    );
    this.rows.push(row);
    this.list.append(row.element);
    this.#count();
    return row;
  }

  #remove(row) {
    this.rows.splice(this.rows.indexOf(row), 1);
    row.element.remove();
    this.#count();
    this.add.focus();
  }

  #count() {
    for (const row of this.rows) {
      show(row.keyCount, codePoints(row.key.value), MAX_KEY);
      show(row.valueCount, codePoints(row.value.value), MAX_VALUE);
    }
    show(this.total, this.rows.length, MAX_PAIRS, " pairs");
  }
}

function show(counter, used, limit, noun = "") {
  counter.replaceChildren(`${used}/${limit}${noun}`);
  counter.classList.toggle("over", used > limit);
}

/**
 * A form over a conversation's metadata, saved only over the version that was read (`etag`).
 * `onSaved` gets what the API answered, { body, etag }; `onCancel` nothing.
 */
export function metadataForm(api, { conversation, etag }, { onSaved, onCancel }) {
  const place = h("div");
  const save = h("button", { type: "submit", class: "primary" }, "Save");
  const form = h("form", { class: "metadata-form", submit, "aria-label": "Metadata" });
  let base = conversation.metadata;
  let version = etag;
  let editor;
  edit(base);

  function edit(metadata) {
    editor = new PairsEditor(metadata);
    form.replaceChildren(
      editor.element,
      place,
      h("div", { class: "actions" }, save, button("Cancel", onCancel)),
    );
  }

  async function submit(event) {
    event.preventDefault();
    place.replaceChildren();
    const mine = editor.read();
    if (mine === null) return;
    save.disabled = true;
    try {
      onSaved(await showing(place, "Saving", () => api.send(calls.update(conversation.id, mine, version))));
    } catch (error) {
      if (error.status === 412) await compare(mine);
      else if (!(error instanceof ApiError) || error.status !== 400 || !editor.showFaults(error)) {
        place.replaceChildren(failure("Not saved", error));
      }
    } finally {
      save.disabled = false;
    }
  }

  async function compare(mine) {
    try {
      const { body, etag: newer } = await api.send(calls.conversation(conversation.id));
      const choice = conflict(base, mine, body.metadata);
      const use = () => {
        base = body.metadata;
        version = newer;
        place.replaceChildren();
        edit(choice.chosen());
        save.focus();
      };
      form.replaceChildren(
        choice.element,
        h(
          "div",
          { class: "actions" },
          button("Use this", use, { class: "primary" }),
          button("Keep theirs", () => onSaved({ body, etag: newer })),
        ),
      );
      choice.element.focus();
    } catch (error) {
      place.replaceChildren(failure("It was changed meanwhile, and what is there now could not be read", error));
    }
  }
  return form;
}

// A key that one of the two does not have.
const ABSENT = Symbol("absent");

/** Theirs and yours side by side, key by key; `chosen()` gives the metadata that was put together. */
function conflict(base, mine, theirs) {
  const get = (metadata, key) => (Object.hasOwn(metadata, key) ? metadata[key] : ABSENT);
  const keys = [...new Set([...Object.keys(theirs), ...Object.keys(mine)])];
  const differing = keys.filter((key) => get(mine, key) !== get(theirs, key));
  const rows = differing.map((key, index) => {
    const [ours, its] = [get(mine, key), get(theirs, key)];
    // Where only they changed something, theirs is proposed.
    const option = (value, text, checked) =>
      h(
        "label",
        { class: "choice" },
        h("input", { type: "radio", name: `choice-${index}`, value, checked }),
        h("span", {}, h("b", {}, text), " ", text === "Yours" ? worded(ours) : worded(its)),
      );
    const onlyTheirs = ours === get(base, key);
    return h(
      "fieldset",
      {},
      h("legend", {}, key === "" ? "(empty key)" : key),
      option("theirs", "Theirs", onlyTheirs),
      option("mine", "Yours", !onlyTheirs),
    );
  });
  const element = h(
    "div",
    { class: "conflict", role: "alert", tabindex: "-1" },
    h("strong", {}, "Somebody else changed this meanwhile"),
    h("p", {}, `Nothing of yours is saved yet. ${count(differing.length, "key")} differ${differing.length === 1 ? "s" : ""}: choose for each.`),
    rows,
  );
  function chosen() {
    const isMine = (key) => {
      const index = differing.indexOf(key);
      return index >= 0 && rows[index].querySelector("input:checked").value === "mine";
    };
    const pairs = keys.map((key) => [key, get(isMine(key) ? mine : theirs, key)]);
    return Object.fromEntries(pairs.filter(([, value]) => value !== ABSENT));
  }
  return { element, chosen };
}

function worded(value) {
  return value === ABSENT ? h("i", {}, "not there") : h("code", {}, value === "" ? "(empty)" : value);
}
