// People: add one, disable one, hand out a link for a password.

import { oneLine } from "../core/text.js";
import { form } from "../page/controls.js";
import { field, h, the } from "../page/dom.js";
import { t } from "../page/words.js";
import { action, once, panel, table } from "./parts.js";

export async function users({ act, found, show }) {
  const { users: people } = await act("GET", "users");
  const said = h("div");
  const name = h("input", { name: "name", autocomplete: "off", autocapitalize: "none", maxlength: 2 * 64 });
  const display = h("input", { name: "display", autocomplete: "off", maxlength: 2 * 100 });
  const admin = h("input", { name: "admin", type: "checkbox" });
  const add = form(".line-form", {
    fields: [
      field(t("user.name"), name),
      field(t("user.display"), display),
      h("label.check", {}, admin, t("user.admin")),
    ],
    button: t("user.add"),
    send: async (data) => {
      const made = await act("POST", "users", {
        name: data.get("name"),
        display: data.get("display"),
        admin: admin.checked,
      });
      await show();
      the("#panel .said-here").replaceWith(once(t("user.added", { name: made.name }), made.link));
      return "";
    },
  });
  said.className = "said-here";
  const link = (user) => async () => {
    const made = await act("POST", `users/${encodeURIComponent(user.name)}/link`);
    the("#panel .said-here, #panel .said").replaceWith(once(t("user.linked", { name: user.name }), made.link));
  };
  const disable = (user) => async () => {
    if (!user.disabled && !confirm(t("user.disable.sure", { name: user.name }))) return;
    await act("POST", `users/${encodeURIComponent(user.name)}/${user.disabled ? "enable" : "disable"}`);
    await show();
  };
  const row = (user) =>
    h(
      "tr",
      { "data-name": user.name },
      h("td", {}, h("strong", {}, h("bdi", {}, user.name))),
      h("td", {}, h("bdi", {}, oneLine(user.display))),
      h(
        "td",
        {},
        h(
          "span.row.wrap",
          {},
          user.admin && h("span.tag", {}, t("user.admin")),
          user.may_announce && h("span.tag.plain", {}, t("user.announces")),
          user.disabled && h("span.tag.plain", {}, t("user.disabled")),
          user.id === found.user.id && h("span.tag.plain", {}, t("user.you")),
          user.online && h("span.row.small.good", {}, h("span.dot.good"), t("online")),
        ),
      ),
      h(
        "td.acts",
        {},
        user.disabled ? null : action(t("user.link"), link(user)),
        " ",
        user.id === found.user.id
          ? null
          : action(t(user.disabled ? "user.enable" : "user.disable"), disable(user), user.disabled ? "" : ".danger"),
      ),
    );
  return [
    panel(t("user.add"), add, said),
    panel(
      t("admin.users"),
      table(t("admin.users"), [t("user.name"), t("user.display"), t("user.state"), ""], people.map(row)),
    ),
  ];
}
