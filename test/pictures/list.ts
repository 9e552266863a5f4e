/** Folder of the pictures, in the repository. */
export const FOLDER = 'docs/pictures';

/** The pictures of the documentation, by the names of their files: each is there for light and for dark pages. */
export const PICTURES = ['training', 'group', 'rollout', 'comparison', 'rewards', 'refinement'] as const;

export type PictureName = (typeof PICTURES)[number];

/** Returns the file of a picture, in {@link FOLDER}. */
export function fileOf(name: PictureName, theme: 'light' | 'dark'): string {
  return `${name}${theme === 'dark' ? '-dark' : ''}.png`;
}

/** Bytes of a picture, and of all together, at most. */
export const MOST_BYTES = { each: 200_000, together: 1_500_000 };
