import { episodePlugin } from './episode';
import { trainingPlugin } from './training';

export default [episodePlugin, trainingPlugin];
