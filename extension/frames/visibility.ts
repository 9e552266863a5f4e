import { settings } from '../settings';

/** Calls `listener` when 1 % of the node comes into view, and when it leaves, also with the browser's tab. Returns a function that stops it. */
export function watchVisibility(node: Element, listener: (visible: boolean) => void): () => void {
  let inView = false;
  const tell = (): void => listener(inView && !document.hidden);
  const observer = new IntersectionObserver(
    (entries) => {
      inView = entries[entries.length - 1].isIntersecting;
      tell();
    },
    { threshold: 0.01 },
  );
  observer.observe(node);
  document.addEventListener('visibilitychange', tell);
  return () => {
    observer.disconnect();
    document.removeEventListener('visibilitychange', tell);
  };
}

/** Returns whether the system is set to show little motion. */
export function prefersReducedMotion(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Returns whether episodes play by themselves: the user wants it, and does not prefer reduced motion. */
export function playsByItself(): boolean {
  return settings.autoplay && !prefersReducedMotion();
}
