export { FastLanguageModel, type FromPretrainedOptions, type PeftOptions } from './fastLanguageModel';
export type { GenerateOptions, Generation } from './generate';
export type { GenerationConfig } from './generationConfig';
export { CausalLM } from './causalLM';
export type { GgufOptions, QuantizationMethod } from './gguf/save';
export { ggufToFolder, type GgufToFolderOptions } from './gguf/toFolder';
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
