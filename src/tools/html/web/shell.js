// What all pages share: short words for the document, and light or dark.

const $ = (id) => document.getElementById(id);

/** What the page was given, as the text of an element holds it. */
const read = (id) => JSON.parse($(id)?.textContent ?? 'null');

/** An element with attributes and children; `svg:` before the name makes one of a drawing. */
function make(name, attributes = {}, ...children) {
  const drawn = name.startsWith('svg:');
  const element = drawn
    ? document.createElementNS('http://www.w3.org/2000/svg', name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

const dark = matchMedia('(prefers-color-scheme: dark)');

/** Pages follow the system until the button is pressed. */
function theme() {
  const root = document.documentElement;
  const now = () => root.dataset.theme ?? (dark.matches ? 'dark' : 'light');
  const say = () => {
    const next = now() === 'dark' ? 'light' : 'dark';
    $('theme').textContent = next === 'dark' ? 'Dark' : 'Light';
    $('theme').setAttribute('aria-label', `change to ${next} colours`);
  };
  $('theme').addEventListener('click', () => {
    root.dataset.theme = now() === 'dark' ? 'light' : 'dark';
    say();
  });
  dark.addEventListener('change', say);
  say();
}

theme();
