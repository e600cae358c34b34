// What is known of the layer or block that is pointed at.

const details = $('details');

const row = (name, ...value) => [make('dt', {}, name), make('dd', {}, ...value)];
const share = (part, whole) => (whole > 0 && part > 0 ? ` (${((100 * part) / whole).toFixed(1)} %)` : '');

const whole = { params: 0, macs: 0 };
for (const node of nodes) {
  whole.params += node?.params ?? 0;
  whole.macs += node?.macs ?? 0;
}

/** A name that leads to its layer. */
function link(words, id) {
  return make('button', { type: 'button', class: 'link', 'data-go': id }, words);
}

function joined(items) {
  return items.flatMap((item, i) => (i > 0 ? [', ', item] : [item]));
}

function describe(item) {
  if (!item) {
    details.replaceChildren(make('p', { class: 'soft' }, 'Point at a layer or a block. Press ? for the keys.'));
    return;
  }
  details.replaceChildren(...(item.frame ? frameDetails(item.frame) : layerDetails(item.layer ?? item.merge)));
}

function heading(path, words, look) {
  const cut = path.lastIndexOf('.') + 1;
  return [
    make('h2', {}, make('span', { class: 'soft' }, path.slice(0, cut)), path.slice(cut)),
    make('p', { class: 'kind' }, make('i', { class: `swatch ${look}` }), words),
  ];
}

function costRows(params, macs) {
  return [
    ...row('parameters', params ? `${grouped(params)}${share(params, whole.params)}` : '–'),
    ...row('MACs', macs ? `${metric(macs)}${share(macs, whole.macs)}` : '–'),
  ];
}

function layerDetails(id) {
  const node = nodes[id];
  const skip = arcs.find((arc) => arc.to === id && arc.ink !== 'line');
  const kind = skip ? `${skip.long ? 'long ' : ''}skip ${node.kind} ${node.detail}` : `${node.kind} ${node.detail}`;
  const rows = [...row('output', node.shape), ...costRows(node.params, node.macs)];
  if (node.field) rows.push(...row('sees', node.field === 'all' ? 'the whole input' : `${node.field} of the input`));
  if (node.reads) rows.push(...row('reads', ...joined(node.reads.map(([name, from]) => link(name, from)))));
  const onward = arcs.filter((arc) => arc.from === id && arc.ink !== 'line').map((arc) => link(nodes[arc.to].path, arc.to));
  if (onward.length > 0) rows.push(...row('skips to', ...joined(onward.slice(0, 4)), onward.length > 4 ? ` and ${onward.length - 4} more` : ''));
  if (node.weights) {
    const cells = node.weights.map(([name, sizes]) => make('tr', {}, make('td', {}, make('code', {}, name)), make('td', {}, sizes || 'one number')));
    rows.push(...row('weights', make('table', {}, ...cells)));
  }
  rows.push(...row('memory', memoryWords([id])), ...source(node));
  return [...heading(node.path, kind, node.look), make('dl', {}, ...rows)];
}

/** The file, the line, and what stands there. */
function source(node) {
  const [file, line] = node.at;
  const { name, lines } = files[file] ?? { name: '', lines: {} };
  const text = lines[line];
  return text === undefined ? [] : row('written', `${name}:${line}`, make('pre', {}, text));
}

function frameDetails(frame) {
  const { params, macs, shape, skips } = frame.sums;
  const times = isRun(frame) ? ` ×${frame.times}` : '';
  const kind = frame.block ? `${frame.block}(${frame.args})${times}` : `labels in one scope${times}`;
  const rows = [...row('output', shape), ...costRows(params, macs)];
  rows.push(...row('layers', `${frame.nodes.length}`));
  const kinds = [...skips].map(([name, n]) => make('span', { class: name }, `${n} ${name}`));
  if (kinds.length > 0) rows.push(...row('merges', ...joined(kinds)));
  if (frame.growing) rows.push(...row('repeats', 'alike, with growing sizes'));
  const { field } = nodes[frame.nodes.at(-1)];
  if (field) rows.push(...row('sees', field === 'all' ? 'the whole input' : `${field} of the input`));
  rows.push(...row('memory', memoryWords(frame.nodes)));
  const around = frame.path.slice(0, frame.path.lastIndexOf('.') + 1);
  return [...heading(isRun(frame) ? around + frame.label : frame.path, kind, 'other'), make('dl', {}, ...rows)];
}
