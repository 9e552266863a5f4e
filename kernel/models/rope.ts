import type { Tensor } from '../onnx/tensor';
import type { ModelConfig } from './config';

/** Cosines and sines of the rotary embedding, [positions, headSize / 2], rounded where PyTorch rounds. */
export function ropeTables(config: ModelConfig, positions: number): { cos: Tensor; sin: Tensor } {
  const half = config.headSize / 2;
  const cos = { shape: [positions, half], data: new Float32Array(positions * half) };
  const sin = { shape: [positions, half], data: new Float32Array(positions * half) };
  for (let i = 0; i < half; i++) {
    const frequency = Math.fround(1 / Math.fround(config.ropeTheta ** Math.fround((2 * i) / config.headSize)));
    for (let position = 0; position < positions; position++) {
      const angle = Math.fround(position * frequency);
      cos.data[position * half + i] = Math.cos(angle);
      sin.data[position * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
