// Elements from code. Text goes in as text nodes only: there is no way here from a string to markup.
const SVG = "http://www.w3.org/2000/svg";

/** `h("button.main", {type: "button", on: {click: f}}, "Send")`: a tag with classes, attributes, listeners, children. */
export function h(what, given = {}, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(given)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

const ICONS = {
  mark: [
    "0 0 48 48",
    "M7 35a17 17 0 0 1 34 0zM7.5 37h33a2.5 2.5 0 0 1 0 5h-33a2.5 2.5 0 0 1 0-5zM22 10h4v9h-4zM19 7h10a2 2 0 0 1 0 4H19a2 2 0 0 1 0-4z",
    "fill",
  ],
  search: ["0 0 24 24", "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.2 16.2 21 21"],
  compose: ["0 0 24 24", "M4 20h4L19 9l-4-4L4 16zM13 7l4 4"],
  more: ["0 0 24 24", "M5 12h.01M12 12h.01M19 12h.01", "dots"],
  back: ["0 0 24 24", "M15 5l-7 7 7 7"],
  close: ["0 0 24 24", "M6 6l12 12M18 6L6 18"],
};

/** One of our few signs, decorative: what it does is said by its button. */
export function icon(name) {
  const [box, path, kind] = ICONS[name];
  const svg = document.createElementNS(SVG, "svg");
  const shape = document.createElementNS(SVG, "path");
  const attributes =
    kind === "fill"
      ? { fill: "currentColor" }
      : {
          fill: "none",
          stroke: "currentColor",
          "stroke-width": kind === "dots" ? 3 : 1.8,
          "stroke-linecap": "round",
          "stroke-linejoin": "round",
        };
  for (const [key, value] of Object.entries({
    viewBox: box,
    width: 20,
    height: 20,
    "aria-hidden": "true",
    focusable: "false",
  }))
    svg.setAttribute(key, value);
  for (const [key, value] of Object.entries({ d: path, ...attributes })) shape.setAttribute(key, value);
  if (name === "mark") svg.setAttribute("class", "mark");
  svg.append(shape);
  return svg;
}

/** A labelled field; the input is `.querySelector("input, select, textarea")`, and is also returned beside it. */
export function field(label, input) {
  return h("label.field", {}, label, input);
}

/** What is known to be there. @param {string} selector @param {ParentNode | null} [within] @returns {any} */
export const the = (selector, within = document) => within?.querySelector(selector);

export function fill(parent, ...children) {
  parent.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false),
  );
  return parent;
}
