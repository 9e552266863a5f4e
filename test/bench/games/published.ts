/** A score that others have published. */
export interface Published {
  who: string;
  score: number;
  /** How it was played, where that differs from this bench. */
  settings: string;
}

const KUANG = 'Kuang et al. 2025 (arXiv 2508.19506), edits by a large model';
const KUANG_SETTINGS = 'no sticky actions, frame skip 4, objects from OCAtari, mean of five runs';
const kuang = (score: number): Published => ({ who: KUANG, score, settings: KUANG_SETTINGS });

/** Published scores of code policies, by game. None of them had sticky actions. */
export const PUBLISHED: Record<string, Published[]> = {
  breakout: [kuang(123), { who: 'Weng 2026, 81 edits', score: 864, settings: 'no sticky actions' }],
  pong: [kuang(12)],
  space_invaders: [kuang(929)],
  freeway: [kuang(27.9)],
  qbert: [kuang(560)],
  seaquest: [kuang(128)],
};
