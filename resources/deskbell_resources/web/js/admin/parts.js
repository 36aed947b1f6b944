// Pieces of the panels.
import { copyText } from "../page/controls.js";
import { h } from "../page/dom.js";
import { refused, t } from "../page/words.js";

export const panel = (title, ...content) => h("section.panel", {}, h("h2", {}, title), content);

/** The roles are written out, because on a phone the rows are laid out as blocks and would lose them. */
export function table(label, heads, rows) {
  for (const row of rows) asRow(row, heads);
  return h(
    "div.table-wrap",
    { tabindex: "0", role: "region", "aria-label": label },
    h(
      "table",
      { role: "table" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => (head === "" ? h("td") : h("th", { scope: "col" }, head))),
        ),
      ),
      h("tbody", { role: "rowgroup" }, rows),
    ),
  );
}

/** A time does not say what it is the time of, where no head stands above it: its label does. */
export function asRow(row, heads) {
  row.setAttribute("role", "row");
  [...row.children].forEach((cell, index) => {
    cell.setAttribute("role", "cell");
    if (index > 0 && cell.matches(".num")) cell.dataset.label = heads[index];
  });
  return row;
}

/** A button that does one thing and says in place what went wrong. */
export function action(text, run, kind = "") {
  const button = h(
    `button.button${kind}`,
    {
      type: "button",
      on: {
        click: async () => {
          button.disabled = true;
          try {
            await run();
          } catch (problem) {
            button.after(h("span.problem", { role: "alert" }, ` ${refused(problem)}`));
          } finally {
            button.disabled = false;
          }
        },
      },
    },
    text,
  );
  return button;
}

/** A link that works once, to be handed to a person. */
export function once(text, path) {
  const address = new URL(path, document.baseURI).href;
  const input = h("input.input.mono", {
    readonly: true,
    value: address,
    "aria-label": t("user.link"),
    on: { focus: () => input.select() },
  });
  const copy = action(t("copy"), async () => {
    input.select();
    await copyText(address, input);
    copy.textContent = t("copied");
  });
  return h("div.said", { role: "status" }, h("p", {}, text), h("div.once", {}, input, copy));
}
