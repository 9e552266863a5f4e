"""llama.cpp's formats by the `gguf` package, and its quantisers by the library that node-llama-cpp brings."""

import ctypes

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants
from peer import serve
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer


def bytes_of(array):
    return np.ascontiguousarray(array).view(np.uint8).ravel()


def differing_bytes(file, exact):
    """Of a quantised file the types of its tensors, and how many bytes differ from what `gguf` makes of the float32 file."""
    values = {tensor.name: quants.dequantize(tensor.data, GGMLQuantizationType.F32) for tensor in GGUFReader(exact).tensors}
    different, types = 0, set()
    for tensor in GGUFReader(file).tensors:
        types.add(tensor.tensor_type.name)
        expected = quants.quantize(values[tensor.name], tensor.tensor_type)
        different += int((bytes_of(expected) != bytes_of(tensor.data)).sum())
    return {"different": different, "types": sorted(types)}


def metadata(file):
    """Settings of a file, long lists by their lengths."""
    fields = {name: field.contents() for name, field in GGUFReader(file).fields.items()}
    return {name: len(value) if isinstance(value, list) else value for name, value in fields.items()}


def random_blocks(path, out):
    """A file with a tensor of every type that `gguf` reads, of random bytes, and the values that it reads."""
    random = np.random.default_rng(0)
    writer = GGUFWriter(path, "llama")
    expected = {}
    for name in ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "TQ1_0", "TQ2_0", "MXFP4", "BF16", "F16", "F32"]:
        kind = GGMLQuantizationType[name]
        values, size = gguf.GGML_QUANT_SIZES[kind]
        raw = random.integers(0, 256, (3, 512 // values * size), dtype=np.uint8)
        if name in ("F32", "F16"):
            raw = random.standard_normal((3, 512)).astype(np.float32 if name == "F32" else np.float16).view(np.uint8)
        data = quants.dequantize(raw, kind)
        writer.add_tensor(name, raw, raw_dtype=kind)
        expected[name] = torch.from_numpy(np.nan_to_num(data, nan=0.0, posinf=0.0, neginf=0.0).copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, out)


def copy_of(reader, out, **options):
    """A writer with the settings of a file."""
    writer = GGUFWriter(out, reader.fields["general.architecture"].contents(), **options)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kinds = field.types
        writer.add_key_value(name, field.contents(), kinds[0], kinds[1] if kinds[0] == GGUFValueType.ARRAY else None)
    return writer


def split(file, out):
    """A float32 model in files of at most eight tensors; their names begin as `out` does."""
    reader = GGUFReader(file)
    writer = copy_of(reader, out, split_max_tensors=8)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, np.ascontiguousarray(tensor.data))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def requantize(file, out, type_name, library):
    """A copy of a float32 file whose matrices llama.cpp's own library has quantised."""
    ggml = ctypes.CDLL(library)
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    kind = GGMLQuantizationType[type_name]
    values, size = gguf.GGML_QUANT_SIZES[kind]
    reader = GGUFReader(file)
    writer = copy_of(reader, out)
    for tensor in reader.tensors:
        data = np.ascontiguousarray(tensor.data)
        if data.ndim < 2 or data.shape[1] % values or tensor.name == "token_embd.weight":
            writer.add_tensor(tensor.name, data)
            continue
        rows, width = data.shape
        packed = np.zeros((rows, width // values * size), np.uint8)
        importance = np.ones(width, np.float32)
        ggml.ggml_quantize_chunk(int(kind), data.ctypes.data, packed.ctypes.data, 0, rows, width, importance.ctypes.data)
        writer.add_tensor(tensor.name, packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def tokens(folder, texts, file=None):
    """Token IDs of texts by the tokenizer of a folder, or of a GGUF file in it."""
    tokenizer = AutoTokenizer.from_pretrained(folder, **({"gguf_file": file} if file else {}))
    return [tokenizer.encode(text, add_special_tokens=False) for text in texts]


@torch.no_grad()
def logits(folder, ids, out, file=None):
    """Logits of transformers, from a folder or from a GGUF file in it."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **({"gguf_file": file} if file else {}))
    save_file({"logits": model(torch.tensor([ids])).logits[0].contiguous()}, out)


serve({"differing_bytes": differing_bytes, "metadata": metadata, "random_blocks": random_blocks, "requantize": requantize, "split": split, "tokens": tokens, "logits": logits})
