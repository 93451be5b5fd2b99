/**
 * Deletes every conversation that a filter shows. They are counted first, one by one: what comes
 * later is not among them. What is left survives a stop, a failure and a reload of the page.
 */

import { calls } from "./api.js";
import { announce, button, count, h } from "./dom.js";
import { confirmTyped, openDialog } from "./dialogs.js";
import { failure, showing } from "./feedback.js";

const STORED = "deletion under way";
const AT_ONCE = 4;
const PAUSES = 3; // how often it waits by itself where the API says to come again later
const SAVED_EVERY = 20; // conversations; one that is deleted twice is no harm

/** A deletion that was begun and not finished: { isolationKey, filters, total, ids }, or null. */
export function unfinished() {
  return JSON.parse(sessionStorage.getItem(STORED) ?? "null");
}

function keep(plan) {
  if (plan.ids.length) sessionStorage.setItem(STORED, JSON.stringify(plan));
  else sessionStorage.removeItem(STORED);
}

export function forget() {
  sessionStorage.removeItem(STORED);
}

/** Count what the filters show, ask, and delete it; `onChange` is called when the list has changed. */
export function deleteAll(api, { filters, isolationKey }, onChange) {
  const aborter = new AbortController();
  const ids = [];
  const place = h("div", {}, h("p", { role: "status" }, "Counting …"));
  const stop = () => aborter.abort();
  const dialog = openDialog(
    "Delete everything that is shown",
    h("div", {}, place, h("div", { class: "actions" }, button("Cancel", () => dialog.close()))),
    { onclose: stop },
  );
  const line = place.firstChild;
  const proceed = async () => {
    place.replaceChildren(line);
    try {
      await showing(place, "Asking the API", () => collect(api, filters, ids, aborter.signal, line));
    } catch (error) {
      if (!aborter.signal.aborted) place.append(failure("They could not be counted", error, proceed));
      return;
    }
    if (!ids.length) return void line.replaceChildren("There is nothing to delete.");
    dialog.close();
    const plan = { isolationKey, filters, total: ids.length, ids };
    confirmTyped({
      title: `Delete ${count(ids.length, "conversation")}?`,
      text: `${filters.length ? "Everything that the filter shows" : "Every conversation of this user"}, with all items, is deleted for good. What is added from now on stays.`,
      phrase: `delete ${ids.length}`,
      run: async () => keep(plan),
      then: () => resume(api, plan, onChange),
    });
  };
  proceed();
}

/** Add the ids of all pages to `ids`, from where it stopped. */
async function collect(api, filters, ids, signal, line) {
  for (let more = true; more; ) {
    const { body } = await api.send(calls.conversations({ filters, after: ids.at(-1), limit: 100 }), signal);
    ids.push(...body.data.map((conversation) => conversation.id));
    line.replaceChildren(`Counting … ${count(ids.length, "conversation")}`);
    more = body.has_more && body.data.length > 0;
  }
}

/** Go on with a plan, in a dialog with its progress. */
export function resume(api, plan, onChange) {
  const bar = h("progress", { max: String(plan.total), "aria-label": "Deleted" });
  const line = h("p", { role: "status" });
  const place = h("div");
  const actions = h("div", { class: "actions" });
  const left = new Set(plan.ids);
  let stopped = false;
  const dialog = openDialog(
    `Deleting ${count(plan.total, "conversation")}`,
    h("div", {}, bar, line, place, actions),
    {
      onclose() {
        stopped = true;
        save();
        onChange();
      },
    },
  );
  run();

  function save() {
    keep({ ...plan, ids: [...left] });
  }

  function show() {
    bar.value = plan.total - left.size;
    line.replaceChildren(`${(plan.total - left.size).toLocaleString("en")} of ${plan.total.toLocaleString("en")} deleted`);
  }

  async function run() {
    stopped = false;
    place.replaceChildren();
    actions.replaceChildren(button("Stop", () => dialog.close()));
    show();
    const queue = left.values();
    const workers = Array.from({ length: AT_ONCE }, () => work(queue));
    const [failed] = (await Promise.allSettled(workers)).filter((one) => one.status === "rejected");
    save();
    if (failed) {
      place.replaceChildren(failure("It stopped", failed.reason));
      actions.replaceChildren(button("Continue", run, { class: "primary" }), button("Close", () => dialog.close()));
    } else if (!left.size) {
      announce("Everything is deleted");
      actions.replaceChildren(button("Close", () => dialog.close(), { class: "primary" }));
      actions.firstChild.focus();
    }
  }

  async function work(queue) {
    for (const id of queue) {
      if (stopped) return;
      try {
        await remove(id);
      } catch (error) {
        stopped = true;
        throw error;
      }
      left.delete(id);
      show();
      if (left.size % SAVED_EVERY === 0) save();
    }
  }

  async function remove(id) {
    for (let pauses = 0; ; pauses += 1) {
      try {
        return await api.send(calls.remove(id));
      } catch (error) {
        if (error.status === 404) return null; // somebody else's deed, or our own before a stop
        if (!error.wait || pauses === PAUSES || stopped) throw error;
        await new Promise((done) => setTimeout(done, error.wait));
      }
    }
  }
}
