// The line where a person writes: commands on "/", inline answers on "@bot ", replies.

import { $, h, post } from "./dom.js";
import { author, plainText } from "./message.js";

const INLINE_PAUSE_MS = 300;
let view; // {me, bot, chat, topic}: what is on the screen
let toast = () => {};
let replyTo = null;
let timer = 0;
let asked = 0;

export function startComposer(screen, showToast) {
  view = screen;
  toast = showToast;
  const input = $("input");
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    write(input.value);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      write(input.value);
    } else if (event.key === "Escape") {
      hide();
      setReply(null);
    } else if (event.key === "ArrowDown" && !$("suggest").hidden) {
      event.preventDefault();
      $("suggest").querySelector("button")?.focus();
    }
  });
  input.addEventListener("input", typed);
  $("menu").addEventListener("click", () => ($("suggest").hidden ? commands("") : hide()));
  $("suggest").addEventListener("keydown", move);
}

export function setReply(message) {
  replyTo = message;
  const bar = $("reply");
  bar.hidden = message === null;
  bar.replaceChildren();
  if (message) {
    bar.append(h("div", {}, h("b", {}, author(message)), h("span", {}, plainText(message).slice(0, 100))),
      h("button", { type: "button", "aria-label": "Не отвечать", onclick: () => setReply(null) }, "✕"));
    $("input").focus();
  }
}

export async function write(raw) {
  const text = raw.trim();
  if (!text || !view.chat) return;
  const body = { person_id: view.me.id, chat_id: view.chat.id, text };
  if (view.topic) body.topic = view.topic;
  if (replyTo) body.reply_to = replyTo.message_id;
  try {
    await post("/control/say", body);
    $("input").value = "";
    grow();
    hide();
    setReply(null);
  } catch (error) {
    toast(error.message);
  }
}

export function fill(text) {
  $("input").value = text;
  $("input").focus();
  typed();
}

function grow() {
  const input = $("input");
  input.style.height = "auto";
  input.style.height = `${Math.min(input.scrollHeight, 140)}px`;
}

function typed() {
  grow();
  clearTimeout(timer);
  const text = $("input").value;
  const name = `@${view.bot.username} `;
  if (text.toLowerCase().startsWith(name.toLowerCase())) timer = setTimeout(() => inline(text.slice(name.length)), INLINE_PAUSE_MS);
  else if (/^\/\w*$/.test(text)) commands(text.slice(1).toLowerCase());
  else hide();
}

export function hide() {
  asked += 1;
  $("suggest").hidden = true;
  $("menu").setAttribute("aria-expanded", "false");
}

function show(items) {
  $("suggest").replaceChildren(...items);
  $("suggest").hidden = false;
  $("menu").setAttribute("aria-expanded", "true");
}

async function commands(beginning) {
  const mine = ++asked;
  const response = await fetch(`/control/commands?person_id=${view.me.id}&chat_id=${view.chat.id}`);
  const list = ((await response.json()).commands || []).filter((one) => one.command.startsWith(beginning));
  if (mine !== asked) return;
  if (!list.length) {
    if (!beginning) show([h("p", { class: "muted" }, "Бот ещё не прислал список команд.")]);
    else hide();
    return;
  }
  const suffix = view.chat.type === "private" ? "" : `@${view.bot.username}`;
  show(list.map((one) => h("button", { type: "button", onclick: () => write(`/${one.command}${suffix}`) },
    h("b", {}, `/${one.command}`), h("span", {}, one.description))));
}

async function inline(text) {
  const mine = ++asked;
  const body = { person_id: view.me.id, chat_id: view.chat.id, text, wait: 10 };
  const answer = await post("/control/inline", body).catch((error) => ({ failed: error.message }));
  if (mine !== asked) return;
  if (answer.failed || answer.results === null) return void show([h("p", { class: "muted" }, answer.failed || "Бот не ответил.")]);
  const items = answer.results.map((one) => h("button", { type: "button", onclick: () => choose(answer.query_id, one.id) },
    h("b", {}, one.title || one.id), h("span", {}, one.description || "")));
  if (answer.button) items.unshift(h("p", { class: "muted" }, answer.button.text));
  show(items.length ? items : [h("p", { class: "muted" }, "Ничего не нашлось.")]);
}

async function choose(query, result) {
  try {
    await post("/control/choose", { query_id: query, result_id: result, chat_id: view.chat.id });
    $("input").value = "";
    hide();
  } catch (error) {
    toast(error.message);
  }
}

function move(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    hide();
    $("input").focus();
  }
  if (!step) return;
  event.preventDefault();
  const items = [...$("suggest").querySelectorAll("button")];
  const next = items[items.indexOf(document.activeElement) + step];
  (next || $("input")).focus();
}

