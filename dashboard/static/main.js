/** Puts the page together: the bar on top, the list, the conversation, and the keys. */

import { Api } from "./api.js";
import { newConversation } from "./compose.js";
import { button, h } from "./dom.js";
import { openDialog } from "./dialogs.js";
import { ConversationView } from "./conversation.js";
import { failure } from "./feedback.js";
import { ListView } from "./list.js";
import { follow, go } from "./route.js";

const KEYS = [
  ["/", "filter"],
  ["j", "next conversation"],
  ["k", "previous conversation"],
  ["n", "new conversation"],
  ["?", "these keys"],
  ["Ctrl Enter", "append the message"],
  ["Esc", "close a dialog"],
];

async function start() {
  const response = await fetch("/config.json");
  const api = new Api(await response.json());
  const list = new ListView(api);
  const conversation = new ConversationView(api, (id, changed) => list.changed(id, changed));
  const isolationKey = h("input", {
    type: "text",
    "aria-label": "Isolation key",
    placeholder: "none",
    autocomplete: "off",
    spellcheck: "false",
    change: () => go({ isolationKey: isolationKey.value, conversation: null }),
  });
  const create = () =>
    newConversation(api, ({ id }) => {
      list.reload();
      go({ conversation: id });
    });

  document.body.append(
    h(
      "header",
      { class: "bar" },
      h("h1", {}, "Conversations"),
      h("span", { class: "muted api", title: "The API" }, api.config.api),
      h("form", { class: "key", submit: (event) => event.preventDefault() }, h("label", {}, h("span", { "aria-hidden": "true" }, "Isolation key"), isolationKey)),
      button("?", showKeys, { class: "quiet", "aria-label": "Keys", title: "Keys" }),
      button("New conversation", create, { class: "primary" }),
    ),
    h("main", {}, list.element, conversation.element),
  );

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea, select, dialog");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = {
      "/": () => list.input.focus(),
      j: () => list.step(1),
      k: () => list.step(-1),
      n: create,
      "?": showKeys,
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });

  follow((route) => {
    api.isolationKey = route.isolationKey;
    isolationKey.value = route.isolationKey;
    document.title = route.conversation ? `${route.conversation} · Conversations` : "Conversations";
    document.body.classList.toggle("has-conversation", route.conversation !== null);
    list.show(route);
    conversation.show(route);
  });
}

function showKeys() {
  const rows = KEYS.map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]);
  const dialog = openDialog("Keys", h("div", {}, h("dl", { class: "keys" }, rows.flat()), h("div", { class: "actions" }, button("Close", () => dialog.close()))));
}

start().catch((error) => document.body.append(failure("The dashboard could not start", error, () => location.reload())));
