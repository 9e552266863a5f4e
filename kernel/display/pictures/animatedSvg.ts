import { svgDataUrl } from './svgImage';

/** Frames of an animation, at most. */
const MOST = 80;
/** Seconds that the last frame is shown before the animation begins again. */
const PAUSE = 1.5;

/** Returns SVG pictures as one SVG that shows them in turn, without a script: as an `<img>` it moves, too. */
export function animatedSvg(
  frames: readonly string[],
  { width, height, framesPerSecond }: { width: number; height: number; framesPerSecond: number },
): string {
  const take = Math.ceil(frames.length / MOST);
  const chosen = frames.filter((_, i) => i % take === 0 || i === frames.length - 1);
  const each = Math.min(0.5, take / framesPerSecond);
  const total = each * chosen.length + PAUSE;
  const at = (i: number): string => ((i * each) / total).toFixed(5);
  const images = chosen.map((frame, i) => {
    const last = i === chosen.length - 1;
    const times = i === 0 ? [] : ['0'];
    const values = i === 0 ? ['visible'] : ['hidden', 'visible'];
    const keys = [...times, at(i), ...(last ? [] : [at(i + 1)])].join(';');
    const shown = [...values, ...(last ? [] : ['hidden'])].join(';');
    return (
      `<image width="${width}" height="${height}" href="${svgDataUrl(frame)}" visibility="hidden">` +
      `<animate attributeName="visibility" calcMode="discrete" dur="${total}s" repeatCount="indefinite" keyTimes="${keys}" values="${shown}"/></image>`
    );
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${images.join('')}</svg>`;
}
