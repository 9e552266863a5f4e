import { accessPlugin } from './access';
import { comparisonPlugin } from './comparison';
import { diagnosticsPlugin } from './diagnostics';
import { environmentPlugin } from './environment';
import { episodePlugin } from './episode';
import { modulesPlugin } from './modules';
import { outputsPlugin } from './outputs';
import { rolloutsPlugin } from './rollouts';
import { rewardsPlugin } from './rewards';
import { trainingPlugin } from './training';

export default [
  episodePlugin,
  trainingPlugin,
  rolloutsPlugin,
  environmentPlugin,
  comparisonPlugin,
  rewardsPlugin,
  modulesPlugin,
  diagnosticsPlugin,
  outputsPlugin,
  accessPlugin,
];
