import { inKernel } from '../common/intrinsics';
import { describe as describeValue } from '../display/describe';
import { metadataOf, type MimeBundle } from '../display/host';
import { shownSvg } from '../display/pictures/svgBundle';

/** Returns the result of a cell as it is shown: see display/describe.ts. */
export async function describe(value: unknown): Promise<{ data: MimeBundle; metadata: Record<string, unknown> }> {
  const bundle = await describeValue(value);
  return inKernel(() => ({ data: encoded(bundle), metadata: metadataOf(bundle) }));
}

/** A bundle as Jupyter wants it: bytes in base64, those of a text as the text; and with what viewers need that do not show all of it. */
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
