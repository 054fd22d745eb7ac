"""How fast a run goes: answer tokens per second, model FLOPs utilisation, peak memory.

Model FLOPs utilisation (MFU) counts what the mathematics needs: per token 6 operations for each tuned weight
of a matrix, 4 for a frozen one (no gradient of its own), and attention's products, over the device's peak for
dense bfloat16 matrices (Chowdhery et al. 2022, PaLM, appendix B). What activation checkpointing computes
again does not count.
"""

import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

# Dense bfloat16 operations a second at their peak, from the makers' data sheets; the first that fits counts.
PEAK_FLOPS = {
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H200": 989e12,
    "H800": 989e12,
    "B200": 2250e12,
    "GH200": 989e12,
    "A100": 312e12,
    "A800": 312e12,
    "L40S": 362e12,
    "L40": 181e12,
    "A40": 150e12,
    "A10": 125e12,
    "L4": 121e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}


@dataclass
class ThroughputMeter:
    """Speeds over the last updates of this process. `updates`: of each its time, answer tokens and
    operations.

    The first update is not timed, because its set-up costs count for it: a speed needs two updates.
    """

    flops_per_token: float
    attention_flops: float
    peak: float | None
    updates: list[tuple[float, int, float]] = field(default_factory=list)

    def update(self, answers: int, lengths: Sequence[int]) -> None:
        """One update has ended: `answers` tokens of answers, in examples of these lengths."""
        flops = self.flops_per_token * sum(lengths) + self.attention_flops * sum(
            length * length for length in lengths
        )
        self.updates.append((time.monotonic(), answers, flops))

    @property
    def answer_tokens_per_second(self) -> float | None:
        """Answer tokens a second over the last updates."""
        return self._rate(1)

    @property
    def mfu(self) -> float | None:
        """The share of the device's peak, 0 to 1; None for a device whose peak is not known."""
        rate = self._rate(2)
        return None if rate is None or self.peak is None else rate / self.peak

    def _rate(self, column: int, most: int = 50) -> float | None:
        updates = self.updates[-most:]
        if len(updates) < 2:
            return None
        done = sum(update[column] for update in updates[1:])
        return float(done) / max(1e-9, updates[-1][0] - updates[0][0])


def make_meter(model: Any, device: Any, processes: int) -> ThroughputMeter:
    """A meter for a model; weights are counted as they are before they are sharded."""
    tuned = frozen = 0
    for name, weight in model.named_parameters():
        if weight.dim() < 2 or ("embed" in name and not _tied(model)):
            continue  # looked up, not multiplied
        if weight.requires_grad:
            tuned += weight.numel()
        else:
            frozen += weight.numel()
    text = model.config.get_text_config()
    heads = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    # Causal: half of 2 x 2 operations for each pair of tokens, and twice that in the backward pass.
    attention = 6 * text.num_hidden_layers * text.num_attention_heads * heads
    peak = peak_flops(device)
    return ThroughputMeter(6 * tuned + 4 * frozen, attention, peak * processes if peak else None)


def peak_flops(device: Any) -> float | None:
    """Operations a second of a device, where its name is known."""
    import torch

    if device.type != "cuda":
        return None
    return peak_flops_by_name(torch.cuda.get_device_name(device))


def peak_flops_by_name(name: str) -> float | None:
    """The peak of a GPU, in operations per second, by the name that its driver gives; None when it is not
    known.

    "NVIDIA A100-SXM4-80GB" is found as "A100".
    """
    if "Laptop" in name:  # another chip under the same number
        return None
    words = f" {name} "
    return next((peak for known, peak in PEAK_FLOPS.items() if re.search(rf"[ -]{known}[ -]", words)), None)


def peak_memory(device: Any) -> int:
    """The most memory that was held, in bytes: of the GPU, or of this process."""
    import torch

    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _tied(model: Any) -> bool:
    return bool(getattr(model.config.get_text_config(), "tie_word_embeddings", False))
