"""Which GPU's peak counts, by the name that the driver gives."""

import pytest

from core.train.throughput import PEAK_FLOPS, peak_flops_by_name


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H100 PCIe", "H100 PCIe"),
        ("NVIDIA H100 NVL", "H100 NVL"),
        ("NVIDIA GH200 480GB", "GH200"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("NVIDIA A40", "A40"),
        ("NVIDIA A40-48Q", "A40"),
        ("NVIDIA L40S", "L40S"),
        ("NVIDIA GeForce RTX 4090", "RTX 4090"),
    ],
)
def test_the_name_of_a_gpu_gives_its_peak(name, known):
    assert peak_flops_by_name(name) == PEAK_FLOPS[known]


@pytest.mark.parametrize(
    "name",
    [
        "NVIDIA RTX A4000",
        "NVIDIA A1000",
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "Tesla T4",
        "AMD Instinct MI300X",
    ],
)
def test_a_gpu_that_is_not_in_the_table_has_no_peak(name):
    assert peak_flops_by_name(name) is None
