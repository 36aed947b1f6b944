// A new message: to whom, found while typing, and what. Keyboard alone is enough.

import { canBeSeen, labelOf, nameKey, oneLine } from "../core/text.js";
import { api } from "../io/http.js";
import { face } from "../page/controls.js";
import { field, fill, h, icon } from "../page/dom.js";
import { refused, t } from "../page/words.js";
import { LIMITS } from "../protocol.js";
import { editor } from "./writer.js";

const DRAFT = "new";
const WHOM = "new to";
const WAIT_MS = 120;

/** Whom a new message is for, as the browser kept it. */
function kept(names) {
  try {
    return JSON.parse(names).filter((party) => party.id && party.name);
  } catch {
    return [];
  }
}

export class Compose {
  #chosen = [];
  #found = [];
  #at = -1;
  #query = ""; // what they were looked for by
  #asked = 0;
  /** @type {number | undefined} */
  #timer;

  constructor({ send, close, drafts, to, me }) {
    this.draft = to.length ? to[0].id : DRAFT; // what is written to one is no other's
    this.#chosen = to.length ? to : drafts.get(DRAFT) ? kept(drafts.get(WHOM)) : []; // names alone are of yesterday
    this.onSend = send;
    this.me = me;
    this.drafts = drafts;
    this.to = h("input", {
      type: "text",
      autocomplete: "off",
      role: "combobox",
      "aria-expanded": "false",
      "aria-controls": "people",
      "aria-autocomplete": "list",
      placeholder: t("compose.who"),
      on: { input: () => this.#search(), keydown: (event) => this.#keys(event) },
    });
    this.people = h("ul.people", { id: "people", role: "listbox", "aria-label": t("compose.found"), hidden: true });
    this.chosen = h("ul.row.wrap", { "aria-label": t("compose.to") });
    this.problem = h("p.problem", { role: "alert" });
    this.title = h("input", { type: "text", maxlength: LIMITS.TITLE_CHARS, autocomplete: "off" });
    const { box, problem } = editor({
      label: t("compose.body"),
      changed: (text) => this.drafts.set(this.draft, text),
      send: () => this.#send(),
    });
    this.body = box;
    box.className = "";
    box.setAttribute("rows", "5");
    box.removeAttribute("aria-label");
    box.value = drafts.get(this.draft);
    const form = h(
      "form",
      {
        novalidate: true,
        on: {
          submit: (event) => {
            event.preventDefault();
            this.#send();
          },
        },
      },
      h("div.field", {}, h("label", { for: "to" }, t("compose.to")), this.chosen, this.to, this.people),
      field(t("compose.title"), this.title),
      field(t("compose.body"), box),
      problem,
      this.problem,
      h(
        "div.row",
        {},
        h("button.button.main", { type: "submit" }, t("send")),
        h("button.button", { type: "button", on: { click: close } }, t("cancel")),
      ),
    );
    this.to.id = "to";
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.people.hidden) close();
    });
    this.element = h(
      "section.pane",
      { "aria-labelledby": "compose-head" },
      h(
        "header.pane-head",
        {},
        h("button.icon.back", { type: "button", "aria-label": t("back"), on: { click: close } }, icon("back")),
        h("h1", { id: "compose-head" }, t("new")),
      ),
      h("div.compose", {}, form),
    );
  }

  focus() {
    this.#showChosen();
    (this.#chosen.length ? this.body : this.to).focus();
  }

  #search() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), WAIT_MS);
  }

  async #ask() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    const number = this.#asked;
    const query = this.to.value.trim();
    if (!query) {
      this.#show([]);
      return;
    }
    try {
      const { users } = await api("GET", `users?q=${encodeURIComponent(query)}`);
      const free = users.filter(
        (user) => user.id !== this.me.id && !this.#chosen.some((chosen) => chosen.id === user.id),
      );
      if (number === this.#asked) this.#show(free, free.length ? "" : t("compose.nobody"), query);
    } catch (problem) {
      if (number === this.#asked) this.#show([], refused(problem));
    }
  }

  #show(found, problem = "", query = "") {
    this.#found = found;
    this.#query = query;
    this.#at = found.length ? 0 : -1;
    this.problem.textContent = problem;
    fill(
      this.people,
      found.map((party, index) =>
        h(
          "li",
          {
            role: "option",
            id: `person-${index}`,
            on: {
              mousedown: (event) => {
                event.preventDefault();
                this.#choose(party);
              },
            },
          },
          face([party], true),
          h("span.grow.cut", {}, h("bdi", {}, oneLine(labelOf(party), 60))),
          h("span.soft.small", {}, h("bdi", {}, party.name)),
        ),
      ),
    );
    this.#mark();
  }

  #mark() {
    const open = this.#found.length > 0;
    this.people.hidden = !open;
    this.to.setAttribute("aria-expanded", String(open));
    if (open) this.to.setAttribute("aria-activedescendant", `person-${this.#at}`);
    else this.to.removeAttribute("aria-activedescendant");
    for (const [index, row] of [...this.people.children].entries())
      row.setAttribute("aria-selected", String(index === this.#at));
    this.people.children[this.#at]?.scrollIntoView({ block: "nearest" });
  }

  #keys(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.#found.length) {
      this.#at = (this.#at + step + this.#found.length) % this.#found.length;
      this.#mark();
      event.preventDefault();
    } else if ((event.key === "Enter" || event.key === ",") && !event.ctrlKey && this.to.value.trim()) {
      event.preventDefault();
      void this.#pick();
    } else if (event.key === "Escape" && this.#found.length) {
      event.stopPropagation();
      this.#show([]);
    } else if (event.key === "Backspace" && !this.to.value && this.#chosen.length) this.#unchoose(this.#chosen.at(-1));
  }

  /** The marked one of those whom the letters that stand there have found; `whole`: who is called just so. */
  async #pick(whole = false) {
    const typed = this.to.value.trim();
    if (typed !== this.#query) await this.#ask();
    if (typed !== this.#query) return false;
    const party = whole ? this.#found.find(({ name }) => nameKey(name) === nameKey(typed)) : this.#found[this.#at];
    if (party) this.#choose(party);
    else this.problem.textContent ||= t("compose.nobody");
    return Boolean(party);
  }

  #choose(party) {
    this.#chosen.push(party);
    this.to.value = "";
    this.#show([]);
    this.#showChosen();
    this.to.focus();
  }

  #unchoose(party) {
    this.#chosen = this.#chosen.filter((other) => other !== party);
    this.#showChosen();
    this.to.focus();
  }

  /** What is written is no longer for the one that the page was begun for, and no draft of theirs; but where another message is begun
   *  already, it stays theirs: the two have not the same readers. */
  #leaveParty() {
    const theirs = this.#chosen.length === 1 && this.#chosen[0].id === this.draft;
    if (this.draft === DRAFT || theirs || this.drafts.get(DRAFT)) return;
    const begun = this.draft;
    this.draft = DRAFT;
    this.drafts.set(DRAFT, this.body.value);
    this.drafts.set(begun, "");
  }

  #showChosen() {
    this.#leaveParty();
    if (this.draft === DRAFT) this.drafts.set(WHOM, this.#chosen.length ? JSON.stringify(this.#chosen) : "");
    fill(
      this.chosen,
      this.#chosen.map((party) =>
        h(
          "li.row.tag",
          {},
          h("bdi", {}, oneLine(labelOf(party), 40)),
          h(
            "button.icon",
            {
              type: "button",
              "aria-label": t("compose.remove", { name: labelOf(party) }),
              on: { click: () => this.#unchoose(party) },
            },
            icon("close"),
          ),
        ),
      ),
    );
  }

  async #send() {
    this.problem.textContent = "";
    if (this.to.value.trim() && !(await this.#pick(true))) {
      this.to.focus();
      return;
    }
    if (!this.#chosen.length) {
      this.problem.textContent = t("compose.nobody.chosen");
      this.to.focus();
      return;
    }
    const body = this.body.value;
    if (!canBeSeen(body)) {
      this.problem.textContent = t("compose.empty");
      this.body.focus();
      return;
    }
    if (this.body.closest("form").querySelector(".problem").textContent) {
      this.body.focus();
      return;
    }
    const parties = this.#chosen;
    const title = this.title.value.trim();
    this.drafts.set(this.draft, ""); // first, because the message may need its room
    if (this.draft === DRAFT) this.drafts.set(WHOM, "");
    if (this.onSend(parties, { to: parties.map((party) => party.name), body, ...(title && { title }) })) return;
    this.drafts.set(this.draft, body);
    this.#showChosen();
    this.problem.textContent = t("write.full");
  }
}
