// Groups: make one, change who is in it, remove it. The members of @everyone are those who may write to it.

import { oneLine } from "../core/text.js";
import { form } from "../page/controls.js";
import { field, h, icon } from "../page/dom.js";
import { t } from "../page/words.js";
import { action, panel } from "./parts.js";

const words = (text) => text.split(/[\s,，、]+/).filter(Boolean);

export async function groups({ act, show }) {
  const { groups: found } = await act("GET", "groups");
  const change = async (group, body) => {
    await act("POST", "groups", { group, ...body });
    await show();
  };
  const input = (name) => h("input", { name, autocomplete: "off", autocapitalize: "none" });
  const make = form(".line-form", {
    fields: [
      field(t("group.name"), input("group")),
      field(t("group.display"), input("display")),
      field(t("group.members"), input("members")),
    ],
    button: t("group.make"),
    send: async (data) => {
      await change(data.get("group"), { display: data.get("display"), add: words(data.get("members")) });
      return "";
    },
  });
  const member = (group, name) =>
    h(
      "li.member",
      {},
      h("bdi", {}, name),
      h(
        "button.icon",
        {
          type: "button",
          "aria-label": t("compose.remove", { name }),
          on: { click: () => change(group.name, { remove: [name] }) },
        },
        icon("close"),
      ),
    );
  const one = (group) =>
    h(
      "article.group",
      { "data-group": group.name },
      h(
        "div.row.wrap",
        {},
        h(
          "h3.grow",
          {},
          h("bdi", {}, group.name),
          group.display ? h("span.soft", {}, ` ${oneLine(group.display)}`) : "",
        ),
        group.name === "@everyone"
          ? h("span.soft.small", {}, t("user.announces"))
          : action(
              t("group.remove"),
              async () => {
                if (confirm(t("group.remove.sure", { name: group.name }))) {
                  await act("DELETE", `groups/${encodeURIComponent(group.name)}`);
                  await show();
                }
              },
              ".danger",
            ),
      ),
      group.members.length
        ? h(
            "ul.members",
            {},
            group.members.map((name) => member(group, name)),
          )
        : h("p.soft.small", {}, t("group.empty")),
      form(".line-form", {
        fields: [
          h("input.input.grow", {
            name: "member",
            "aria-label": t("group.member.add"),
            placeholder: t("group.member.add"),
            autocomplete: "off",
          }),
        ],
        button: t("group.add.member"),
        kind: "plain",
        send: async (data) => {
          await change(group.name, { add: words(data.get("member")) });
          return "";
        },
      }),
    );
  return [
    panel(t("group.add"), make),
    panel(t("admin.groups"), found.length ? found.map(one) : h("p.soft", {}, t("group.none"))),
  ];
}
