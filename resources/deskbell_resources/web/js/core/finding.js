// What a search finds in the inbox, and where in a line: the rules of the desktop program (core/search.py).
/** @import { Inbox } from "./inbox.js" */
import { oneLine } from "./text.js";

const BEFORE = 12;
const FOUND = 100;

/** The same letters, whatever their case and width. @param {string} text */
export const folded = (text) => text.normalize("NFKC").toLocaleLowerCase();

/** Conversations by name, and messages, newest first. @param {Inbox} inbox @param {string} wanted */
export function search(inbox, wanted) {
  const people = inbox
    .sorted()
    .filter(({ title, parties }) =>
      [title, ...parties.map(({ name }) => name)].some((name) => folded(name).includes(wanted)),
    );
  const messages = [];
  for (const message of [...inbox.messages.values()].reverse()) {
    if (messages.length > FOUND) break;
    message.folded ??= folded(`${message.title}\n${message.body}`);
    if (message.folded.includes(wanted)) messages.push(message);
  }
  return { people, messages: messages.slice(0, FOUND), more: messages.length > FOUND };
}

/** One line of `text`, beginning so that what is wanted can be seen, where `used` characters of the line are taken.
 *  @param {string} text @param {string} wanted */
export function around(text, wanted, used = 0) {
  const whole = folded(text);
  const at = whole.length === text.length ? whole.indexOf(wanted) : (places(text, wanted)[0]?.[0] ?? 0);
  if (at + used <= 2 * BEFORE) return oneLine(text);
  const before = [...text.slice(0, at)].slice(-Math.max(2, BEFORE - used) - 1).join("");
  const gap = before.indexOf(" "); // a whole word, where words have gaps
  return oneLine(`…${before.slice(Math.max(gap, 0) + 1)}${text.slice(at)}`);
}

/** From and to of each place in `text`: folding may change how long it is. @param {string} text @param {string} wanted */
export function places(text, wanted) {
  /** @type {[number, number][]} */
  const found = [];
  if (!wanted) return found;
  const owners = [];
  let whole = "";
  let start = 0;
  for (const char of text) {
    const part = folded(char);
    for (let count = 0; count < part.length; count += 1) owners.push([start, start + char.length]);
    whole += part;
    start += char.length;
  }
  for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, at + wanted.length))
    found.push([owners[at][0], owners[at + wanted.length - 1][1]]);
  return found;
}
