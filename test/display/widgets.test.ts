import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot, pythonPath } from '../../kernel/common/packagePaths';
import {
  Button,
  Checkbox,
  Dropdown,
  FloatLogSlider,
  FloatSlider,
  HBox,
  IntSlider,
  Text,
  VBox,
} from '../../kernel/display/widgets';
import { wholeState, type WidgetModel } from '../../kernel/display/widgets/model';
import { fromWire, toWire } from '../../kernel/display/widgets/wire';

/** What ipywidgets does. */
interface Theirs {
  states: Record<string, Record<string, unknown>>;
  binary: object;
}

const script = join(packageRoot, 'test', 'display', 'widgets_peer.py');
const theirs = JSON.parse(execFileSync(pythonPath(), [script], { encoding: 'utf8' })) as Theirs;

/** What ipywidgets gives otherwise: its models for layout and style are always there, and a check box is indented. */
const OTHER = ['layout', 'style', 'indent'];

test('controls have the models, the values and the defaults of ipywidgets', () => {
  const controls: Record<string, WidgetModel<any>> = {
    FloatSlider: FloatSlider(),
    IntSlider: IntSlider(),
    FloatLogSlider: FloatLogSlider(),
    Checkbox: Checkbox(),
    Dropdown: Dropdown({ options: ['a', 'b'] }),
    Text: Text(),
    Button: Button(),
    HBox: HBox([]),
    VBox: VBox([]),
  };
  const { states } = theirs;
  for (const [name, control] of Object.entries(controls)) {
    const own = Object.entries(control[wholeState]()).filter(([key]) => !OTHER.includes(key));
    assert.ok(own.length > 5);
    for (const [key, value] of own) assert.deepEqual(value, states[name][key], `${name}.${key}`);
  }
  const style = FloatSlider({ style: { description_width: '5em' } })[wholeState]().style as WidgetModel<any>;
  for (const [key, value] of Object.entries(style[wholeState]())) assert.deepEqual(value, states.SliderStyle[key], key);
  const layout = FloatSlider({ layout: { width: '5em' } })[wholeState]().layout as WidgetModel<any>;
  for (const [key, value] of Object.entries(layout[wholeState]())) assert.deepEqual(value, states.Layout[key], key);
});

test('binary values leave a state and come back as in ipywidgets', () => {
  const state = {
    plain: [0, 'text', null],
    x: { array: new Float32Array([1, 2]) },
    list: [new Uint8Array([1]), { deep: new DataView(new ArrayBuffer(2)) }],
  };
  const { buffers, ...data } = toWire(state);
  assert.deepEqual(JSON.parse(JSON.stringify(data)), theirs.binary);
  const back = fromWire(structuredClone(data), buffers) as typeof state;
  assert.deepEqual(back.x.array, buffers[0]);
  assert.deepEqual((back.list[1] as { deep: unknown }).deep, buffers[2]);
});

test('outside of a notebook a widget is its state', () => {
  const slider = FloatSlider({ value: 1, max: 2 });
  const seen: number[] = [];
  const see = (value: number) => void seen.push(value);
  slider.on('change:value', see);
  slider.value = 5;
  slider.value = 2;
  slider.off('change:value', see);
  slider.value = 1;
  assert.deepEqual([seen, slider.value], [[2], 1]);
});
