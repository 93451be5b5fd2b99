/** The parts of a message or a tool's output. Pictures and files are named, and shown on a click. */

import { button, h, isWebAddress, outwardLink } from "./dom.js";
import { foldedJson, longText } from "./json.js";

const PICTURE = /^data:image\/(png|jpeg|gif|webp);base64,/i;

const TEXTS = new Set(["input_text", "output_text", "text", "summary_text", "reasoning_text"]);

export function part(value) {
  const type = value?.type;
  if (TEXTS.has(type) && typeof value.text === "string") {
    return [longText(value.text), ...citations(value.annotations)];
  }
  if (type === "refusal" && typeof value.refusal === "string") {
    return [h("span", { class: "badge warning" }, "refusal"), longText(value.refusal)];
  }
  if (type === "input_image" || type === "computer_screenshot") {
    return [picture(value.image_url, value.file_id)];
  }
  if (type === "input_file") return [file(value)];
  if (type === "input_audio") return [named("Audio", value.input_audio?.format)];
  return [foldedJson(typeof type === "string" ? type : "part", value, { open: true })];
}

/** A string, an array of parts, or anything else. */
export function content(value, label = "content") {
  if (typeof value === "string") return [longText(value)];
  if (Array.isArray(value)) return value.flatMap(part);
  return value === null || value === undefined ? [] : [foldedJson(label, value)];
}

/** A picture by its address or the id of a file, not fetched until one asks for it. */
export function picture(address, fileId) {
  if (typeof address !== "string") return named("Image", fileId);
  if (PICTURE.test(address)) {
    const [head, data] = address.split(",", 2);
    const kind = head.slice("data:".length).split(";")[0];
    const box = named("Image", `${kind}, ${size(data.length * 0.75)}`);
    const show = button("Show image", () => {
      show.remove();
      box.append(h("img", { src: address, alt: "Image from the conversation" }));
    });
    box.append(show);
    return box;
  }
  return addressed("Image", address);
}

function file(value) {
  const name = [value.filename, value.file_id].filter((one) => typeof one === "string").join(" · ");
  if (typeof value.file_url === "string") return addressed("File", value.file_url, name);
  const data = typeof value.file_data === "string" ? value.file_data.replace(/^data:[^,]*,/, "") : "";
  const box = named("File", [name, data && size(data.length * 0.75)].filter(Boolean).join(", "));
  if (data) box.append(button("Save file", () => save(data, value.filename || "file", box)));
  return box;
}

/** As a download and of no type: the browser keeps it, and does not run or show it. */
function save(base64, name, box) {
  try {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const address = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    const link = h("a", { download: name });
    link.href = address;
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  } catch {
    box.append(h("span", { class: "badge warning" }, "its data is no base64"));
  }
}

function addressed(kind, address, name = "") {
  const shown = address.length > 120 ? `${address.slice(0, 120)}…` : address;
  return named(kind, name, isWebAddress(address) ? outwardLink(address, shown) : h("code", {}, shown));
}

function named(kind, what, ...more) {
  return h("div", { class: "attachment" }, h("span", { class: "badge" }, kind), what || null, ...more);
}

function size(bytes) {
  if (bytes < 1000) return `${Math.round(bytes)} bytes`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function citations(annotations) {
  if (!Array.isArray(annotations) || annotations.length === 0) return [];
  const lines = annotations.map((one) => {
    if (typeof one?.url === "string") return h("li", {}, outwardLink(one.url, String(one.title || one.url)));
    return h("li", {}, String(one?.filename || one?.file_id || JSON.stringify(one)));
  });
  return [h("ol", { class: "citations", "aria-label": "Citations" }, lines)];
}
