export type { GRPOConfig } from './config';
export { GRPOTrainer, type GRPOTrainerOptions, type StepResult, type TrainOptions, type TrainOutput } from './trainer';
export type { TrainRow } from './prompts';
