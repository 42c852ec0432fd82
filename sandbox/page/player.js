// A small audio player: one button, one slider, two times. Only one recording plays at a time.

import { h } from "./dom.js";

let playing = null;

export function player(sound, url) {
  const audio = new Audio();
  audio.preload = "metadata";
  audio.src = url;
  const title = sound.title || sound.file_name || "Голосовое сообщение";
  const button = h("button", { type: "button", class: "play round", "aria-label": `Слушать: ${title}` }, "▶");
  const slider = h("input", { type: "range", min: 0, max: 1000, value: 0, step: 1, "aria-label": "Место в записи" });
  const clock = h("span", { class: "clock" }, clockText(0, sound.duration));
  const total = () => (Number.isFinite(audio.duration) && audio.duration > 0 ? audio.duration : sound.duration || 0);

  const draw = () => {
    const share = total() ? audio.currentTime / total() : 0;
    slider.value = Math.round(share * 1000);
    slider.setAttribute("aria-valuetext", clockText(audio.currentTime, total()));
    clock.textContent = clockText(audio.currentTime, total());
  };
  const mark = (on) => {
    button.textContent = on ? "❚❚" : "▶";
    button.setAttribute("aria-label", `${on ? "Остановить" : "Слушать"}: ${title}`);
  };
  button.addEventListener("click", () => {
    if (!audio.paused) return audio.pause();
    if (playing && playing !== audio) playing.pause();
    playing = audio;
    return audio.play().catch(() => { clock.textContent = "Не удалось открыть запись"; });
  });
  slider.addEventListener("input", () => { audio.currentTime = (slider.value / 1000) * total(); });
  audio.addEventListener("play", () => mark(true));
  for (const name of ["pause", "ended"]) audio.addEventListener(name, () => mark(false));
  for (const name of ["timeupdate", "loadedmetadata"]) audio.addEventListener(name, draw);

  const by = sound.performer ? h("small", {}, sound.performer) : null;
  return h("div", { class: "player" }, button, h("div", { class: "track" }, h("b", {}, title), by, slider, clock));
}

function clockText(now, total) {
  const text = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  return total ? `${text(now)} / ${text(total)}` : text(now);
}
