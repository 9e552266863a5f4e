import { classes, modelOf, type Widget } from './anywidget';
import type { WidgetKind, WidgetModel } from './model';

const CONTROLS = '@jupyter-widgets/controls';
const BASE = '@jupyter-widgets/base';

/** What every control has; names and meanings are those of ipywidgets. */
export interface ControlState {
  description: string;
  disabled: boolean;
  tooltip: string | null;
}

/** Options of every control. */
interface Looks {
  /** CSS of the control: `{ width: '30em' }`. */
  layout?: Record<string, string>;
  /** Style of ipywidgets: `{ description_width: '12em' }`. A description has the width that it needs by default. */
  style?: Record<string, string>;
}

type Options<State> = Partial<State> & Looks;

/** The state of a slider. */
export interface SliderState extends ControlState {
  value: number;
  min: number;
  max: number;
  step: number;
  orientation: 'horizontal' | 'vertical';
  readout: boolean;
  /** The number's format as in Python: `.2f`. */
  readout_format: string;
  /** Whether the value follows while the handle is dragged. */
  continuous_update: boolean;
}

const slider: Omit<SliderState, 'step' | 'readout_format'> = {
  value: 0,
  min: 0,
  max: 100,
  description: '',
  disabled: false,
  tooltip: null,
  orientation: 'horizontal',
  readout: true,
  continuous_update: true,
};

/** A slider of real numbers from `min` (0) to `max` (100) in steps of `step` (0.1). */
export function FloatSlider(options: Options<SliderState> = {}): Widget<SliderState> {
  const state = { ...slider, step: 0.1, readout_format: '.2f' };
  return control('FloatSlider', 'SliderStyle', state, options, { checked: bounded((value) => value) });
}

/** A slider of whole numbers from `min` (0) to `max` (100) in steps of `step` (1). */
export function IntSlider(options: Options<SliderState> = {}): Widget<SliderState> {
  const state = { ...slider, step: 1, readout_format: 'd' };
  return control('IntSlider', 'SliderStyle', state, options, { checked: bounded(Math.round) });
}

/** The state of a slider on a logarithmic scale: `min` and `max` are exponents of `base`. */
export interface LogSliderState extends SliderState {
  base: number;
}

/** A slider from `base`^`min` (1) to `base`^`max` (10⁴), as for a learning rate. */
export function FloatLogSlider(options: Options<LogSliderState> = {}): Widget<LogSliderState> {
  const state = { ...slider, value: 1, max: 4, base: 10, step: 0.1, readout_format: '.3g' };
  const scale = (exponent: number, { base }: LogSliderState): number => base ** exponent;
  return control('FloatLogSlider', 'SliderStyle', state, options, { checked: bounded((value) => value, scale) });
}

/** The state of a check box. */
export interface CheckboxState extends ControlState {
  value: boolean;
  /** Whether it stands below the fields of other controls. */
  indent: boolean;
}

/** A check box. */
export function Checkbox(options: Options<CheckboxState> = {}): Widget<CheckboxState> {
  const state = { value: false, indent: false, description: '', disabled: false, tooltip: null };
  return control('Checkbox', 'CheckboxStyle', state, options);
}

/** The state of a line of text. */
export interface TextState extends ControlState {
  value: string;
  placeholder: string;
  /** Whether the value follows while the user writes; else it does after Enter, or when the field is left. */
  continuous_update: boolean;
}

/** A line of text. */
export function Text(options: Options<TextState> = {}): Widget<TextState> {
  const state = { value: '', placeholder: '\u200b', continuous_update: true };
  return control('Text', 'TextStyle', { ...state, description: '', disabled: false, tooltip: null }, options);
}

/** The state of a list to choose from. */
export interface DropdownState<Value> extends ControlState {
  /** What can be chosen: values, or values by their labels. */
  options: readonly Value[] | Readonly<Record<string, Value>>;
  /** The chosen one: the first by default. */
  value: Value | null;
}

/** A list to choose one value from: `Dropdown({ options: ['LEFT', 'RIGHT'] })`. */
export function Dropdown<const Value>(options: Options<DropdownState<Value>>): Widget<DropdownState<Value>> {
  const choices = options?.options ?? [];
  const first = labelled(choices)[0]?.[1] ?? null;
  const state = { options: choices, value: first, description: '', disabled: false, tooltip: null };
  return control<DropdownState<Value>>('Dropdown', 'DescriptionStyle', state, options ?? {}, {
    checked: chosen,
    toFrontEnd({ options, value, ...values }, state) {
      const entries = labelled(options ?? state.options);
      if (options) Object.assign(values, { _options_labels: entries.map(([label]) => label) });
      if (value === undefined) return values;
      const index = entries.findIndex(([, it]) => it === value);
      return { ...values, index: index < 0 ? null : index };
    },
    fromFrontEnd({ index, _options_labels, ...values }, state) {
      if (index === undefined) return values as Partial<DropdownState<Value>>;
      return { ...values, value: labelled(state.options)[Number(index)]?.[1] ?? null };
    },
  });
}

/** The state of a button. */
export interface ButtonState extends ControlState {
  /** The name of an icon of Font Awesome, without `fa-`. */
  icon: string;
  button_style: '' | 'primary' | 'success' | 'info' | 'warning' | 'danger';
}

/** A button: `button.on('click', () => …)`. */
export function Button(options: Options<ButtonState> = {}): Widget<ButtonState> {
  const state: ButtonState = { icon: '', button_style: '', description: '', disabled: false, tooltip: null };
  return control('Button', 'ButtonStyle', state, options);
}

/** The state of a box. */
export interface BoxState {
  children: ReadonlyArray<WidgetModel<any>>;
}

/** Widgets below one another. */
export function VBox(children: BoxState['children'], looks: Pick<Looks, 'layout'> = {}): Widget<BoxState> {
  return box('VBox', children, looks);
}

/** Widgets side by side. */
export function HBox(children: BoxState['children'], looks: Pick<Looks, 'layout'> = {}): Widget<BoxState> {
  return box('HBox', children, looks);
}

function box(name: string, children: BoxState['children'], { layout }: Looks): Widget<BoxState> {
  const fields = { ...classesOf(name), layout: part('Layout', layout) };
  return modelOf<BoxState>({ name, fields }, { children });
}

function control<State extends ControlState>(
  name: string,
  styleName: string,
  state: State,
  { layout, style, ...options }: Options<State>,
  hooks: Omit<WidgetKind<State>, 'name' | 'fields'> = {},
): Widget<State> {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(state, key));
  if (unknown !== undefined)
    throw new TypeError(
      `${name} has no "${unknown}". It has: ${[...Object.keys(state), 'layout', 'style'].join(', ')}.`,
    );
  const looks = name === 'Button' ? style : { description_width: 'initial', ...style };
  const fields = { ...classesOf(name), layout: part('Layout', layout), style: part(styleName, looks) };
  return modelOf<State>({ name, fields, defaults: state, ...hooks }, { ...state, ...(given as Partial<State>) });
}

function classesOf(name: string): Record<string, unknown> {
  return classes(CONTROLS, '2.0.0', `${name}Model`, `${name}View`);
}

/** Makes the model of a layout or a style; `null` where it says nothing. */
function part(name: string, values: Record<string, string> | undefined): WidgetModel<object> | null {
  if (!values || Object.keys(values).length === 0) return null;
  const isLayout = name === 'Layout';
  const fields = {
    ...classes(BASE, '2.0.0', `${name}Model`, isLayout ? 'LayoutView' : 'StyleView'),
    ...(!isLayout && { _model_module: CONTROLS }),
  };
  return modelOf<object>({ name, fields }, { ...values });
}

/** Returns a check that keeps a value within its limits, and takes numbers alone. */
function bounded<State extends SliderState>(
  rounded: (value: number) => number,
  scale: (limit: number, state: State) => number = (limit) => limit,
): NonNullable<WidgetKind<State>['checked']> {
  return (values, before) => {
    for (const name of ['value', 'min', 'max', 'step', 'base'] as Array<keyof State & string>) {
      const value: unknown = values[name];
      if (value !== undefined && !Number.isFinite(value))
        throw new TypeError(`The ${name} of a slider must be a finite number, not ${String(value)}.`);
    }
    const state = { ...before, ...values };
    const { min, max } = state;
    if (min > max) throw new TypeError(`The min of a slider must be at most its max: ${min} is more than ${max}.`);
    const value = rounded(Math.min(Math.max(state.value, scale(min, state)), scale(max, state)));
    return value === before.value && values.value === undefined ? values : { ...values, value };
  };
}

/** Lets a list have a value that it offers. */
function chosen<Value>(
  values: Partial<DropdownState<Value>>,
  before: DropdownState<Value>,
): Partial<DropdownState<Value>> {
  const entries = labelled(values.options ?? before.options);
  const { value } = { ...before, ...values };
  if (value === null || entries.some(([, it]) => it === value)) return values;
  if (values.options) return { ...values, value: entries[0]?.[1] ?? null };
  throw new TypeError(
    `A Dropdown has no value ${String(value)}. It has: ${entries.map(([label]) => label).join(', ')}.`,
  );
}

function labelled<Value>(options: readonly Value[] | Readonly<Record<string, Value>>): Array<[string, Value]> {
  return Array.isArray(options) ? options.map((value) => [String(value), value]) : Object.entries(options);
}
