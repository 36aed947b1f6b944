// Text from others, made safe to look at: nothing hidden or that turns the direction, links only where they say they lead.
// The desktop program has the same rules (core/text.py, deskbell_protocol/characters.py); tests hold one against the other.
const SEEN =
  /[^\s\p{Cc}\ud800-\uf8ff\u{f0000}-\u{10ffff}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffc\u{13430}-\u{13442}\u{16fe4}\u{1d159}]/u;
const VARIATIONS = String.raw`\u180b-\u180d\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}`;
const HIDDEN =
  String.raw`\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb` +
  String.raw`\ud800-\uf8ff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e00ff}\u{e01f0}-\u{e0fff}\u{f0000}-\u{10ffff}`;
const FLAG = String.raw`\u{1f3f4}[\u{e0030}-\u{e0039}\u{e0061}-\u{e007a}]{3,6}\u{e007f}`;
const CLEANED = new RegExp(`(${FLAG}|${SEEN.source}[${VARIATIONS}])|[${HIDDEN}${VARIATIONS}]`, "gu");

const ADDRESS = /^(https?):\/\/(\[[0-9a-f.]*:[0-9a-f:.]*\]|[^[\]:/?#@%]+)(?::(\d*))?(?![^/?#])(.*)$/i;
const NAME = /^(?=.{1,254}$)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.|$))+$/;
const FOUR_NUMBERS = /^\d+\.\d+\.\d+\.\d+$/;
const END = /[\s\p{Cc}<>\\，。；：！？、（）【】「」『』《》〈〉“”～]/u;
/** @type {Record<string, string>} */
const BRACKETS = { "(": ")", "[": "]", "{": "}" };
/** @type {Record<string, string>} */
const CLOSED_BY = { ...BRACKETS, "<": "|", "|": "|", '"': '"', "'": "'", "`": "`", "*": "*" };
const TRAILING = ".,;:!?…»’";
const UNWRITTEN = /%(?![0-9a-f]{2})|["^`{|}]/gi;

/** Bytes that `text` takes on the wire. @param {string} text */
export const sizeOf = (text) => new TextEncoder().encode(text).length;

/** Whether anything of `text` leaves ink on a screen. @param {string} text */
export const canBeSeen = (text) => SEEN.test(text);

/** @param {string} text */
export function clean(text) {
  return text.replace(/\r\n?|\u2028|\u2029/g, "\n").replace(CLEANED, "$1");
}

/** Empty where nothing can be seen. @param {string} text */
export function oneLine(text, limit = 120) {
  const line = clean(text.slice(0, limit * 8))
    .replace(/\s+/g, " ")
    .trim();
  if (!canBeSeen(line)) return "";
  const characters = [...line];
  if (characters.length <= limit) return line;
  const cut = characters.slice(0, limit - 1).join("");
  return `${cut.trimEnd()}…`;
}

/** The http and https addresses in `text` that can be opened, each rebuilt from its parts. @param {string} text */
export function linksIn(text) {
  const found = [];
  let end = 0;
  for (const { index: start } of text.matchAll(/https?:\/\//gi)) {
    if (start < end) continue;
    end = endOfLink(text, start);
    const link = address(text.slice(start, end));
    if (link) found.push({ start, end, ...link });
  }
  return found;
}

/** Where the address that begins at `start` ends: at a space, or at what closes the sign right before it. @param {string} text @param {number} start */
function endOfLink(text, start) {
  const closing = CLOSED_BY[text[start - 1]];
  /** @type {string[]} */
  const expected = [];
  let end = start;
  for (; end < text.length; end += 1) {
    const char = text[end];
    if (END.test(char) || (!expected.length && char === closing)) break;
    if (char === expected.at(-1)) expected.pop();
    else if (char in BRACKETS) expected.push(BRACKETS[char]);
    else if (char === '"' && !expected.length) {
      if (text[end - 1] !== "=") break;
      expected.push(char);
    }
  }
  return start + trimmed(text.slice(start, end));
}

/** The length of `found` without the punctuation of the sentence around it; pairs that are whole inside it stay. @param {string} found */
function trimmed(found) {
  const count = (/** @type {string} */ char) => found.split(char).length - 1;
  const unpaired = Object.fromEntries(
    Object.entries(BRACKETS).map(([opening, close]) => [close, count(close) - count(opening)]),
  );
  for (const quote of "\"'`") unpaired[quote] = count(quote) % 2;
  let length = found.length;
  for (; length && (TRAILING.includes(found[length - 1]) || unpaired[found[length - 1]] > 0); length -= 1)
    unpaired[found[length - 1]] -= 1;
  return length;
}

/** @param {string} written */
function address(written) {
  const [, scheme, name, port, rest] = ADDRESS.exec(written) ?? [];
  if (!scheme || Number(port ?? 0) > 65535) return null;
  let host;
  try {
    host = new URL(`http://${name}/`).hostname;
  } catch {
    return null;
  }
  if (FOUR_NUMBERS.test(host) && name.normalize("NFKC") !== host) return null; // a number that is somewhere else than it says
  if (!host.startsWith("[") && !NAME.test(host)) return null;
  if (port) host += `:${Number(port)}`;
  const escaped = (/** @type {string} */ char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return { url: `${scheme.toLowerCase()}://${host}${rest.replace(UNWRITTEN, escaped)}`, host };
}

/** A name as the server compares it: letters of full and half width are the ordinary ones (RFC 8265). @param {string} name */
export const nameKey = (name) =>
  name
    .replace(/[\u3000\uff01-\uffee]+/gu, (wide) => wide.normalize("NFKC"))
    .toUpperCase()
    .toLowerCase()
    .normalize("NFC");

/** What a person, a program or a group is called, in one clean line. @param {{name: string, display?: string}} party */
export const labelOf = (party) => oneLine(party.display ?? "", 100) || oneLine(party.name);

/** One or two letters for a face. @param {string} label */
export function initials(label) {
  const words = clean(label)
    .replace(/^@/, "")
    .split(/\s+/)
    .map((word) => word.replace(/[^\p{L}\p{N}]/gu, ""))
    .filter(Boolean);
  if (!words.length) return "?";
  const first = [...words[0]];
  if (/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(first[0])) return first[0];
  const second = words.length > 1 ? [...words[words.length - 1]][0] : (first[1] ?? "");
  return (first[0] + second).toLocaleUpperCase();
}
