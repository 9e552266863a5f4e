import { element } from '../widgets/element';

/** The frames of an episode that is drawn or written: SVG pictures, or texts. */
export class PictureSequence {
  constructor(
    /** Width and height: of an SVG in pixels, of a text in characters and lines. */
    readonly width: number,
    readonly height: number,
    readonly type: 'image/svg+xml' | 'text/plain',
    readonly pictures: string[],
  ) {}

  get count(): number {
    return this.pictures.length;
  }

  append(picture: string): void {
    this.pictures.push(picture);
  }

  /** Returns the address of a drawing. */
  source(index: number): string {
    return drawingAddress(this.pictures[index]);
  }
}

/** Returns the address of an SVG as an image. */
export function drawingAddress(svg: string): string {
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
}

/** Shows one frame at a time. An SVG is shown as an image, so that nothing in it can run. */
export class PictureView {
  readonly node: HTMLElement;
  private index = -1;

  constructor(private readonly frames: PictureSequence) {
    this.node =
      frames.type === 'text/plain'
        ? element('pre', 'joylab-Screen joylab-mod-text')
        : element('img', 'joylab-Screen joylab-mod-drawn');
    if (frames.type === 'image/svg+xml') this.node.style.aspectRatio = String(frames.width / frames.height);
    else this.node.style.minHeight = `${frames.height}lh`;
    this.node.setAttribute('role', 'img');
    this.show(0);
  }

  show(index: number): void {
    if (index === this.index) return;
    this.index = index;
    if (this.node instanceof HTMLImageElement) this.node.src = this.frames.source(index);
    else this.node.replaceChildren(...textLines(this.frames.pictures[index]));
  }

  dispose(): void {}
}

/** Returns a text with the names of its fields set apart: "count: 3". */
function textLines(text: string): Array<Node | string> {
  return text.split('\n').flatMap((line, i) => {
    const [, name, rest] = /^(\w+:)(.*)$/.exec(line) ?? [];
    const end = i > 0 ? ['\n'] : [];
    return name === undefined ? [...end, line] : [...end, element('span', 'joylab-Text-name', name), rest];
  });
}
