import { accessPlugin } from './access';
import { benchmarkPlugin } from './benchmark';
import { comparisonPlugin } from './comparison';
import { cellsPlugin } from './cells';
import { commandsPlugin } from './commands';
import { diagnosticsPlugin } from './diagnostics';
import { environmentPlugin } from './environment';
import { episodePlugin } from './episode';
import { launcherPlugin } from './launcher';
import { modulesPlugin } from './modules';
import { outputsPlugin } from './outputs';
import { rolloutsPlugin } from './rollouts';
import { rewardsPlugin } from './rewards';
import { settingsPlugin } from './settings';
import { sidebarPlugin } from './sidebar';
import { toolbarPlugin } from './toolbar';
import { trainingPlugin } from './training';
import { widgetStatePlugin } from './widgetState';

export default [
  settingsPlugin,
  episodePlugin,
  trainingPlugin,
  rolloutsPlugin,
  environmentPlugin,
  comparisonPlugin,
  benchmarkPlugin,
  rewardsPlugin,
  modulesPlugin,
  diagnosticsPlugin,
  outputsPlugin,
  accessPlugin,
  cellsPlugin,
  commandsPlugin,
  launcherPlugin,
  widgetStatePlugin,
  toolbarPlugin,
  sidebarPlugin,
];
