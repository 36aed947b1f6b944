// The right side: one conversation with its messages and the box for an answer; or what to do when there is none.
import { face } from "../controls.js";
import { fill, h, icon } from "../dom.js";
import { oneLine } from "../text.js";
import { t } from "../words.js";
import { Messages } from "./messages.js";
import { Writer } from "./writer.js";

export class Pane {
  #shown = null;

  constructor({ send, draft, back, ...messages }) {
    this.messages = new Messages(messages);
    this.writer = new Writer({ send, draft });
    this.heading = h("h1.cut", { id: "pane-head", tabindex: "-1" });
    this.under = h("p.soft.small.cut");
    this.face = h("span");
    this.head = h("header.pane-head", {}, h("button.icon.back", { type: "button", "aria-label": t("back"), on: { click: back } }, icon("back")), this.face, h("div.grow", {}, this.heading, this.under));
    this.banner = h("p.banner", { hidden: true }); // on a phone the line of state is out of sight here
    this.element = h("section.pane", { "aria-labelledby": "pane-head" });
  }

  /** `conversation` has `id`, `title`, `parties`, `messages`; `waiting` is its part of the outbox. */
  open(conversation, waiting, draft, focus) {
    this.#shown = conversation.id;
    this.heading.textContent = oneLine(conversation.title, 80);
    this.under.textContent = conversation.parties.map((party) => t(`party.${party.id === "@everyone" ? "everyone" : party.kind ?? "person"}`, { name: party.name })).join(", ");
    const one = face(conversation.parties);
    this.face.replaceWith(one);
    this.face = one;
    fill(this.element, this.head, this.banner, this.messages.element, this.messages.newer, this.writer.element);
    this.writer.open(conversation.id, oneLine(conversation.title, 40), draft);
    this.messages.open(conversation, waiting, focus);
  }

  update(conversation, waiting) {
    if (conversation.id === this.#shown) this.messages.update(conversation, waiting);
  }

  showState(text, online) {
    this.banner.textContent = text;
    this.banner.hidden = online;
  }

  empty(heading, text, button = null) {
    this.#shown = null;
    fill(this.element, h("div.empty", {}, icon("mark"), h("h2", { id: "pane-head" }, heading), h("p", {}, text), button));
  }
}
