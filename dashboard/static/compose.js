/** Writing: a new conversation, and a message into one that is there. */

import { calls } from "./api.js";
import { button, h } from "./dom.js";
import { openDialog } from "./dialogs.js";
import { failure, showing } from "./feedback.js";
import { PairsEditor } from "./metadata.js";

const ROLES = ["user", "assistant", "system", "developer"];

function roleSelect() {
  return h("select", { "aria-label": "Role" }, ROLES.map((role) => h("option", { value: role }, role)));
}

/**
 * An idempotency key for each body: what is sent again after a failure is stored once, and what has
 * been changed since is something new.
 */
function keyring() {
  let [lastBody, key] = [null, null];
  return (body) => {
    const text = JSON.stringify(body);
    if (text !== lastBody) [lastBody, key] = [text, crypto.randomUUID()];
    return key;
  };
}

/** Ask for metadata and a first message; `onCreated` gets the conversation. */
export function newConversation(api, onCreated) {
  const keyFor = keyring();
  const editor = new PairsEditor({});
  const role = roleSelect();
  const text = h("textarea", { rows: "4", "aria-label": "First message", placeholder: "May stay empty" });
  const place = h("div");
  const create = h("button", { type: "submit", class: "primary" }, "Create");
  const form = h(
    "form",
    { submit },
    h("h3", {}, "Metadata"),
    editor.element,
    h("h3", {}, "First message"),
    h("div", { class: "message-fields" }, role, text),
    place,
    h("div", { class: "actions" }, create, button("Cancel", () => dialog.close())),
  );
  const dialog = openDialog("New conversation", form);

  async function submit(event) {
    event.preventDefault();
    place.replaceChildren();
    const metadata = editor.read();
    if (metadata === null) return;
    const body = { metadata, ...(text.value ? { items: [message(role.value, text.value)] } : {}) };
    create.disabled = true;
    try {
      const { body: conversation } = await showing(place, "Creating", () => api.send(calls.create(body, keyFor(body))));
      dialog.close();
      onCreated(conversation);
    } catch (error) {
      if (error.status !== 400 || !editor.showFaults(error)) place.replaceChildren(failure("Not created", error));
    } finally {
      create.disabled = false;
    }
  }
}

/** A form that appends a message to a conversation; `onAppended` is called when it is stored. */
export function composer(api, conversationId, onAppended) {
  const keyFor = keyring();
  const role = roleSelect();
  const text = h("textarea", { rows: "1", "aria-label": "Message", placeholder: "Append a message", keydown: send });
  const place = h("div");
  const append = h("button", { type: "submit" }, "Append");
  const form = h("form", { class: "composer", submit, "aria-label": "Append a message" }, place, h("div", { class: "message-fields" }, role, text, append));

  function send(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  }

  async function submit(event) {
    event.preventDefault();
    if (!text.value || append.disabled) return text.focus();
    const items = [message(role.value, text.value)];
    append.disabled = true;
    place.replaceChildren();
    try {
      await showing(place, "Appending", () => api.send(calls.append(conversationId, items, keyFor(items))));
      text.value = "";
      // The same text again is another message.
      keyFor(null);
      onAppended();
    } catch (error) {
      place.replaceChildren(failure("Not appended", error));
    } finally {
      append.disabled = false;
    }
    return undefined;
  }
  return form;
}

function message(role, text) {
  return { type: "message", role, content: text };
}
