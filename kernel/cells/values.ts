import { inKernel } from '../common/intrinsics';
import { describe as describeValue } from '../display/describe';
import { metadataOf, type MimeBundle } from '../display/host';

/** How the result of a cell is shown: see display/describe.ts. */
export async function describe(value: unknown): Promise<{ data: MimeBundle; metadata: Record<string, unknown> }> {
  const bundle = await describeValue(value);
  return inKernel(() => ({ data: encoded(bundle), metadata: metadataOf(bundle) }));
}

/** A bundle with its binary data in base64, as Jupyter wants it. */
export function encoded(bundle: MimeBundle): MimeBundle {
  const entries = Object.entries(bundle).map(([type, data]) => [
    type,
    data instanceof Uint8Array ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64') : data,
  ]);
  return Object.fromEntries(entries);
}
