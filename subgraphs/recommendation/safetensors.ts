/** An array of a safetensors file. */
export interface Tensor {
  shape: number[];
  data: Float32Array | Int32Array;
}

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/**
 * Reads float32 and int32 arrays: eight bytes with the header's length, the header as JSON, raw little-endian data.
 * @throws Error when the content is not such a file
 */
export function readSafetensors(content: Uint8Array): Map<string, Tensor> {
  const length = Number(new DataView(content.buffer, content.byteOffset).getBigUint64(0, true));
  const header: Record<string, Entry> = JSON.parse(Buffer.from(content.subarray(8, 8 + length)).toString('utf8'));
  const data = content.subarray(8 + length);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const [start, end] = entry.data_offsets;
    if (end > data.length) throw new Error(`the array ${name} is cut off`);
    // Copied: a view needs an aligned offset, and the file's buffer is let go of.
    const bytes = new Uint8Array(data.subarray(start, end));
    const values = (end - start) / 4;
    if (entry.shape.reduce((a, b) => a * b, 1) !== values) throw new Error(`the array ${name} is not of its shape`);
    if (entry.dtype === 'F32')
      tensors.set(name, { shape: entry.shape, data: new Float32Array(bytes.buffer, 0, values) });
    else if (entry.dtype === 'I32')
      tensors.set(name, { shape: entry.shape, data: new Int32Array(bytes.buffer, 0, values) });
    else throw new Error(`the array ${name} is of type ${entry.dtype}`);
  }
  return tensors;
}
