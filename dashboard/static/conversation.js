/** One conversation: what it is, its metadata, its whole timeline, and what can be done with it. */

import { calls } from "./api.js";
import { composer } from "./compose.js";
import { announce, button, copyButton, h, time } from "./dom.js";
import { confirmTyped, openDialog } from "./dialogs.js";
import { failure, showing } from "./feedback.js";
import { jsonBlock, pretty } from "./json.js";
import { chip } from "./list.js";
import { metadataForm } from "./metadata.js";
import { addressOf, currentRoute, go } from "./route.js";
import { Timeline } from "./timeline.js";

export class ConversationView {
  /** `onChange(id, conversation)` is told of changed metadata, or (null) of a deletion. */
  constructor(api, onChange) {
    this.api = api;
    this.onChange = onChange;
    this.element = h("section", { class: "pane conversation-pane", "aria-label": "Conversation" });
    this.#rest();
  }

  show(route) {
    const wanted = JSON.stringify([route.conversation, route.isolationKey, route.item]);
    if (wanted === this.wanted) return this.#links();
    this.wanted = wanted;
    this.aborter?.abort();
    this.timeline?.close();
    this.timeline = null;
    this.element.classList.toggle("is-open", route.conversation !== null);
    if (route.conversation === null) return this.#rest();
    return this.#open(route.conversation, route.item);
  }

  #rest() {
    this.id = null;
    this.element.replaceChildren(
      h("p", { class: "nothing" }, "Choose a conversation, or open one by its id."),
      h("form", { class: "open-by-id", submit: openById }, h("input", { type: "text", name: "id", "aria-label": "Conversation id", placeholder: "conv_…", spellcheck: "false" }), h("button", { type: "submit" }, "Open")),
    );
    function openById(event) {
      event.preventDefault();
      const id = new FormData(event.target).get("id").trim();
      if (id) go({ conversation: id });
    }
  }

  async #open(id, item) {
    this.id = id;
    this.aborter = new AbortController();
    const { signal } = this.aborter;
    const place = h("div", { class: "scroller" });
    this.element.replaceChildren(h("div", { class: "pane-head" }, this.#back(), h("h2", { class: "id" }, id)), place);
    try {
      const read = await showing(place, "Loading the conversation", () => this.api.send(calls.conversation(id), signal));
      if (signal.aborted) return;
      this.#lay(read, item);
    } catch (error) {
      if (signal.aborted) return;
      place.replaceChildren(failure("The conversation could not be loaded", error, () => this.#open(id, item)));
    }
  }

  #lay({ body, etag }, item) {
    const { api, id } = this;
    const scroller = h("div", { class: "scroller" });
    const timeline = (this.timeline = new Timeline(api, id, scroller));
    scroller.append(timeline.element);
    this.metadata = h("div", { class: "metadata" });
    const heading = h("h2", { class: "id", title: id, tabindex: "-1" }, id);
    this.version = { conversation: body, etag };
    this.#showMetadata();
    this.element.replaceChildren(
      h(
        "div",
        { class: "pane-head" },
        h(
          "div",
          { class: "spread" },
          h(
            "div",
            { class: "title" },
            this.#back(),
            heading,
            copyButton("Copy id", () => id, { class: "quiet" }),
            h("span", { class: "muted" }, "created ", time(body.created_at)),
          ),
          h(
            "div",
            { class: "toolbar" },
            (this.edit = button("Edit metadata", () => this.#edit())),
            copyButton("Copy as curl", () => api.curl(calls.conversation(id))),
            button("JSON", () => this.#json()),
            button("Delete conversation", () => this.#delete(), { class: "danger" }),
          ),
        ),
        h("div", { class: "spread" }, this.metadata, timeline.controls),
      ),
      scroller,
      composer(api, id, () => timeline.open("end")),
    );
    // On a narrow screen the list has gone, and with it the link that had the focus.
    if (document.activeElement === document.body) heading.focus();
    timeline.open(item ?? "start");
  }

  #back() {
    const back = h("a", { class: "back", "data-route": true, href: "/" }, "‹ List");
    this.back = back;
    this.#links();
    return back;
  }

  /** Where "back" leads follows the filter. */
  #links() {
    if (this.back) this.back.setAttribute("href", addressOf({ ...currentRoute(), conversation: null }));
    if (this.version && this.metadata && !this.metadata.querySelector("form")) this.#showMetadata();
  }

  #showMetadata() {
    const pairs = Object.entries(this.version.conversation.metadata);
    this.metadata.replaceChildren(
      pairs.length ? h("div", { class: "chips" }, pairs.map(chip)) : h("span", { class: "muted" }, "No metadata"),
    );
    if (this.edit) this.edit.disabled = false;
  }

  async #edit() {
    // What is edited is what is there now, not what was there when the page was opened.
    this.edit.disabled = true;
    const { signal } = this.aborter;
    try {
      const { body, etag } = await showing(this.metadata, "Loading", () => this.api.send(calls.conversation(this.id), signal));
      if (signal.aborted) return;
      this.version = { conversation: body, etag };
    } catch (error) {
      if (signal.aborted) return;
      this.#showMetadata();
      this.metadata.append(failure("The metadata could not be read", error, () => this.#edit()));
      return;
    }
    const done = () => {
      this.#showMetadata();
      this.edit.focus();
    };
    const form = metadataForm(this.api, this.version, {
      onCancel: done,
      onSaved: ({ body, etag }) => {
        this.version = { conversation: body, etag };
        this.onChange(body.id, body);
        announce("Metadata saved");
        done();
      },
    });
    this.metadata.replaceChildren(form);
    form.querySelector("input, button").focus();
  }

  #json() {
    const { conversation } = this.version;
    const dialog = openDialog(
      "Conversation",
      h(
        "div",
        {},
        jsonBlock(conversation),
        h("div", { class: "actions" }, copyButton("Copy JSON", () => pretty(conversation)), button("Close", () => dialog.close())),
      ),
    );
  }

  #delete() {
    const { id } = this;
    confirmTyped({
      title: "Delete this conversation?",
      text: `${id} and all of its items are deleted for good.`,
      phrase: "delete",
      run: async () => {
        await this.api.send(calls.remove(id));
        this.onChange(id, null);
        announce("The conversation is deleted");
        go({ conversation: null });
      },
    });
  }
}
