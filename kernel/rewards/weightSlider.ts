import { FloatSlider, type Widget } from '../display/widgets';
import type { SliderState } from '../display/widgets/controls';
import type { RewardRegistry } from './registry';

/** Options of `rewardRegistry.weightSlider`. */
export interface WeightSliderOptions {
  /** The lowest weight: 0 by default, or twice a negative weight. */
  min?: number;
  /** The highest weight: 2 by default, or twice a larger weight. */
  max?: number;
  /** A twentieth of the power of ten below the range by default: 0.05 from 0 to 2. */
  step?: number;
}

/** Returns a slider for the weight of a function, which follows the weight when anything else changes it. */
export function weightSlider(
  registry: RewardRegistry,
  name: string,
  options: WeightSliderOptions = {},
): Widget<SliderState> {
  const weight = weightOf(registry, name)!;
  const min = options.min ?? Math.min(0, 2 * weight);
  const max = options.max ?? Math.max(2, 2 * weight);
  const step = options.step ?? 10 ** Math.floor(Math.log10(max - min || 1)) / 20;
  const slider = FloatSlider({
    min: Math.min(min, weight),
    max: Math.max(max, weight),
    step,
    value: weight,
    description: name,
    tooltip: `Weight of ${name}`,
    readout_format: step < 0.01 ? '.4f' : '.2f',
    // A weight for every pixel on the way would be a mark on the charts for each.
    continuous_update: false,
    layout: { width: '32em', max_width: '100%' },
    // Sliders of several functions below one another are of one length.
    style: { description_width: name.length > 20 ? 'initial' : '11em' },
  });
  slider.on('change:value', (value) => {
    if (value !== weightOf(registry, name)) registry.setWeight(name, value);
  });
  registry.on('change', (change) => change.name === name && follow(registry, name, slider));
  return slider;
}

function follow(registry: RewardRegistry, name: string, slider: Widget<SliderState>): void {
  const reward = registry.get(name);
  if (!reward) return slider.set({ disabled: true, description: `${name} (no longer a reward)` });
  const { weight, enabled } = reward;
  slider.set({
    disabled: false,
    description: enabled === false ? `${name} (off)` : name,
    min: Math.min(slider.min, weight),
    max: Math.max(slider.max, weight),
    value: weight,
  });
}

function weightOf(registry: RewardRegistry, name: string): number | undefined {
  return registry.get(name)?.weight;
}
