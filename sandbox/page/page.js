// The page: reads the state once, then follows the events; shows one chat of one person at a time.

import { $, count, h, post } from "./dom.js";
import { fill, hide, setReply, startComposer, write } from "./composer.js";
import { hue, messageElement } from "./message.js";
import { readPanel, startPanel } from "./panel.js";

const ACTIONS = { typing: "печатает…", upload_document: "отправляет файл…", upload_voice: "отправляет запись…",
  record_voice: "записывает голос…", upload_photo: "отправляет фото…" };
const world = { bot: null, people: [], chats: new Map(), unread: new Map() };
const screen = { me: null, bot: null, chat: null, topic: 0 };
let actionTimer = 0;
let toastTimer = 0;

// ——— reading

async function readState() {
  const state = await (await fetch("/control/state")).json();
  world.bot = screen.bot = state.bot;
  world.people = state.people;
  world.chats = new Map(state.chats.map((chat) => [chat.id, { ...chat, messages: new Map(chat.messages.map((one) => [one.message_id, one])) }]));
  screen.me = world.people.find((one) => one.id === (screen.me && screen.me.id)) || world.people[0] || null;
  screen.chat = world.chats.get(screen.chat && screen.chat.id) || null;
  if (!screen.chat || !mine(screen.chat)) open(myChats()[0] || null);
  drawAll();
}

function listen() {
  const events = new EventSource("/control/events");
  const on = (kind, act) => events.addEventListener(kind, (event) => act(JSON.parse(event.data)));
  events.addEventListener("open", () => { $("offline").hidden = true; readState(); readPanel(); });
  events.addEventListener("error", () => { $("offline").hidden = false; });
  on("message", ({ chat_id: id, message }) => arrive(id, message));
  on("edit", ({ chat_id: id, message }) => change(id, message));
  on("delete", ({ chat_id: id, message_id: number }) => vanish(id, number));
  on("action", action);
  on("chats", readState);
  on("panel", readPanel);
}

const mine = (chat) => Boolean(screen.me) && ["creator", "administrator", "member"].includes(chat.members[screen.me.id]);
const myChats = () => [...world.chats.values()].filter(mine).sort((a, b) => (a.type === "private") - (b.type === "private"));
const inTopic = (message) => !screen.chat.is_forum || (message.thread || 0) === screen.topic;

// ——— what happens

function arrive(id, message) {
  const chat = world.chats.get(id);
  if (!chat) return;
  if (chat.messages.has(message.message_id)) return change(id, message); // the state that was just read had it already
  chat.messages.set(message.message_id, message);
  const here = screen.chat === chat && inTopic(message);
  if (!here) {
    const place = `${id}:${message.thread || 0}`;
    world.unread.set(place, (world.unread.get(place) || 0) + 1);
    if (mine(chat)) drawTabs();
    return;
  }
  if (message.from.is_bot) stopAction();
  const log = $("log");
  const low = log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  log.querySelector(".empty")?.remove();
  const element = messageElement(message, context());
  log.append(element);
  if (low || message.from.id === screen.me.id) showLast(element);
  else $("down").hidden = false;
}

function change(id, message) {
  const chat = world.chats.get(id);
  if (!chat || !chat.messages.has(message.message_id)) return;
  chat.messages.set(message.message_id, message);
  const old = screen.chat === chat ? $("log").querySelector(`[data-id="${message.message_id}"]`) : null;
  if (!old) return;
  const log = $("log");
  const low = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const fresh = messageElement(message, context());
  fresh.classList.add("fresh");
  old.replaceWith(fresh);
  if (low && fresh === log.lastElementChild) showLast(fresh);
  else if (low) log.scrollTop = log.scrollHeight;
}

// A message taller than the screen is read from its beginning.
function showLast(element) {
  const log = $("log");
  const tall = element.offsetHeight > log.clientHeight;
  log.scrollTop = tall ? element.offsetTop - log.offsetTop - 8 : log.scrollHeight;
  if (tall) $("down").hidden = false;
}

function vanish(id, number) {
  const chat = world.chats.get(id);
  chat?.messages.delete(number);
  if (screen.chat === chat) $("log").querySelector(`[data-id="${number}"]`)?.remove();
}

function action({ chat_id: id, thread, action: kind }) {
  if (!screen.chat || screen.chat.id !== id || (screen.chat.is_forum && (thread || 0) !== screen.topic)) return;
  $("chat-note").textContent = `${world.bot.first_name} ${ACTIONS[kind] || "занят…"}`;
  $("chat-note").classList.add("busy");
  clearTimeout(actionTimer);
  actionTimer = setTimeout(stopAction, 5000);
}

function stopAction() {
  clearTimeout(actionTimer);
  drawHead();
}

// ——— what the reader does

function context() {
  return { me: screen.me, group: screen.chat.type !== "private", reply: setReply, key: pressKey, command: write, jump };
}

async function pressKey(button, message, element) {
  if (button.copy_text) {
    await navigator.clipboard?.writeText(button.copy_text.text).catch(() => {});
    return toast("Скопировано");
  }
  if (button.switch_inline_query_current_chat !== undefined) return fill(`@${world.bot.username} ${button.switch_inline_query_current_chat}`);
  if (button.callback_data === undefined) return toast("В демонстрации эта кнопка ничего не открывает");
  element.classList.add("busy");
  element.setAttribute("aria-busy", "true");
  const body = { person_id: screen.me.id, chat_id: message.chat.id, message_id: message.message_id, button: button.callback_data, wait: 15 };
  try {
    const answer = await post("/control/press", body);
    if (!answer.answered) toast("Бот не ответил на нажатие");
    else if (answer.alert) alertWindow(answer.text);
    else if (answer.text) toast(answer.text);
    else if (answer.url) await follow(answer.url);
  } catch (error) {
    toast(error.message);
  }
  element.classList.remove("busy");
  element.removeAttribute("aria-busy");
  return undefined;
}

async function follow(address) {
  const payload = new URL(address).searchParams.get("start");
  if (payload === null) return toast("В демонстрации эта ссылка ничего не открывает");
  await post("/control/start", { person_id: screen.me.id, payload });
  return toast("Ответ — в личном чате с ботом");
}

function jump(number) {
  const target = $("log").querySelector(`[data-id="${number}"]`);
  if (!target) return;
  target.scrollIntoView({ block: "center" });
  target.classList.remove("fresh");
  requestAnimationFrame(() => target.classList.add("fresh"));
}

function toast(text) {
  clearTimeout(toastTimer);
  $("toast").textContent = text;
  $("toast").hidden = false;
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

function alertWindow(text) {
  $("alert-text").textContent = text;
  $("alert").showModal();
}

function open(chat, topic = 0) {
  screen.chat = chat;
  screen.topic = topic;
  setReply(null);
  hide();
  if (chat) world.unread.delete(`${chat.id}:${topic}`);
}

// ——— drawing

function drawAll() {
  drawPersona();
  drawTabs();
  drawHead();
  drawLog();
}

function drawPersona() {
  const option = (one) => h("option", { value: one.id, selected: one.id === screen.me?.id }, [one.first_name, one.last_name].filter(Boolean).join(" "));
  $("persona").replaceChildren(...world.people.map(option));
  $("persona-label").classList.toggle("alone", world.people.length < 2);
}

function tab(label, selected, unread, act) {
  const badge = unread ? h("span", { class: "badge", "aria-label": count(unread, "новое", "новых", "новых") }, String(unread)) : null;
  return h("button", { type: "button", role: "tab", "aria-selected": String(selected), tabindex: selected ? 0 : -1, onclick: act }, label, badge);
}

function unreadOf(chat, topic) {
  const places = topic === undefined ? [0, ...chat.topics.map((one) => one.id)] : [topic];
  return places.reduce((sum, one) => sum + (world.unread.get(`${chat.id}:${one}`) || 0), 0);
}

function drawTabs() {
  const show = (chat, topic) => () => { open(chat, topic); drawAll(); };
  $("chats").replaceChildren(...myChats().map((chat) => tab(titleOf(chat), chat === screen.chat, unreadOf(chat), show(chat, 0))));
  const forum = Boolean(screen.chat && screen.chat.is_forum);
  $("topics").hidden = !forum;
  const topics = forum ? [{ id: 0, name: "Общая" }, ...screen.chat.topics] : [];
  $("topics").replaceChildren(...topics.map((one) => tab(one.name, one.id === screen.topic, unreadOf(screen.chat, one.id), show(screen.chat, one.id))));
}

function titleOf(chat) {
  return chat.type === "private" ? world.bot.first_name : chat.title;
}

function drawHead() {
  const chat = screen.chat;
  $("chat-title").textContent = chat ? titleOf(chat) : "Нет чатов";
  $("chat-avatar").textContent = chat ? titleOf(chat).slice(0, 1) : "";
  $("chat-avatar").className = `avatar ${hue(chat ? chat.id : 0)}`;
  const members = chat ? Object.values(chat.members).filter((role) => !["left", "kicked"].includes(role)).length : 0;
  $("chat-note").classList.remove("busy");
  $("chat-note").textContent = !chat ? "" : chat.type === "private" ? "бот" : count(members, "участник", "участника", "участников");
  const asleep = Boolean(chat) && chat.type === "private" && chat.members[world.bot.id] !== "member";
  $("start").hidden = !asleep;
  $("composer").hidden = asleep || !chat;
}

function drawLog() {
  const log = $("log");
  const place = screen.chat ? `${screen.chat.id}:${screen.topic}` : "";
  const reading = log.dataset.place === place && log.scrollHeight - log.scrollTop - log.clientHeight >= 60;
  const at = log.scrollTop;
  log.dataset.place = place;
  const messages = screen.chat ? [...screen.chat.messages.values()].filter(inTopic) : [];
  log.replaceChildren(...messages.map((one) => messageElement(one, context())));
  if (!messages.length) log.append(h("p", { class: "empty" }, screen.chat ? "Здесь пока нет сообщений" : ""));
  $("down").hidden = true;
  if (reading) log.scrollTop = at; // the same chat drawn anew: the reader keeps the place
  else if (messages.length) showLast(log.lastElementChild);
}

// ——— theme, views, start

const THEMES = { auto: ["◐", "Тема: как в системе"], light: ["☀", "Тема: светлая"], dark: ["☾", "Тема: тёмная"] };

function theme(name) {
  document.documentElement.dataset.theme = name;
  $("theme").textContent = THEMES[name][0];
  $("theme").setAttribute("aria-label", `${THEMES[name][1]}. Сменить`);
  $("theme").title = THEMES[name][1];
  try { localStorage.setItem("theme", name); } catch { /* a private window: the choice is not kept */ }
}

function savedTheme() {
  try { return localStorage.getItem("theme") in THEMES ? localStorage.getItem("theme") : "auto"; } catch { return "auto"; }
}

function keysOnTabs(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = [...event.currentTarget.querySelectorAll("button")];
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  const { id } = event.currentTarget;
  next?.click();
  $(id).querySelector('[aria-selected="true"]')?.focus();
}

// On a narrow screen either the chat is seen or the column.
function view(name) {
  document.body.dataset.view = name;
  document.querySelectorAll("[data-show]").forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.show === name)));
}

function showChat(id) {
  const chat = world.chats.get(id);
  if (!chat) return;
  open(chat);
  view("chat");
  drawAll();
}

function start() {
  theme(savedTheme());
  $("theme").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    theme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]);
  });
  document.querySelectorAll("[data-show]").forEach((button) => button.addEventListener("click", () => view(button.dataset.show)));
  $("persona").addEventListener("change", () => {
    screen.me = world.people.find((one) => one.id === Number($("persona").value));
    if (!screen.chat || !mine(screen.chat)) open(myChats()[0] || null);
    drawAll();
  });
  $("chats").addEventListener("keydown", keysOnTabs);
  $("topics").addEventListener("keydown", keysOnTabs);
  $("log").addEventListener("scroll", () => {
    const log = $("log");
    if (log.scrollHeight - log.scrollTop - log.clientHeight < 40) $("down").hidden = true;
  });
  $("down").addEventListener("click", () => { $("log").scrollTop = $("log").scrollHeight; });
  $("start").addEventListener("click", () => post("/control/start", { person_id: screen.me.id }).catch((error) => toast(error.message)));
  startComposer(screen, toast);
  startPanel(toast, showChat);
  listen();
}

start();
