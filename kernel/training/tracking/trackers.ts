/** What a run can be reported to, by transformers' names. */
export const TRACKERS = ['trackio', 'wandb'] as const;
export type TrackerName = (typeof TRACKERS)[number];
