import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Signal } from '@lumino/signaling';

/** What users set in the Settings Editor; schema/settings.json says what each means. */
export interface Settings {
  badges: boolean;
  cellToolbar: boolean;
  problems: boolean;
  autoplay: boolean;
  /** Pictures that are drawn per second, at most. */
  framesPerSecond: number;
  /** Tiles of a wall, at most. */
  tiles: number;
  /** Weight of the past in the running mean of charts, from 0 to below 1. */
  smoothing: number;
  rolloutsPlace: 'beside' | 'below';
}

/** The settings as they are now: the schema's defaults until they are loaded, and where there is no registry. */
export const settings: Settings = {
  badges: true,
  cellToolbar: true,
  problems: true,
  autoplay: true,
  framesPerSecond: 60,
  tiles: 64,
  smoothing: 0,
  rolloutsPlace: 'beside',
};

/** Emitted when settings have changed. */
export const settingsChanged = new Signal<Settings, void>(settings);

/** Keeps {@link settings} as the Settings Editor has them. */
export const settingsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'joylab:settings',
  description: 'Settings of badges, toolbar, problems, players, charts and rollouts.',
  autoStart: true,
  optional: [ISettingRegistry],
  activate({ restored }: JupyterFrontEnd, registry: ISettingRegistry | null): void {
    // Other plugins of JupyterLab fail where one is loaded before theirs.
    void restored.then(() => registry?.load('joylab:settings')).then((loaded) => loaded && follow(loaded));
  },
};

function follow(loaded: ISettingRegistry.ISettings): void {
  const take = (): void => {
    Object.assign(settings, loaded.composite);
    settingsChanged.emit();
  };
  loaded.changed.connect(take);
  take();
}
