/** An element with a class, text or children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  content: string | Array<Node | string> = [],
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  if (typeof content === 'string') node.textContent = content;
  else node.append(...content);
  return node;
}

/** A button that shows an icon and says what it does. */
export function iconButton(icon: SVGSVGElement, label: string, onClick: () => void): HTMLButtonElement {
  const button = element('button', 'joylab-Button', [icon]);
  button.type = 'button';
  describe(button, label);
  button.addEventListener('click', onClick);
  return button;
}

/** Sets the tooltip and the name that screen readers say. */
export function describe(node: HTMLElement, label: string): void {
  node.title = label;
  node.setAttribute('aria-label', label);
}

/** Sets text only where it differs: no layout work for a value that stays. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}
