import { inKernel } from '../common/intrinsics';
import { describe as describeValue } from '../display/describe';
import { metadataOf, type MimeBundle } from '../display/cellContext';
import { shownSvg } from '../display/pictures/svgBundle';

/** Resolves with the MIME bundle and the metadata of a cell's result: see display/describe.ts. */
export async function describe(value: unknown): Promise<{ data: MimeBundle; metadata: Record<string, unknown> }> {
  const bundle = await describeValue(value);
  return inKernel(() => ({ data: encoded(bundle), metadata: metadataOf(bundle) }));
}

/** Returns a bundle as Jupyter has it: bytes in base64, or as text for a type that is text; an SVG also as HTML, see {@link shownSvg}. */
export function encoded(bundle: MimeBundle): MimeBundle {
  const entries = Object.entries(bundle).map(([type, data]) => {
    if (!(data instanceof Uint8Array)) return [type, data];
    return [
      type,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(
        /^text\/|[+/]xml$/.test(type) ? 'utf8' : 'base64',
      ),
    ];
  });
  return shownSvg(Object.fromEntries(entries));
}
