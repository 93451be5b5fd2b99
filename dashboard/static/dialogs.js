/** Dialogs: a frame for all of them, and the one that asks before something is deleted. */

import { button, h } from "./dom.js";
import { failure, showing } from "./feedback.js";

/** Open a modal dialog with `content`; gives { element, close }. Escape and Cancel close it. */
export function openDialog(title, content, { onclose = () => {} } = {}) {
  const heading = h("h2", { id: "dialog-title" }, title);
  const element = h("dialog", { "aria-labelledby": "dialog-title", close: closed }, heading, content);
  const opener = document.activeElement;
  function closed() {
    element.remove();
    if (opener?.isConnected) opener.focus();
    onclose();
  }
  document.body.append(element);
  element.showModal();
  return { element, close: () => element.close() };
}

/** Ask for `phrase` to be typed, then `run`, and `then` when the dialog is closed. A failure is shown in it. */
export function confirmTyped({ title, text, phrase, run, then = () => {} }) {
  const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", input: check, autofocus: true });
  const confirm = h("button", { type: "submit", class: "primary danger", disabled: true }, "Delete");
  const place = h("div");
  const form = h(
    "form",
    { submit },
    h("p", {}, text),
    h("label", {}, h("span", {}, `Type “${phrase}” to confirm`), input),
    place,
    h("div", { class: "actions" }, confirm, button("Cancel", () => dialog.close())),
  );
  const dialog = openDialog(title, form);

  function check() {
    confirm.disabled = input.value.trim() !== phrase;
  }

  async function submit(event) {
    event.preventDefault();
    if (confirm.disabled) return;
    confirm.disabled = true;
    place.replaceChildren();
    try {
      await showing(place, "Deleting", run);
      dialog.close();
      then();
    } catch (error) {
      place.replaceChildren(failure("Not deleted", error));
      check();
    }
  }
}
