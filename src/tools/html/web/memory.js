// The memory plan: steps across, bytes up, one box per buffer. What the selected layers write and read is lit.

const memory = $('memory');
const MARGIN = { left: 40, right: 8, top: 18, bottom: 34 };
/** The step at which each node is computed. */
const stepOf = new Map();
plan.steps.forEach((step, at) => step.nodes.forEach((id) => stepOf.has(id) || stepOf.set(id, at)));
const viewOf = new Map(plan.views);
let axes = null;

/** What the plan says of a set of nodes: the steps, and the values that are written, and read from others. */
function memoryOf(ids) {
  const steps = [...new Set(ids.map((id) => stepOf.get(id)).filter((at) => at !== undefined))].sort((a, b) => a - b);
  const writes = new Set(steps.flatMap((at) => plan.steps[at].writes));
  const reads = new Set(steps.flatMap((at) => plan.steps[at].reads).filter((value) => !writes.has(value)));
  for (const id of ids) if (viewOf.has(id) && !stepOf.has(id)) reads.add(viewOf.get(id));
  return { steps, writes: [...writes], reads: [...reads] };
}

function drawMemory() {
  const width = Math.max(260, memory.clientWidth), height = Math.max(180, memory.clientHeight);
  const plot = { w: width - MARGIN.left - MARGIN.right, h: height - MARGIN.top - MARGIN.bottom };
  axes = {
    x: (step) => MARGIN.left + (step / plan.steps.length) * plot.w,
    y: (at) => MARGIN.top + plot.h - (at / Math.max(1, plan.peak)) * plot.h,
    width, height, plot,
  };
  memory.setAttribute('viewBox', `0 0 ${width} ${height}`);
  memory.replaceChildren(
    ...grid(),
    make('svg:g', { class: 'buffers' }, ...plan.buffers.map(bufferBox)),
    make('svg:path', { class: 'live', d: livePath() }),
    make('svg:g', { id: 'lit' }),
    ...limits(),
    ...partNames(),
  );
}

const area = (at, size, [first, last]) => {
  const { x, y } = axes;
  const bottom = y(at), top = y(at + size);
  return { x: x(first), y: top, w: Math.max(0.8, x(last + 1) - x(first) - 0.6), h: Math.max(0.8, bottom - top - 0.4) };
};

function bufferBox(buffer) {
  const look = buffer.scratch ? 'buffer scratch' : `buffer c${buffer.color}`;
  return rect(look, area(buffer.at, buffer.bytes, buffer.live), 1);
}

/** The smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 2.5, 5, 10].map((m) => m * power).find((step) => step >= least);
}

function grid() {
  const unit = plan.peak >= 1 << 20 ? 1 << 20 : 1 << 10;
  const step = niceStep(Math.max(plan.peak / unit / 5, 1e-9));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const lines = [];
  for (let at = 0; at * unit <= plan.peak * 0.93; at += step) {
    const y = axes.y(at * unit);
    lines.push(make('svg:path', { class: 'grid', d: `M${MARGIN.left} ${y}H${axes.width - MARGIN.right}` }));
    lines.push(text(MARGIN.left - 6, y + 4, 'end', ['small', at.toFixed(digits)]));
  }
  lines.push(text(MARGIN.left - 6, 12, 'end', ['small', unit === 1 << 20 ? 'MiB' : 'KiB']));
  return lines;
}

function livePath() {
  return plan.live.map((live, at) => `${at ? 'L' : 'M'}${axes.x(at).toFixed(1)} ${axes.y(live).toFixed(1)}H${axes.x(at + 1).toFixed(1)}`).join('');
}

function limits() {
  const same = plan.peak === plan.bound;
  const words = same ? `peak ${bytes(plan.peak)}, the least there can be` : `peak ${bytes(plan.peak)} · bound ${bytes(plan.bound)}`;
  const line = (look, at) => make('svg:path', { class: look, d: `M${MARGIN.left} ${axes.y(at)}H${axes.width - MARGIN.right}` });
  const lines = [line('peak', plan.peak)];
  if (!same) lines.push(line('bound', plan.bound));
  return [...lines, text(axes.width - MARGIN.right, 12, 'end', ['small', words])];
}

/** Which part of the network runs when, where there is room to say so. */
function partNames() {
  const y = axes.height - MARGIN.bottom + 5;
  const parts = plan.bands.flatMap(([first, last, name], i) => {
    const x = axes.x(first), w = axes.x(last + 1) - x - 1;
    const bar = rect(`part p${i % 2}`, { x, y, w: Math.max(0.5, w), h: 4 }, 1);
    const fits = textWidth(name, 10.5) + 4 <= w;
    return fits ? [bar, text(x + w / 2, y + 15, 'middle', ['tiny', name])] : [bar];
  });
  return [...parts, text(axes.width - MARGIN.right, axes.height - 3, 'end', ['tiny', `${plan.steps.length} steps →`])];
}

/** Lights what these nodes write and read, and marks when. */
function lightMemory(ids) {
  const lit = $('lit');
  lit.replaceChildren();
  memory.classList.toggle('asked', ids.length > 0);
  if (ids.length === 0) return;
  const { steps, writes, reads } = memoryOf(ids);
  for (const at of steps) {
    lit.append(rect('now', { x: axes.x(at), y: MARGIN.top, w: Math.max(1, axes.x(at + 1) - axes.x(at)), h: axes.plot.h }, 0));
  }
  const box = (look) => (value) => {
    const { at, bytes: size, live } = plan.values[value];
    lit.append(rect(look, area(at, size, live), 1));
  };
  reads.forEach(box('read'));
  writes.forEach(box('write'));
}

/** The memory of nodes in words. */
function memoryWords(ids) {
  const { steps, writes, reads } = memoryOf(ids);
  if (steps.length === 0) {
    const view = ids.length === 1 && viewOf.get(ids[0]);
    return view === undefined || view === false ? 'nothing of its own' : `a view of ${plan.values[view].name}`;
  }
  const size = (list) => bytes(list.reduce((sum, value) => sum + plan.values[value].bytes, 0));
  const most = Math.max(...steps.map((at) => plan.live[at]));
  // What many steps write one after another shares memory: their sum would say nothing.
  if (steps.length > 1) return `steps ${steps[0]}–${steps.at(-1)} · at most ${bytes(most)} live`;
  const parts = [`step ${steps[0]}`, `writes ${size(writes)}`];
  if (reads.length > 0) parts.push(`reads ${size(reads)}`);
  return [...parts, `${bytes(most)} live`].join(' · ');
}

/** The value under the pointer: of several in one buffer the one that is there at that step. */
function valueAt(event) {
  const bounds = memory.getBoundingClientRect();
  const step = Math.floor(((event.clientX - bounds.left - MARGIN.left) / axes.plot.w) * plan.steps.length);
  const at = (1 - (event.clientY - bounds.top - MARGIN.top) / axes.plot.h) * plan.peak;
  const here = plan.values.filter(({ at: start, bytes: size, live }) => {
    return live[0] <= step && step <= live[1] && start <= at && at < start + size;
  });
  return here.sort((a, b) => a.bytes - b.bytes || b.live[0] - a.live[0])[0];
}
