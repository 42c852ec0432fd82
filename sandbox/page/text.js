// Text with entities → nodes. Offsets are UTF-16 code units, exactly what JavaScript strings count in.

import { h, link } from "./dom.js";

const SIMPLE = { bold: "strong", italic: "em", underline: "u", strikethrough: "s" };

const BLOCKS = new Set(["blockquote", "expandable_blockquote", "pre"]);

export function rich(text, entities, hooks) {
  const sorted = [...(entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return nodes(text, 0, text.length, sorted, hooks);
}

function nodes(text, from, to, entities, hooks) {
  const out = [];
  let at = from;
  for (let i = 0; i < entities.length; ) {
    const entity = entities[i];
    const end = Math.min(entity.offset + entity.length, to);
    let next = i + 1;
    while (next < entities.length && entities[next].offset < end) next += 1;
    if (entity.offset >= at && end > entity.offset) {
      if (entity.offset > at) out.push(text.slice(at, entity.offset));
      const inside = nodes(text, entity.offset, end, entities.slice(i + 1, next), hooks);
      out.push(element(entity, text.slice(entity.offset, end), inside, hooks));
      at = BLOCKS.has(entity.type) && text[end] === "\n" && end < to ? end + 1 : end; // a block ends its line itself
    }
    i = next;
  }
  if (at < to) out.push(text.slice(at, to));
  return out;
}

function element(entity, said, inside, hooks) {
  if (SIMPLE[entity.type]) return h(SIMPLE[entity.type], {}, inside);
  switch (entity.type) {
    case "spoiler":
      return spoiler(inside);
    case "code":
      return h("code", {}, inside);
    case "pre":
      return h("pre", { "data-language": entity.language }, h("code", {}, inside));
    case "text_link":
      return link(entity.url, ...inside);
    case "url":
      return link(said, ...inside);
    case "email":
      return link(`mailto:${said}`, ...inside);
    case "phone_number":
      return link(`tel:${said.replace(/[^+\d]/g, "")}`, ...inside);
    case "bot_command":
      return h("button", { type: "button", class: "command", onclick: () => hooks.command(said) }, inside);
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
      return h("span", { class: "mention" }, inside);
    case "blockquote":
      return h("blockquote", {}, inside);
    case "expandable_blockquote":
      return unfolding(inside, hooks);
    case "date_time":
      return time(entity, said);
    default:
      return h("span", {}, inside);
  }
}

function spoiler(inside) {
  const veil = h("span", { class: "spoiler", role: "button", tabindex: 0, "aria-label": "Показать скрытый текст" }, inside);
  const show = (event) => {
    if (event.type === "keydown" && !["Enter", " "].includes(event.key)) return;
    veil.classList.add("shown");
    ["role", "tabindex", "aria-label"].forEach((name) => veil.removeAttribute(name));
  };
  veil.addEventListener("click", show);
  veil.addEventListener("keydown", show);
  return veil;
}

function unfolding(inside, hooks) {
  const key = hooks.nextQuote();
  const body = h("div", { class: "quote-body" }, inside);
  const toggle = h("button", { type: "button", class: "unfold" });
  const quote = h("blockquote", { class: "expandable" }, body, toggle);
  const draw = () => {
    const open = hooks.opened.has(key);
    quote.classList.toggle("open", open);
    toggle.setAttribute("aria-expanded", String(open));
    toggle.textContent = open ? "Свернуть" : "Показать полностью";
  };
  toggle.addEventListener("click", () => {
    if (!hooks.opened.delete(key)) hooks.opened.add(key);
    draw();
  });
  draw();
  return quote;
}

// The moment in the reader's own zone; without a format the text stays and the moment is in the hint.
function time(entity, said) {
  const moment = new Date(entity.unix_time * 1000);
  const full = moment.toLocaleString("ru", { dateStyle: "long", timeStyle: "short" });
  const format = entity.date_time_format || "";
  const shown = format === "" ? said : /^r$/i.test(format) ? relative(moment) : absolute(moment, format);
  return h("time", { datetime: moment.toISOString(), title: full }, shown);
}

function absolute(moment, format) {
  const has = (letter) => format.includes(letter);
  const parts = [];
  if (has("w") || has("W")) parts.push(moment.toLocaleDateString("ru", { weekday: has("D") ? "long" : "short" }));
  if (has("d") || has("D")) parts.push(moment.toLocaleDateString("ru", { dateStyle: has("D") ? "long" : "short" }));
  if (has("t") || has("T")) parts.push(moment.toLocaleTimeString("ru", { timeStyle: has("T") ? "medium" : "short" }));
  return parts.join(", ");
}

function relative(moment) {
  const seconds = (moment - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat("ru", { numeric: "auto" });
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const [unit, length] = units.find(([, span]) => Math.abs(seconds) >= span) || ["second", 1];
  return words.format(Math.round(seconds / length), unit);
}
