/** Returns an element with a class, and text or children. */
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

/** Returns a button with an icon, and `label` as its name and tooltip. */
export function iconButton(icon: SVGSVGElement, label: string, onClick: () => void): HTMLButtonElement {
  const button = element('button', 'joylab-Button', [icon]);
  button.type = 'button';
  describe(button, label);
  button.addEventListener('click', onClick);
  return button;
}

/** Sets an element's tooltip and its name for screen readers. */
export function describe(node: HTMLElement, label: string): void {
  node.title = label;
  node.setAttribute('aria-label', label);
}

/** Sets an element's text where it differs, which spares the layout of unchanged values. */
export function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Sets the children of an element where they are others, which spares the focus and the layout of those that stay. */
export function setChildren(parent: HTMLElement, children: readonly HTMLElement[]): void {
  const same = parent.children.length === children.length && children.every((child, i) => parent.children[i] === child);
  if (!same) parent.replaceChildren(...children);
}
