/** An episode as a person played it. */
export interface HumanPlay {
  seed: number;
  /** The actions, one per step: their IDs, or the actions themselves. */
  actions: unknown[];
}

/** What became of an episode that a person played. */
export interface RecordedPlay {
  /** Steps and return of its record. */
  steps: number;
  return: number;
  /** What the reward functions give it; `null` where one does not apply. */
  rewards: Array<{ name: string; value: number | null }>;
  /** The weighted sum; `null` where none applies. */
  reward: number | null;
  /** Why functions could not score it, in words. */
  error?: string;
}

type Recorder = (environment: object, play: HumanPlay) => Promise<RecordedPlay>;

let recorder: Recorder | null = null;

/** Sets what records and scores the episodes that people play: reward functions are not known here. */
export function recordPlaysWith(record: Recorder): void {
  recorder = record;
}

/** Records and scores an episode; resolves to `null` where nothing does. */
export async function recordPlay(environment: object, play: HumanPlay): Promise<RecordedPlay | null> {
  return recorder ? recorder(environment, play) : null;
}
