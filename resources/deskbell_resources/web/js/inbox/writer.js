// The box for an answer. What is typed is kept as a draft at once; what cannot be sent says why, in place.

import { canBeSeen, sizeOf } from "../core/text.js";
import { h } from "../page/dom.js";
import { t } from "../page/words.js";
import { LIMITS } from "../protocol.js";

const { BODY_BYTES } = LIMITS;
const PASTE_CHARS = 128 * 1024;
const kib = (bytes) => (bytes / 1024).toFixed(1);

/** A text area that grows, and the problem with what is in it. */
export function editor({ label, changed, send }) {
  const problem = h("p.problem", { role: "alert" });
  const box = h("textarea.editor", {
    rows: "1",
    placeholder: label,
    "aria-label": label,
    spellcheck: "true",
    enterkeyhint: "enter",
  });
  const check = () => {
    const size = sizeOf(box.value);
    problem.textContent = size > BODY_BYTES ? t("write.long", { size: kib(size), most: BODY_BYTES / 1024 }) : "";
    changed(box.value, size <= BODY_BYTES && canBeSeen(box.value));
  };
  box.addEventListener("input", check);
  box.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (box.value.length + text.length <= PASTE_CHARS) return;
    event.preventDefault(); // it stays on the clipboard, and what was typed stays here
    problem.textContent = t("write.paste", { size: kib(sizeOf(text)), most: BODY_BYTES / 1024 });
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      send();
    }
  });
  return { box, problem, check };
}

export class Writer {
  constructor({ send, draft }) {
    this.onSend = send;
    this.onDraft = draft;
    const { box, problem, check } = editor({
      label: "",
      changed: (text, good) => this.#changed(text, good),
      send: () => this.#send(),
    });
    this.box = box;
    this.problem = problem;
    this.check = check;
    this.button = h("button.button.main", { type: "submit" }, t("send"));
    const hint = h("span.hint", { "aria-hidden": "true" }, /Mac/.test(navigator.platform) ? "⌘ Enter" : "Ctrl+Enter");
    this.element = h(
      "form.write",
      {
        on: {
          submit: (event) => {
            event.preventDefault();
            this.#send();
          },
        },
      },
      h("div.write-box", {}, box, hint, this.button),
      problem,
    );
  }

  /** Another conversation, with what was typed there before. */
  open(id, name, draft) {
    this.id = id;
    const label = t("write", { name });
    this.box.placeholder = label;
    this.box.setAttribute("aria-label", label);
    this.box.value = draft;
    this.problem.textContent = "";
    this.#good(draft);
  }

  /** Another tab typed here meanwhile. */
  showDraft(draft) {
    if (document.activeElement !== this.box || !document.hasFocus()) this.box.value = draft;
    this.#good(this.box.value);
  }

  focus() {
    this.box.focus();
  }

  #changed(text, good) {
    this.onDraft(this.id, text);
    this.button.disabled = !good;
  }

  #good(text) {
    this.button.disabled = !canBeSeen(text) || sizeOf(text) > BODY_BYTES;
  }

  #send() {
    if (this.button.disabled) return;
    const text = this.box.value;
    this.onDraft(this.id, ""); // first, because the message may need its room
    if (this.onSend(text)) {
      this.box.value = "";
      this.button.disabled = true;
    } else {
      this.onDraft(this.id, text);
      this.problem.textContent = t("write.full");
    }
    this.box.focus();
  }
}
