// The right side: one conversation with its messages and the box for an answer; or what to do when there is none.

import { labelOf, oneLine } from "../core/text.js";
import { face } from "../page/controls.js";
import { fill, h, icon } from "../page/dom.js";
import { t } from "../page/words.js";
import { Messages } from "./messages.js";
import { Writer } from "./writer.js";

export class Pane {
  #shown = null;
  #foot = "";

  /** `closed(parties)` says why the person may not write there; `answer(party)` writes to somebody alone. */
  constructor({ send, draft, back, closed, answer, ...messages }) {
    this.closed = closed;
    this.answer = answer;
    this.box = h("div.write.row.wrap");
    this.messages = new Messages(messages);
    this.writer = new Writer({ send, draft });
    this.heading = h("h1.cut", { id: "pane-head", tabindex: "-1" });
    this.under = h("p.soft.small.cut");
    this.face = h("span");
    this.head = h(
      "header.pane-head",
      {},
      h("button.icon.back", { type: "button", "aria-label": t("back"), on: { click: back } }, icon("back")),
      this.face,
      h("div.grow", {}, this.heading, this.under),
    );
    this.banner = h("p.banner", { hidden: true }); // on a phone the line of state is out of sight here
    this.element = h("section.pane", { "aria-labelledby": "pane-head" });
  }

  /** `conversation` has `id`, `title`, `parties`, `messages`; `waiting` is its part of the outbox. */
  open(conversation, waiting, draft, focus) {
    this.#shown = conversation.id;
    this.heading.textContent = oneLine(conversation.title, 80);
    const under = conversation.parties
      .map((party) =>
        t(`party.${party.id === "@everyone" ? "everyone" : (party.kind ?? "person")}`, { name: party.name }),
      )
      .join(", ");
    this.under.textContent = under === conversation.title ? "" : under;
    const one = face(conversation.parties);
    this.face.replaceWith(one);
    this.face = one;
    fill(
      this.element,
      this.head,
      this.banner,
      this.messages.element,
      this.messages.newer,
      this.writer.element,
      this.box,
    );
    this.#showFoot(conversation);
    this.writer.open(conversation.id, oneLine(conversation.title, 40), draft);
    this.messages.open(conversation, waiting, focus);
  }

  update(conversation, waiting) {
    if (conversation.id !== this.#shown) return;
    this.messages.update(conversation, waiting);
    this.#showFoot(conversation);
  }

  /** The box for an answer, or who may write here and a way to answer whoever wrote last. */
  #showFoot({ id, parties, messages }) {
    const why = this.closed(parties);
    const writer = messages.findLast((message) => !message.mine)?.from;
    this.writer.element.hidden = Boolean(why);
    this.box.hidden = !why;
    const foot = JSON.stringify([id, why, writer?.id]);
    if (foot === this.#foot) return;
    this.#foot = foot;
    const private_ =
      writer &&
      (writer.kind ?? "person") === "person" &&
      h(
        "button.button",
        { type: "button", on: { click: () => this.answer(writer) } },
        t("write.alone", { name: oneLine(labelOf(writer), 40) }),
      );
    fill(this.box, h("p.soft.grow", {}, why), private_ || null);
  }

  showState(text, online) {
    this.banner.textContent = text;
    this.banner.hidden = online;
  }

  empty(heading, text, button = null) {
    this.#shown = null;
    fill(
      this.element,
      h("div.empty", {}, icon("mark"), h("h2", { id: "pane-head" }, heading), h("p", {}, text), button),
    );
  }
}
