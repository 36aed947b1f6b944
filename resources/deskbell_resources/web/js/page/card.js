// A single card in the middle of the page: signing in, choosing a password, confirming who one is, a problem.
import { otherLanguage } from "./controls.js";
import { h, icon } from "./dom.js";

/** `text` stands beneath the title, `foot` beside the way to the other language. */
export function card({ title, text = "", foot = h("span") }, ...content) {
  const head = h("header", {}, icon("mark"), h("h1", {}, title), text && h("p", {}, text));
  return h("main.stage", {}, h("div.card", {}, head, content, h("footer", {}, foot, otherLanguage())));
}
