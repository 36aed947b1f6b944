// The log of the diagnostics page: what came, what went, when; to be read, copied and cleared.
import { copyText } from "../page/controls.js";
import { h } from "../page/dom.js";
import { t } from "../page/words.js";

const MOST = 1000;
const SIGNS = { in: "↓", out: "↑", err: "!" };
const pad = (number, length = 2) => String(number).padStart(length, "0");

function clock(at) {
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

export class Lines {
  #lines = [];

  constructor() {
    this.element = h("div.lines.mono", { role: "log", tabindex: "0", "aria-label": t("test.log") });
  }

  add(kind, event, args) {
    const at = clock(new Date());
    const text = `${event} ${args.map((value) => JSON.stringify(value)).join(", ")}`.trim();
    this.#lines.push(`${at} ${SIGNS[kind]} ${text}`);
    this.element.append(
      h(
        "div.line",
        { "data-kind": kind },
        h("span.at.num", {}, at),
        h(`span.${kind}`, {}, SIGNS[kind]),
        h("pre", {}, text),
      ),
    );
    if (this.#lines.length > MOST) {
      this.#lines.shift();
      this.element.firstChild.remove();
    }
    this.element.scrollTop = this.element.scrollHeight;
  }

  head(title) {
    const copy = h(
      "button.button",
      {
        type: "button",
        "data-do": "copy",
        on: {
          click: async () => {
            await copyText(this.#lines.join("\n"), this.element);
            copy.textContent = t("copied");
            setTimeout(() => {
              copy.textContent = t("copy");
            }, 2000);
          },
        },
      },
      t("copy"),
    );
    const clear = h(
      "button.button",
      {
        type: "button",
        "data-do": "clear",
        on: {
          click: () => {
            this.#lines = [];
            this.element.replaceChildren();
          },
        },
      },
      t("test.clear"),
    );
    return h("div.row.log-head", {}, h("h2.grow", {}, title), copy, clear);
  }
}
