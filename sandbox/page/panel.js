// The control column: buttons that play the vendors, lines of state, progress, and a place to drop a recording.

import { $, h, post } from "./dom.js";

const STATES = { ok: "✓", wait: "…", fail: "!", info: "i" };
let say = () => {};
let show = () => {};

// ``openChat`` brings a chat into view, also where the column fills the screen.
export function startPanel(toast, openChat) {
  say = toast;
  show = openChat;
  return readPanel();
}

export async function readPanel() {
  let panel = null;
  try {
    const response = await fetch("/demo/panel.json", { headers: { Accept: "application/json" } });
    if (response.ok) panel = await response.json();
  } catch {
    panel = null;
  }
  draw(panel);
}

function draw(panel) {
  const focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.press : undefined;
  const root = $("panel");
  if (!panel) {
    root.replaceChildren(h("h2", {}, "Пульт"), h("p", { class: "muted" },
      "Здесь появятся кнопки демонстрации. Пока можно писать боту: нажмите «Меню» или введите /help."));
    return;
  }
  root.replaceChildren(h("h2", {}, panel.title || "Пульт"), panel.intro && h("p", { class: "muted" }, panel.intro), progress(panel.progress),
    lines(panel.status || []), ...groups(panel.buttons || []), panel.drop === false ? "" : drop(panel.drop || {}));
  if (focused) root.querySelector(`[data-press="${CSS.escape(focused)}"]`)?.focus();
}

function progress(bar) {
  if (!bar) return "";
  const known = typeof bar.value === "number";
  const text = known ? `${Math.round(bar.value * 100)} %` : "";
  const meter = h("progress", { max: 1, value: known ? bar.value : undefined, "aria-label": bar.label });
  return h("div", { class: "progress" }, h("div", {}, h("span", {}, bar.label || ""), h("span", {}, text)), meter);
}

function lines(status) {
  if (!status.length) return "";
  const line = (one) => {
    const state = STATES[one.state] ? one.state : "info";
    return h("li", { class: state }, h("span", { class: "sign", "aria-hidden": "true" }, STATES[state]), h("span", {}, one.text));
  };
  return h("ul", { class: "status", "aria-label": "Состояние" }, status.map(line));
}

function groups(buttons) {
  const names = [...new Set(buttons.map((button) => button.group || ""))];
  return names.map((name) => h("section", { class: "group" }, name && h("h3", {}, name),
    buttons.filter((button) => (button.group || "") === name).map(pressButton)));
}

function pressButton(button) {
  const hint = button.hint ? h("small", {}, button.hint) : null;
  const state = button.done ? " done" : button.next ? " next" : "";
  const tick = button.done ? h("span", { class: "tick", role: "img", "aria-label": "сделано" }, "✓") : null;
  const element = h("button", { type: "button", class: `press${state}`, "data-press": button.id, disabled: Boolean(button.disabled),
    "aria-current": button.next ? "step" : undefined }, h("span", {}, button.title), hint, tick);
  element.addEventListener("click", async () => {
    element.classList.add("busy");
    element.setAttribute("aria-busy", "true");
    try {
      const answer = await post(`/demo/press/${encodeURIComponent(button.id)}`, {});
      if (answer.message) say(answer.message);
      if (answer.chat !== undefined) show(answer.chat);
    } catch (error) {
      say(error.message || "Не получилось");
    } finally {
      element.classList.remove("busy");
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}

function drop(settings) {
  const input = h("input", { type: "file", accept: ".mp3,.wav,audio/mpeg,audio/wav", class: "hidden" });
  const note = h("small", {}, settings.hint || "Файл .mp3 или .wav станет записью звонка.");
  const zone = h("label", { class: "drop" }, input, h("b", {}, "Перетащите запись разговора"), h("span", {}, "или выберите файл"), note);
  input.addEventListener("change", () => input.files.length && send(input.files[0], zone, note));
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => { event.preventDefault(); zone.classList.add("over"); });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) send(event.dataTransfer.files[0], zone, note);
  });
  return zone;
}

async function send(file, zone, note) {
  if (!/\.(mp3|wav)$/i.test(file.name)) return say("Нужен файл .mp3 или .wav");
  zone.classList.add("busy");
  note.textContent = `Отправляем «${file.name}»…`;
  const form = new FormData();
  form.append("file", file, file.name);
  try {
    const answer = await post("/demo/drop", form);
    note.textContent = answer.message || `«${file.name}» принят.`;
  } catch (error) {
    note.textContent = error.message || "Файл не принят.";
  } finally {
    say(note.textContent); // the column is drawn anew at the next event, the note with it
    zone.classList.remove("busy");
  }
  return undefined;
}
