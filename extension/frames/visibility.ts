/** Calls `listener` when a part of the node, however small, comes into view, and when the last leaves it. Returns what ends it. */
export function watchVisibility(node: Element, listener: (visible: boolean) => void): () => void {
  const observer = new IntersectionObserver((entries) => listener(entries[entries.length - 1].isIntersecting), {
    threshold: 0.01,
  });
  observer.observe(node);
  return () => observer.disconnect();
}

/** Returns whether the user asked the system for less motion. */
export function prefersReducedMotion(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}
