import { shown } from '../common/shown';

/** Returns the names of the settings in which two configurations differ. */
export function changedSettings<Config extends object>(before: Config, after: Config): Array<keyof Config & string> {
  const names = Object.keys(after) as Array<keyof Config & string>;
  return names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
}

/** Returns what changed, for the charts: "learningRate 0.001 → 0.0005". */
export function changeText<Config extends object>(before: Config, after: Config): string {
  return changedSettings(before, after)
    .map((name) => `${name} ${shown(before[name])} → ${shown(after[name])}`)
    .join(', ');
}
