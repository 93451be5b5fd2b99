/**
 * What the page shows is written in its address, so that a view can be reloaded, shared and left
 * by the browser's own buttons:
 *
 *   /?metadata[topic]=demo&isolation_key=alice              the list
 *   /conversations/conv_1?metadata[topic]=demo&item=msg_1   a conversation, beside the same list
 */

/** { conversation: id or null, item: id or null, filters: [[key, value]], isolationKey: text } */
export function currentRoute() {
  const parameters = new URLSearchParams(location.search);
  const [, id] = location.pathname.match(/^\/conversations\/([^/]+)$/) ?? [];
  return {
    conversation: id === undefined ? null : decoded(id),
    item: parameters.get("item"),
    filters: [...parameters]
      .filter(([name]) => /^metadata\[.*\]$/s.test(name))
      .map(([name, value]) => [name.slice("metadata[".length, -1), value]),
    isolationKey: parameters.get("isolation_key") ?? "",
  };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function addressOf(route) {
  const parameters = new URLSearchParams();
  for (const [key, value] of route.filters) parameters.append(`metadata[${key}]`, value);
  if (route.isolationKey) parameters.set("isolation_key", route.isolationKey);
  if (route.conversation && route.item) parameters.set("item", route.item);
  const path = route.conversation ? `/conversations/${encodeURIComponent(route.conversation)}` : "/";
  // Brackets may stand in a query as they are, and read better.
  const query = parameters.toString().replaceAll("%5B", "[").replaceAll("%5D", "]");
  return query ? `${path}?${query}` : path;
}

let onChange = () => {};

/** Go to `changes` from where the page is. */
export function go(changes) {
  const address = addressOf({ ...currentRoute(), item: null, ...changes });
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
  onChange(currentRoute());
}

/** Tell `listener` of every place that the page comes to, the first included. */
export function follow(listener) {
  onChange = listener;
  addEventListener("popstate", () => onChange(currentRoute()));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-route]");
    const apart = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
    if (!link || apart) return;
    event.preventDefault();
    history.pushState(null, "", link.href);
    onChange(currentRoute());
  });
  onChange(currentRoute());
}
