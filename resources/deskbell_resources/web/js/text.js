// Text from others, made safe to look at: no invisible or direction-changing characters, links only where they say they lead.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}]/gu;
const KEPT = new Set(["\n", "\t", "\u200c", "\u200d"]);
const LINK = /https?:\/\/[^\s<>"'`|\\^{}\p{Cc}]+/giu;
const TRAILING = ".,;:!?…。，；：！？、»”’";
const CLOSING = { ")": "(", "]": "[", "）": "（", "】": "【", "」": "「" };

export function clean(text) {
  return text.replace(/\r\n?|\u2028|\u2029/g, "\n").replace(HIDDEN, (char) => (KEPT.has(char) ? char : ""));
}

export function oneLine(text, limit = 120) {
  const line = clean(text.slice(0, limit * 8)).replace(/\s+/g, " ").trim();
  return [...line].length <= limit ? line : [...line].slice(0, limit - 1).join("").trimEnd() + "…";
}

/** The address rebuilt from its parts when it may be opened: http or https, nobody's name in front of the host. */
export function safeUrl(address) {
  let url;
  try { url = new URL(address); } catch { return null; }
  return /^https?:$/.test(url.protocol) && url.hostname && !url.username && !url.password ? url : null;
}

function trimmed(found) {
  let text = found;
  for (;;) {
    const last = text.at(-1);
    const unopened = last in CLOSING && text.split(last).length > text.split(CLOSING[last]).length;
    if (!last || (!TRAILING.includes(last) && !unopened)) return text;
    text = text.slice(0, -1);
  }
}

/** Text nodes and links for a body. A link to a look-alike host shows the host as it is looked up. */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    const written = trimmed(match[0]);
    const url = safeUrl(written);
    if (!url) continue;
    parts.push(text.slice(end, match.index), anchor(url, written));
    end = match.index + written.length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

function anchor(url, written) {
  const link = document.createElement("a");
  link.href = url.href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.textContent = written.toLowerCase().includes(url.host) ? written : url.href;
  link.title = url.host;
  return link;
}

/** What a person, a program or a group is called. */
export const labelOf = (party) => party.display || party.name;

/** One or two letters for a face. */
export function initials(label) {
  const words = clean(label).replace(/^@/, "").split(/\s+/).map((word) => word.replace(/[^\p{L}\p{N}]/gu, "")).filter(Boolean);
  if (!words.length) return "?";
  const first = [...words[0]];
  if (/\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Hangul}/u.test(first[0])) return first[0];
  const second = words.length > 1 ? [...words.at(-1)][0] : first[1] ?? "";
  return (first[0] + second).toLocaleUpperCase();
}
