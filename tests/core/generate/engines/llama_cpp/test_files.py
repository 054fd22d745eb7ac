"""Files that can't answer are refused in a sentence."""

from pathlib import Path

import gguf
import numpy as np
import pytest

from core.generate.decoding import Decoding
from core.generate.engines.llama_cpp.engine import LlamaCppEngine
from store import UsageError, XlitError

DECODING = Decoding(max_new_tokens=5)
WIDTH = 32


def copy_with(source: Path, target: Path, architecture: str, extra: dict[str, int | bool]) -> Path:
    """The file under the name of another architecture, with more keys in its head."""
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        kind, *rest = field.types
        name = name.replace("llama.", f"{architecture}.", 1) if name.startswith("llama.") else name
        writer.add_key_value(name, field.contents(), kind, rest[-1] if rest else None)
    for name, value in extra.items():
        add = writer.add_bool if isinstance(value, bool) else writer.add_uint32
        add(f"{architecture}.{name}", value)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data)
    return _written(writer, target)


def make_bert(target: Path) -> Path:
    """A BERT of one layer, with random weights."""
    random = np.random.default_rng(0)
    writer = gguf.GGUFWriter(target, "bert")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(2)
    writer.add_layer_norm_eps(1e-6)
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_tokenizer_model("bert")
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "▁a", "▁b"]
    writer.add_token_list(tokens)
    writer.add_token_types([gguf.TokenType.NORMAL] * len(tokens))
    writer.add_token_type_count(2)
    shapes = {"token_embd": (len(tokens), WIDTH), "token_types": (2, WIDTH), "position_embd": (64, WIDTH)}
    square = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_up", "ffn_down"]
    shapes |= {f"blk.0.{name}": (WIDTH, WIDTH) for name in square}
    for name in ["token_embd_norm", "blk.0.attn_output_norm", "blk.0.layer_output_norm"]:
        shapes[name] = (WIDTH,)
        writer.add_tensor(f"{name}.bias", np.zeros(WIDTH, dtype=np.float32))
    for name in square:
        writer.add_tensor(f"blk.0.{name}.bias", np.zeros(WIDTH, dtype=np.float32))
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(size=shape).astype(np.float32))
    return _written(writer, target)


def _written(writer: gguf.GGUFWriter, target: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


def test_an_architecture_that_llama_cpp_does_not_know(gguf_file: Path, tmp_path: Path):
    strange = copy_with(gguf_file, tmp_path / "strange.gguf", "unheard", {})
    with pytest.raises(XlitError, match=r"strange\.gguf can't be loaded: .*'unheard'.* newer llama-cpp"):
        LlamaCppEngine(strange, DECODING)


def test_an_encoder(tmp_path: Path):
    with pytest.raises(XlitError, match="is an encoder or an embedding model"):
        LlamaCppEngine(make_bert(tmp_path / "bert.gguf"), DECODING)


@pytest.mark.parametrize("key", [{"pooling_type": 3}, {"attention.causal": False}])
def test_an_embedding_model_made_from_a_decoder(gguf_file: Path, tmp_path: Path, key):
    with pytest.raises(XlitError, match="is an encoder or an embedding model"):
        LlamaCppEngine(copy_with(gguf_file, tmp_path / "embeds.gguf", "llama", key), DECODING)


def test_a_copy_without_such_keys_answers(gguf_file: Path, tmp_path: Path):
    LlamaCppEngine(copy_with(gguf_file, tmp_path / "same.gguf", "llama", {}), DECODING).close()


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_torn_file(gguf_file: Path, tmp_path: Path, share: float):
    torn = tmp_path / "torn.gguf"
    content = gguf_file.read_bytes()
    torn.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(XlitError, match=r"torn\.gguf is torn|torn\.gguf can't be loaded"):
        LlamaCppEngine(torn, DECODING)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"threads": 0}, {"gpu_layers": -1}])
def test_numbers_without_sense(gguf_file: Path, options):
    with pytest.raises(UsageError):
        LlamaCppEngine(gguf_file, DECODING, **options)


def test_layers_for_a_gpu_that_this_build_has_not(gguf_file: Path):
    from core.generate.engines.llama_cpp.library import llama_cpp_library

    if llama_cpp_library().llama_supports_gpu_offload():
        pytest.skip("llama.cpp is built for a GPU here")
    LlamaCppEngine(gguf_file, DECODING, gpu_layers=0).close()
    with pytest.raises(UsageError, match="built for the CPU alone"):
        LlamaCppEngine(gguf_file, DECODING, gpu_layers=2)
