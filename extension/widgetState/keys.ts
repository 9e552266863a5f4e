const KEYS = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown']);

/**
 * Leaves the keys of a slider or a list to it. Notebook 7 asks for its shortcuts before
 * what has the focus sees a key, so that arrow keys would go from cell to cell.
 */
export function keepWidgetKeys(): void {
  const onKey = ({ target, key }: KeyboardEvent): void => {
    const control = target instanceof Element ? target.closest(CONTROLS) : null;
    control?.toggleAttribute('data-lm-suppress-shortcuts', KEYS.has(key));
  };
  window.addEventListener('keydown', onKey, true);
}

const CONTROLS = '.jupyter-widgets [role="slider"], .jupyter-widgets select';
