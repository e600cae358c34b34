// Who listens to what; and the first drawing.

const closest = (event, selector) => event.target.closest?.(selector);

canvas.addEventListener('click', (event) => {
  const all = closest(event, '[data-all]');
  if (all) return void toggleAll(frames[all.dataset.all]);
  const element = closest(event, '[data-key]');
  if (!element) return void select(null);
  const { key } = element.dataset;
  const { item } = drawn.get(key);
  if (item.frame) toggle(item.frame);
  else select(key, { quiet: true });
});

canvas.addEventListener('pointerover', (event) => {
  const key = closest(event, '[data-key]')?.dataset.key ?? null;
  if (key === hovered) return;
  hovered = key;
  show();
});
canvas.addEventListener('pointerleave', () => {
  hovered = null;
  show();
});
canvas.addEventListener('focusin', (event) => {
  const key = closest(event, '[data-key]')?.dataset.key;
  if (key && key !== selected) select(key, { focus: false });
});

document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || $('help').open) return;
  const typing = event.target === field;
  const keys = typing ? searchKeys : event.target.closest('#canvas') ? { ...pageKeys, ...treeKeys } : event.target === memory ? { ...pageKeys, ...memoryKeys } : pageKeys;
  const pressing = ['Enter', ' '].includes(event.key) && event.target.matches('button');
  if (pressing || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

/** To the step before or after, whose layer is selected. */
function walk(by) {
  const { steps } = memoryOf(idsOf(itemOf(selected)));
  let at = (steps[0] ?? -by) + by;
  while (plan.steps[at] && plan.steps[at].lead === null) at += by;
  const lead = plan.steps[at]?.lead ?? plan.steps[at]?.nodes[0];
  if (lead === undefined) return;
  go(lead);
  memory.focus();
  memory.setAttribute('aria-valuenow', at);
  memory.setAttribute('aria-valuetext', `step ${at}, ${nodes[lead].path}, ${bytes(plan.live[at])} live`);
}
const memoryKeys = { ArrowRight: () => walk(1), ArrowLeft: () => walk(-1), ArrowUp: () => walk(1), ArrowDown: () => walk(-1) };

memory.addEventListener('click', (event) => {
  const value = valueAt(event);
  if (value && nodes[value.node]) go(value.node);
});
memory.addEventListener('pointermove', (event) => {
  const value = valueAt(event);
  memory.classList.toggle('over', Boolean(value));
  const [first, last] = value?.live ?? [];
  $('pointed').textContent = value ? `${value.name} · ${bytes(value.bytes)} · ${first === last ? `step ${first}` : `steps ${first}–${last}`}` : '';
});
memory.addEventListener('pointerleave', () => { $('pointed').textContent = ''; });

field.addEventListener('input', showResults);
results.addEventListener('pointerdown', (event) => {
  const hit = closest(event, '[data-hit]');
  if (!hit) return;
  event.preventDefault();
  take(Number(hit.dataset.hit));
});
field.addEventListener('blur', () => { results.hidden = true; });
field.addEventListener('focus', showResults);

document.addEventListener('click', (event) => {
  const to = closest(event, '[data-go]'), crumb = closest(event, '[data-crumb]'), action = closest(event, '[data-act]');
  if (to) go(Number(to.dataset.go));
  if (crumb) toggle(frames[crumb.dataset.crumb], FOLDED);
  if (action) act(action.dataset.act);
});

pane.addEventListener('scroll', crumbs, { passive: true });
pane.addEventListener('wheel', (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  setZoom(zoom * Math.exp(-event.deltaY / 400));
}, { passive: false });
addEventListener('resize', () => { drawMemory(); show(); crumbs(); });

memory.setAttribute('aria-valuemax', plan.steps.length - 1);
openWhatFits();
draw();
setZoom(Math.max(SMALLEST, fitting()));
drawMemory();
select(null);
crumbs();
document.documentElement.dataset.ready = 'yes';
