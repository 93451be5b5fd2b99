/**
 * What an item looks like, by its type. A type that is not here, and one that is not as its type
 * should be, is shown as the JSON that it is.
 */

import { h } from "./dom.js";
import { folded, foldedJson, foldedText, jsonBlock, longText } from "./json.js";
import { content, picture } from "./parts.js";

/** { tone, label, name, body: nodes } of an item; `tone` is a class. */
export function appearance(item) {
  try {
    const made = kinds[item.type]?.(item);
    if (made) return made;
  } catch {
    // An item of a known type that has another shape than its type.
  }
  return { tone: "other", label: item.type, body: [jsonBlock(item)] };
}

const kinds = {
  __proto__: null, // a type may have any name: "constructor" is none of ours
  message: (item) => ({ tone: item.role, label: item.role, body: content(item.content) }),

  reasoning(item) {
    const texts = [...(item.summary ?? []), ...(item.content ?? [])];
    const words = texts.map((one) => one.text).filter(Boolean).join(" ");
    const size = item.encrypted_content?.length;
    const preview = words || (size ? `encrypted, ${size.toLocaleString("en")} characters` : "nothing to read");
    const all = () =>
      h("div", {}, content(texts), size ? h("p", { class: "muted" }, `Encrypted content of ${size.toLocaleString("en")} characters.`) : null);
    return { tone: "reasoning", label: "reasoning", body: [folded("Thought", preview.slice(0, 200), all)] };
  },

  function_call: (item) => call("tool call", item.name, foldedText("arguments", item.arguments)),
  function_call_output: (item) => output(item, outputBody(item.output)),
  custom_tool_call: (item) => call("tool call", item.name, foldedText("input", item.input)),
  custom_tool_call_output: (item) => output(item, outputBody(item.output)),

  mcp_call(item) {
    const made = call("MCP call", `${item.server_label} / ${item.name}`, foldedText("arguments", item.arguments));
    if (typeof item.output === "string") made.body.push(foldedText("output", item.output));
    if (item.error) made.body.push(foldedJson("error", item.error, { open: true }));
    return made;
  },
  mcp_list_tools: (item) =>
    call("MCP tools", item.server_label, foldedJson(`${item.tools.length} tools`, item.tools)),
  mcp_approval_request: (item) =>
    call("approval wanted", `${item.server_label} / ${item.name}`, foldedText("arguments", item.arguments)),
  mcp_approval_response: (item) =>
    output(item, [h("span", { class: `badge ${item.approve ? "good" : "warning"}` }, item.approve ? "approved" : "refused"), ...content(item.reason)]),

  web_search_call: (item) =>
    call("web search", item.action.query ?? item.action.type, foldedJson("action", item.action), status(item)),
  file_search_call: (item) =>
    call("file search", item.queries.join(" · "), item.results ? foldedJson(`${item.results.length} results`, item.results) : null, status(item)),

  code_interpreter_call: (item) =>
    call("code", item.container_id, item.code === null ? null : h("pre", { class: "code", tabindex: "0" }, item.code), ...(item.outputs ?? []).map(codeOutput)),
  image_generation_call: (item) =>
    call("image generation", "", item.result ? picture(`data:image/png;base64,${item.result}`) : null, status(item)),

  computer_call: (item) =>
    call("computer", item.action?.type ?? "", foldedJson("action", item.action ?? item.actions)),
  computer_call_output: (item) => output(item, content([item.output])),

  local_shell_call: (item) => call("shell", "", command([item.action.command].flat().join(" "))),
  local_shell_call_output: (item) => output(item, outputBody(item.output)),
  shell_call: (item) => call("shell", "", command(item.action.commands.join("\n"))),
  shell_call_output: (item) => output(item, item.output.flatMap(shellOutput)),
  apply_patch_call: (item) =>
    call("patch", `${item.operation.type} ${item.operation.path}`, item.operation.diff ? h("pre", { class: "code", tabindex: "0" }, item.operation.diff) : null),
  apply_patch_call_output: (item) => output(item, [status(item), ...content(item.output)]),

  tool_search_call: (item) => call("tool search", "", foldedJson("arguments", item.arguments)),
  tool_search_output: (item) => output(item, [foldedJson(`${item.tools.length} tools`, item.tools)]),
  program_output: (item) => output(item, outputBody(item.result)),
  compaction: (item) => ({
    tone: "reasoning",
    label: "compaction",
    body: [h("p", { class: "muted" }, `Encrypted content of ${item.encrypted_content.length.toLocaleString("en")} characters.`)],
  }),
};

const PAIRED = new Set([
  "function_call", "custom_tool_call", "computer_call", "local_shell_call", "shell_call",
  "apply_patch_call", "tool_search_call", "mcp_approval_request",
]);

/** Whether an item is a call whose output is an item of its own. */
export function isCall(item) {
  return PAIRED.has(item.type);
}

/** Whether an item is the output of a call. */
export function isOutput(item) {
  return item.type.endsWith("_output") || item.type === "mcp_approval_response";
}

/** What a call and its output have in common, or null. */
export function pairKey(item) {
  const key = item.call_id ?? item.approval_request_id ?? item.id;
  return typeof key === "string" ? key : null;
}

function call(label, name, ...body) {
  return { tone: "tool", label, name, body: body.filter(Boolean) };
}

function output(item, body) {
  return { tone: "tool", label: "output", body: body.filter(Boolean) };
}

function outputBody(value) {
  return typeof value === "string" ? [foldedText("result", value)] : content(value, "result");
}

function codeOutput(value) {
  if (value.type === "logs") return h("pre", { class: "code", tabindex: "0" }, value.logs);
  return value.type === "image" ? picture(value.url) : foldedJson(String(value.type), value);
}

function shellOutput(value) {
  return [
    value.stdout ? command(value.stdout) : null,
    value.stderr ? h("div", { class: "labelled" }, h("span", { class: "label" }, "stderr"), command(value.stderr)) : null,
    value.outcome ? foldedJson("outcome", value.outcome) : null,
  ];
}

function command(text) {
  return longText(text, "code");
}

function status(item) {
  const finished = !item.status || item.status === "completed";
  return finished ? null : h("span", { class: "badge warning" }, String(item.status));
}
