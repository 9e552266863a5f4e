export type { SFTConfig } from './config';
export type { SFTRow } from './dataset';
export { SFTTrainer, type SFTTrainerOptions } from './trainer';
