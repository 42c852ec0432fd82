// Builds elements. Strings become text nodes only, so nothing that was said can turn into markup.

export const $ = (id) => document.getElementById(id);

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// An address a person may safely follow, or null: javascript: and data: are never links here.
export function safeUrl(raw) {
  try {
    const url = new URL(raw.includes(":") ? raw : `http://${raw}`);
    return ["http:", "https:", "tg:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

export function link(raw, ...children) {
  const href = safeUrl(raw);
  if (href === null) return h("span", {}, ...children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

// Russian plural: count(3, "участник", "участника", "участников") → "3 участника".
export function count(number, one, few, many) {
  const tens = number % 100;
  const last = number % 10;
  const word = tens > 10 && tens < 20 ? many : last === 1 ? one : last >= 2 && last <= 4 ? few : many;
  return `${number} ${word}`;
}

export function size(bytes) {
  if (bytes < 1024) return `${bytes} Б`;
  const kilobytes = bytes / 1024;
  const text = (value) => value.toLocaleString("ru", { maximumFractionDigits: 1 });
  return kilobytes < 1024 ? `${text(kilobytes)} КБ` : `${text(kilobytes / 1024)} МБ`;
}

export async function post(url, body) {
  const form = body instanceof FormData;
  const headers = form ? {} : { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: form ? body : JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || `Ошибка ${response.status}`);
  return answer;
}
