// Search over paths, kinds and blocks, in everything, folded or not.

const field = $('search'), results = $('results');
const MOST = 40;
let hits = [], chosen = -1;

const entries = [
  ...frames.filter((frame) => !(frame.parent && isRun(frame.parent) && frame.parent.label === frame.label)).map((frame) => ({
    words: `${frame.path} ${frame.block}`.toLowerCase(),
    name: isRun(frame) ? `${frame.path} … ×${frame.times}` : frame.path,
    kind: frame.block || 'scope',
    frame,
  })),
  ...nodes.flatMap((node, id) => (node ? [{ words: `${node.path} ${node.kind} ${node.detail}`.toLowerCase(), name: node.path, kind: `${node.kind} ${node.detail}`, id }] : [])),
];

/** Entries that hold every word; those whose name ends in the words come first. */
function search(asked) {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const found = entries.filter((entry) => words.every((word) => entry.words.includes(word)));
  const rank = ({ name, frame }) => (name.toLowerCase() === asked.toLowerCase() ? 0 : name.toLowerCase().startsWith(words[0]) ? 1 : 2) + (frame ? 0 : 0.5);
  return found.map((entry) => [rank(entry), entry]).sort((a, b) => a[0] - b[0]).map(([, entry]) => entry);
}

function showResults() {
  hits = search(field.value);
  chosen = hits.length > 0 ? 0 : -1;
  const options = hits.slice(0, MOST).map(({ name, kind }, i) =>
    make('li', { role: 'option', id: `hit${i}`, 'data-hit': i }, make('span', {}, name), make('span', { class: 'soft' }, kind)),
  );
  if (hits.length > MOST) options.push(make('li', { class: 'soft' }, `and ${hits.length - MOST} more`));
  if (field.value.trim() && hits.length === 0) options.push(make('li', { class: 'soft' }, 'nothing has that name or kind'));
  results.replaceChildren(...options);
  results.hidden = options.length === 0;
  field.setAttribute('aria-expanded', String(!results.hidden));
  choose(chosen);
}

function choose(at) {
  chosen = at;
  for (const option of results.querySelectorAll('[role=option]')) {
    const here = Number(option.dataset.hit) === chosen;
    option.setAttribute('aria-selected', String(here));
    if (here) option.scrollIntoView({ block: 'nearest' });
  }
  if (chosen >= 0) field.setAttribute('aria-activedescendant', `hit${chosen}`);
  else field.removeAttribute('aria-activedescendant');
}

function closeSearch() {
  field.value = '';
  showResults();
}

function take(at) {
  const hit = hits[at];
  if (!hit) return;
  closeSearch();
  if (hit.frame) goToFrame(hit.frame);
  else go(hit.id);
}

/** Opens what is around a frame, and goes there. */
function goToFrame(frame) {
  const open = frame.open;
  reveal(frame.nodes[0]);
  frame.open = open;
  const target = stoodFor(frame) ? frame.parent : frame;
  redraw(selected);
  select(`f${target.index}`);
}

const searchKeys = {
  ArrowDown: () => choose(Math.min(chosen + 1, Math.min(hits.length, MOST) - 1)),
  ArrowUp: () => choose(Math.max(chosen - 1, 0)),
  Enter: () => take(chosen),
  Escape: () => { closeSearch(); select(selected); },
};
