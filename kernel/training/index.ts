export type { TrainingArguments } from './arguments';
export type { TrainerCallback, TrainerControl, TrainerEvent, TrainerState } from './callbacks';
export { CheckpointError } from './checkpoint/folders';
