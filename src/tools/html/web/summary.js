// The summary: scopes as rows that fold, bars for the share of the whole, sorted by cost where that is asked for.

const table = $('rows');
const COLUMNS = [['layer', ''], ['kind', ''], ['output', 'n'], ['parameters', 'n'], ['MACs', 'n'], ['sees', 'n']];
const KEYS = { parameters: 'params', MACs: 'macs' };
let sorted = null;
let focused = null;

/** What a row shows of a frame or a layer. */
function facts(part) {
  if (part.frame) {
    const { frame } = part;
    return { name: frame.label, kind: frame.block + (isRun(frame) ? ` ×${frame.times}` : ''), shape: frame.sums.shape, params: frame.sums.params, macs: frame.sums.macs, sees: nodes[frame.nodes.at(-1)].field };
  }
  const node = nodes[part.id];
  return { name: node.path, kind: `${node.kind} ${node.detail}`.trim(), shape: node.shape, params: node.params ?? 0, macs: node.macs ?? 0, sees: node.field, look: isMerge(part.id) ? node.look : '' };
}

/** Frames and layers of a sequence, in the order of the file, paths side by side one after another. */
function parts(seq, level) {
  return seq.elems.flatMap((elem) => {
    if (elem.split) return elem.split.flatMap((column) => parts(column.body, level));
    if (!elem.frame) return [{ id: elem.layer ?? elem.merge, level, key: `n${elem.layer ?? elem.merge}` }];
    const { frame } = elem;
    const row = { frame, level, key: `f${frame.index}` };
    return frame.open === FOLDED ? [row] : [row, ...parts(frame.body, level + 1)];
  });
}

/** The rows as they are asked for: nested; or single layers, the dearest first, or those that were searched for. */
function asked() {
  const words = $('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!sorted && words.length === 0) return parts(root, 1);
  const ids = nodes.flatMap((node, id) => (node ? [id] : []));
  const holds = (id) => words.every((word) => `${nodes[id].path} ${nodes[id].kind} ${nodes[id].detail}`.toLowerCase().includes(word));
  const found = ids.filter(holds);
  if (sorted) found.sort((a, b) => (nodes[b][sorted] ?? 0) - (nodes[a][sorted] ?? 0) || a - b);
  return found.map((id) => ({ id, level: 1, key: `n${id}`, flat: true }));
}

const whole = { params: 0, macs: 0 };
for (const node of nodes) {
  whole.params += node?.params ?? 0;
  whole.macs += node?.macs ?? 0;
}

function number(value, key) {
  const part = whole[key] > 0 ? (100 * value) / whole[key] : 0;
  const words = value === 0 ? '·' : key === 'macs' ? metric(value) : grouped(value);
  const bar = value > 0 ? [make('i', { class: 'share', style: `width:${Math.max(0.5, part).toFixed(1)}%` })] : [];
  return make('td', { class: `n bar-cell ${key}`, title: value ? `${part.toFixed(1)} % of the whole` : undefined }, make('span', {}, words), make('b', {}, ...bar));
}

function rowElement(part) {
  const { name, kind, shape, params, macs, sees, look } = facts(part);
  const { frame, level, flat, key } = part;
  const cut = flat ? 0 : name.lastIndexOf('.') + 1;
  const mark = frame ? (frame.open === FOLDED ? '▸' : '▾') : '';
  const label = make('td', { class: 'name', style: `padding-left:${(level - 1) * 24 + (frame ? 0 : 16)}px` }, make('span', { class: 'mark' }, mark), frame ? make('strong', {}, name) : name.slice(cut));
  return make(
    'tr',
    { role: 'row', tabindex: key === focused ? 0 : -1, 'data-key': key, 'aria-level': level, 'aria-expanded': frame ? String(frame.open !== FOLDED) : undefined, class: frame ? 'block' : '', title: frame?.args ? `${frame.block}(${frame.args})` : frame ? undefined : name },
    label, make('td', { class: look }, kind), make('td', { class: 'n' }, shape), number(params, 'params'), number(macs, 'macs'), make('td', { class: 'n soft' }, sees ?? ''),
  );
}

function drawRows() {
  const rows = asked();
  if (!rows.some((row) => row.key === focused)) focused = rows[0]?.key ?? null;
  table.replaceChildren(...rows.map(rowElement));
  $('count').textContent = rows.length === 0 ? 'nothing has that name or kind' : rows[0].flat ? `${rows.length} layers` : '';
  for (const head of document.querySelectorAll('[data-sort]')) {
    const here = (head.dataset.sort || null) === sorted;
    head.parentElement.setAttribute('aria-sort', here && sorted ? 'descending' : 'none');
  }
}

function focusRow(key) {
  focused = key;
  for (const row of table.rows) row.tabIndex = row.dataset.key === key ? 0 : -1;
  const row = table.querySelector(`[data-key="${key}"]`);
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}

function turn(key, open) {
  if (!key?.startsWith('f')) return;
  const frame = frames[key.slice(1)];
  frame.open = (open ?? frame.open === FOLDED) ? OPEN : FOLDED;
  drawRows();
  focusRow(key);
}

function move(by) {
  const keys = [...table.rows].map((row) => row.dataset.key);
  const next = keys[keys.indexOf(focused) + by];
  if (next) focusRow(next);
}

function all(open) {
  for (const frame of frames) frame.open = open && !isRun(frame) ? OPEN : FOLDED;
  drawRows();
}

const rowKeys = {
  ArrowDown: () => move(1), ArrowUp: () => move(-1), ArrowRight: () => turn(focused, true), ArrowLeft: () => turn(focused, false),
  Enter: () => turn(focused), ' ': () => turn(focused),
};

table.addEventListener('click', (event) => {
  const key = event.target.closest('tr')?.dataset.key;
  if (key?.startsWith('f')) turn(key);
  else if (key) focusRow(key);
});
table.addEventListener('focusin', (event) => { focused = event.target.closest('tr')?.dataset.key ?? focused; });
document.addEventListener('click', (event) => {
  const head = event.target.closest('[data-sort]'), act = event.target.closest('[data-act]');
  if (head) {
    sorted = head.dataset.sort && sorted !== head.dataset.sort ? head.dataset.sort : null;
    drawRows();
  }
  if (act) all(act.dataset.act === 'unfold');
});
document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Escape') {
    $('search').value = '';
    sorted = null;
    return drawRows();
  }
  if (event.target === $('search')) return;
  const act = event.key === '/' ? () => $('search').focus() : event.target.closest('#rows') && rowKeys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
$('search').addEventListener('input', drawRows);

$('heads').append(
  ...COLUMNS.map(([name, look]) => {
    const sort = KEYS[name] ?? (name === 'layer' ? '' : undefined);
    const words = sort === undefined ? name : make('button', { type: 'button', class: 'sort', 'data-sort': sort, title: sort ? 'the dearest layers first' : 'in the order of the file' }, name);
    return make('th', { class: look, scope: 'col' }, words);
  }),
);
for (const frame of frames) frame.open = !isRun(frame) && !frame.parent ? OPEN : FOLDED;
drawRows();
document.documentElement.dataset.ready = 'yes';
