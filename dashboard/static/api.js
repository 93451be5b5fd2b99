/**
 * The API's operations. Each is described as a call first, { method, path, query, headers, body },
 * which is then sent, or written as a curl command.
 */

const ROOT = "/openai/v1/conversations";

export const calls = {
  conversations: ({ filters, after, limit = 50 }) => ({
    method: "GET",
    path: ROOT,
    query: [
      ...filters.map(([key, value]) => [`metadata[${key}]`, value]),
      ["limit", limit],
      ...(after ? [["after", after]] : []),
    ],
  }),
  conversation: (id) => ({ method: "GET", path: pathOf(id) }),
  create: (body, idempotencyKey) => ({
    method: "POST",
    path: ROOT,
    body,
    headers: { "Idempotency-Key": idempotencyKey },
  }),
  update: (id, metadata, etag) => ({
    method: "POST",
    path: pathOf(id),
    body: { metadata },
    headers: { "If-Match": etag },
  }),
  remove: (id) => ({ method: "DELETE", path: pathOf(id) }),
  items: (id, query) => ({ method: "GET", path: `${pathOf(id)}/items`, query: Object.entries(query) }),
  item: (id, itemId) => ({ method: "GET", path: itemPath(id, itemId) }),
  append: (id, items, idempotencyKey) => ({
    method: "POST",
    path: `${pathOf(id)}/items`,
    body: { items },
    headers: { "Idempotency-Key": idempotencyKey },
  }),
  removeItem: (id, itemId) => ({ method: "DELETE", path: itemPath(id, itemId) }),
};

const pathOf = (id) => `${ROOT}/${encodeURIComponent(id)}`;
const itemPath = (id, itemId) => `${pathOf(id)}/items/${encodeURIComponent(itemId)}`;

/** What went wrong with a call: of the API's, the dashboard's, or on the way to it (status 0). */
export class ApiError extends Error {
  constructor({ status = 0, message, code = null, param = null, details = [], requestId = null, wait = 0 }) {
    super(message);
    Object.assign(this, { status, code, param, details, requestId, wait });
  }

  /** Each fault of the request, one at least. */
  get faults() {
    return this.details.length ? this.details : [this];
  }
}

export class Api {
  /** `config`: what the server says of the API, { api, token }. */
  constructor(config) {
    this.config = config;
    this.isolationKey = "";
  }

  /** Send a call. Gives { body, etag }; throws `ApiError`, or the signal's reason. */
  async send(call, signal) {
    let response;
    let body;
    try {
      response = await fetch(addressOf(call), {
        method: call.method,
        headers: this.#headers(call),
        body: call.body === undefined ? undefined : JSON.stringify(call.body),
        signal,
      });
      body = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof ApiError
        ? error
        : new ApiError({ message: "The dashboard's own server does not answer. Does it still run?" });
    }
    const value = parsed(body);
    if (response.ok && value !== undefined) return { body: value, etag: response.headers.get("ETag") };
    throw failureOf(response, value);
  }

  /** The call for a terminal. The token is the caller's own: `TOKEN=$(az ...)`. */
  curl(call) {
    const quote = (text) => `'${String(text).replaceAll("'", `'\\''`)}'`;
    const words = ["curl -s"];
    if (call.method !== "GET") words.push(`-X ${call.method}`);
    words.push(quote(this.config.api + addressOf(call)));
    if (this.config.token) words.push('-H "Authorization: Bearer $TOKEN"');
    for (const [name, value] of Object.entries(this.#headerValues(call))) {
      words.push(`-H ${quote(`${name}: ${value}`)}`);
    }
    if (call.body !== undefined) words.push(`-d ${quote(JSON.stringify(call.body))}`);
    return words.join(" ");
  }

  #headerValues(call) {
    return {
      ...(call.body === undefined ? {} : { "Content-Type": "application/json" }),
      ...(this.isolationKey ? { "x-ms-user-isolation-key": this.isolationKey } : {}),
      ...call.headers,
    };
  }

  #headers(call) {
    try {
      return new Headers(this.#headerValues(call));
    } catch {
      const message = "The isolation key has characters that no header can bear.";
      throw new ApiError({ message, param: "x-ms-user-isolation-key" });
    }
  }
}

function addressOf(call) {
  const query = new URLSearchParams(call.query ?? []).toString();
  return query ? `${call.path}?${query}` : call.path;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failureOf(response, value) {
  const error = value?.error ?? {};
  const wait = Number(response.headers.get("retry-after-ms")) || Number(response.headers.get("Retry-After")) * 1000;
  const words = typeof error.message === "string" ? error.message : value?.message;
  return new ApiError({
    status: response.status,
    message: typeof words === "string" ? words : "The answer is none of this API's. Is its address right?",
    code: error.code ?? null,
    param: error.param ?? null,
    details: Array.isArray(error.details) ? error.details : [],
    requestId: response.headers.get("x-request-id"),
    wait: wait || 0,
  });
}
