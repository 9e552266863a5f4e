export { FastLanguageModel, type FromPretrainedOptions, type PeftOptions } from './fastLanguageModel';
export type { Generation } from './generate';
export type { GenerateOptions, GenerationConfig } from './generateOptions';
export { CausalLM } from './causalLM';
export type { LoraConfig } from './lora';
export { PeftModel } from './peft';
export type { OnnxOptions } from './onnxExport';
export type { SaveOptions } from './save';
export { TextStreamer, type Streamer, type TextStreamerOptions } from './streamer';
export type {
  BatchEncoding,
  ChatMessage,
  ChatTemplateOptions,
  DecodeOptions,
  EncodeOptions,
  Encoding,
  Tokenizer,
} from './tokenizer';
