let observer: ResizeObserver | undefined;

/** Keeps a node focusable by keyboard while it scrolls, whatever its size becomes. */
export function keepReachable(node: HTMLElement): void {
  observer ??= new ResizeObserver((entries) => entries.forEach(({ target }) => showReachable(target as HTMLElement)));
  observer.observe(node);
}

/** Makes a node a stop of the Tab key where it scrolls, and no stop where it does not. */
function showReachable(node: HTMLElement): void {
  const scrolls = node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight;
  if (!scrolls) return node.removeAttribute('tabindex');
  node.tabIndex = 0;
  node.setAttribute('role', 'group');
  if (!node.hasAttribute('aria-label')) node.setAttribute('aria-label', `Table: ${headings(node)}`);
  // The notebook's shortcuts leave the keys that scroll alone.
  node.dataset.lmSuppressShortcuts = 'true';
}

function headings(node: HTMLElement): string {
  return [...node.querySelectorAll('th')].map(({ textContent }) => textContent).join(', ');
}
