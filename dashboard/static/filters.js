/** The filter as it is typed: `topic=demo name="Ann Lee"`, pairs that must all be there. */

export class FilterError extends Error {}

// A key or a value: bare, or in double quotes with \" and \\ inside.
const PAIR = /(?:"((?:[^"\\]|\\.)*)"|([^\s"=]+))=(?:"((?:[^"\\]|\\.)*)"|(\S*))(?:\s+|$)/suy;

/** The pairs of a text. Throws `FilterError`. A comma between two pairs is taken for a blank. */
export function parseFilters(text) {
  const pairs = [];
  const source = text.trim();
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < source.length) {
    const start = PAIR.lastIndex;
    const match = PAIR.exec(source);
    if (!match) throw new FilterError(`Write key=value, not ${JSON.stringify(source.slice(start))}.`);
    const [, quotedKey, bareKey, quotedValue, bareValue] = match;
    const isLast = PAIR.lastIndex >= source.length;
    const value = isLast ? bareValue : bareValue?.replace(/,$/, "");
    pairs.push([unquoted(quotedKey) ?? bareKey, unquoted(quotedValue) ?? value]);
  }
  const keys = pairs.map(([key]) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw new FilterError(`${JSON.stringify(twice)} is there twice.`);
  return pairs;
}

export function formatFilters(pairs) {
  return pairs.map(([key, value]) => `${quoted(key, /^[^\s"=]+$/u)}=${quoted(value, /^[^\s",]*$/u)}`).join(" ");
}

export function hasPair(pairs, key, value) {
  return pairs.some(([ours, its]) => ours === key && its === value);
}

/** The pairs with this one, or without it if they have it. */
export function toggled(pairs, key, value) {
  const others = pairs.filter(([other]) => other !== key);
  return hasPair(pairs, key, value) ? others : [...others, [key, value]];
}

function quoted(text, bare) {
  return bare.test(text) ? text : `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function unquoted(text) {
  return text?.replace(/\\(.)/gs, "$1");
}
