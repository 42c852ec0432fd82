// One message → one element: name, answer above, text, file, time, keyboard.

import { h, link, safeUrl, size } from "./dom.js";
import { rich } from "./text.js";
import { player } from "./player.js";

const opened = new Map(); // message key → quotes unfolded by the reader; kept over edits
const players = new Map(); // a playing recording goes on while its caption is edited

export function messageElement(message, context) {
  const key = `${message.chat.id}:${message.message_id}`;
  if (isService(message)) return h("div", { class: "service", "data-id": message.message_id }, serviceText(message));
  const mine = message.from.id === context.me.id && !message.sender_chat;
  const bubble = h("div", { class: "bubble" }, head(message, mine, context), answer(message, context), file(message, key),
    body(message, key, context), reactions(message), stamp(message));
  const tools = h("button", { type: "button", class: "answer-tool", "aria-label": "Ответить на сообщение", title: "Ответить",
    onclick: () => context.reply(message) }, "↩");
  return h("article", { class: `message ${mine ? "out" : "in"}`, "data-id": message.message_id, "aria-label": author(message) },
    h("div", { class: "row" }, bubble, tools), keyboard(message, context));
}

export function author(message) {
  if (message.sender_chat) return message.sender_chat.title;
  return [message.from.first_name, message.from.last_name].filter(Boolean).join(" ");
}

export function plainText(message) {
  return message.text || message.caption || (message.audio && "Аудиозапись") || (message.voice && "Голосовое сообщение")
    || (message.document && message.document.file_name) || (message.photo && "Фотография") || serviceText(message);
}

export function hue(id) {
  return `hue${Math.abs(id) % 6}`;
}

function isService(message) {
  return Boolean(message.new_chat_members || message.left_chat_member || message.migrate_to_chat_id || message.migrate_from_chat_id);
}

function serviceText(message) {
  const names = (users) => users.map((user) => user.first_name).join(", ");
  if (message.new_chat_members) return `В группе: ${names(message.new_chat_members)}`;
  if (message.left_chat_member) return `Больше не в группе: ${message.left_chat_member.first_name}`;
  return "Группа стала супергруппой";
}

function head(message, mine, context) {
  const via = message.via_bot ? h("span", { class: "muted" }, ` через @${message.via_bot.username}`) : null;
  if ((mine || !context.group) && !via) return null;
  return h("div", { class: `name ${hue(message.from.id)}` }, author(message), via);
}

function answer(message, context) {
  const replied = message.reply_to_message;
  if (!replied) return null;
  return h("button", { type: "button", class: "answered", onclick: () => context.jump(replied.message_id) },
    h("b", {}, author(replied)), h("span", {}, plainText(replied).slice(0, 120)));
}

function body(message, key, context) {
  const text = message.text ?? message.caption ?? "";
  if (!text) return null;
  if (!opened.has(key)) opened.set(key, new Set());
  let quotes = 0;
  const hooks = { command: context.command, opened: opened.get(key), nextQuote: () => quotes++ };
  return h("div", { class: "text" }, rich(text, message.entities || message.caption_entities, hooks));
}

function file(message, key) {
  const sound = message.audio || message.voice;
  if (sound) {
    const place = `${key}:${sound.file_id}`;
    if (!players.has(place)) players.set(place, player(sound, fileUrl(sound)));
    return players.get(place);
  }
  if (message.photo) {
    return h("img", { class: "photo", src: fileUrl(message.photo.at(-1)), alt: message.caption || "Фотография", loading: "lazy" });
  }
  if (!message.document) return null;
  const name = message.document.file_name || "файл";
  return h("a", { class: "file", href: fileUrl(message.document), download: name },
    h("span", { class: "file-icon", "aria-hidden": "true" }, (name.includes(".") ? name.split(".").pop() : "").slice(0, 4)),
    h("span", {}, h("b", {}, name), h("small", {}, size(message.document.file_size))));
}

function fileUrl(media) {
  return `/control/file/${encodeURIComponent(media.file_id)}`;
}

function reactions(message) {
  if (!message.reactions || !message.reactions.length) return null;
  return h("div", { class: "reactions" }, message.reactions.map((emoji) => h("span", {}, emoji)));
}

function stamp(message) {
  const moment = new Date(message.date * 1000);
  const clock = moment.toLocaleTimeString("ru", { hour: "2-digit", minute: "2-digit" });
  return h("div", { class: "stamp" }, message.silent && h("span", {}, "без звука"),
    message.edit_date && h("span", {}, "изменено"), h("time", { datetime: moment.toISOString() }, clock));
}

function keyboard(message, context) {
  const rows = message.reply_markup && message.reply_markup.inline_keyboard;
  if (!rows) return null;
  return h("div", { class: "keyboard", role: "group", "aria-label": "Кнопки под сообщением" },
    rows.map((row) => h("div", { class: "keys" }, row.map((button) => key(button, message, context)))));
}

function key(button, message, context) {
  const style = `key ${["danger", "success", "primary"].includes(button.style) ? button.style : ""}`;
  if (button.url && safeUrl(button.url)) {
    const element = link(button.url, button.text, h("span", { class: "corner", "aria-hidden": "true" }, "↗"));
    element.className = style;
    return element;
  }
  const act = () => context.key(button, message, element);
  const corner = button.copy_text ? "copy" : button.web_app ? "app" : "";
  const element = h("button", { type: "button", class: style, disabled: Boolean(button.disabled), onclick: act }, button.text,
    corner && h("span", { class: `corner ${corner}`, "aria-hidden": "true" }));
  return element;
}
