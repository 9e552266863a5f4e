"""Prints, as JSON, what this Python has for a worker of PyTorch and TRL: packages, device, driver.

    python report.py torch transformers ...
"""

import importlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import warnings


def main(names: list[str]) -> None:
    # Unsloth changes what is imported after it.
    ordered = sorted(names, key=lambda name: not name.startswith("unsloth"))
    packages = {name: package(name) for name in ordered}
    found = {name: about["version"] for name, about in packages.items() if about["version"]}
    print(
        "\n"
        + json.dumps(
            {
                "python": platform.python_version(),
                "packages": packages,
                "clashes": [text for name in found for text in clashes(name, found)],
                "torch": torch_build() if "torch" in found and not packages["torch"]["error"] else None,
                "gpu": gpu(),
            }
        )
    )


def package(name: str) -> dict:
    """Its version, and why it cannot be imported; the last line says it."""
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return {"version": None, "error": "it is not installed"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 (some end the process where a GPU is missing)
        lines = str(error).strip().splitlines() or [""]
        return {"version": version, "error": f"{type(error).__name__}: {lines[0]}"}
    return {"version": version, "error": None}


def clashes(name: str, found: dict[str, str]) -> list[str]:
    """What a package wants of the others and does not get."""
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return []
    texts = []
    for line in importlib.metadata.requires(name) or []:
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        have = found.get(requirement.name.replace("-", "_"), found.get(requirement.name))
        if have and not requirement.specifier.contains(have.split("+")[0], prereleases=True):
            texts.append(f"{name} {found[name]} wants {requirement.name} {requirement.specifier}, and {have} is installed")
    return texts


def torch_build() -> dict:
    """What PyTorch was built for and what it finds."""
    import torch

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        available = torch.accelerator.is_available()
    build = {
        "cuda": torch.version.cuda,
        "hip": torch.version.hip,
        "device": None,
        "count": 0,
        "memory": None,
        "warnings": [str(warning.message).splitlines()[0] for warning in said],
    }
    if available:
        type_ = torch.accelerator.current_accelerator().type
        module = getattr(torch, type_)
        build |= {"device": type_, "count": torch.accelerator.device_count()}
        if hasattr(module, "get_device_properties"):
            properties = module.get_device_properties(0)
            build |= {"device": properties.name, "memory": properties.total_memory}
    return build


def gpu() -> dict:
    """What the machine has, whatever PyTorch finds of it."""
    about = {"vendor": None, "name": None, "driver": None, "cuda": None}
    if shutil.which("nvidia-smi"):
        text = output(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"])
        if "," in text:
            name, driver = (part.strip() for part in text.splitlines()[0].rsplit(",", 1))
            newest = re.search(r"CUDA Version:\s*([\d.]+)", output(["nvidia-smi"]))
            return {"vendor": "NVIDIA", "name": name, "driver": driver, "cuda": newest and newest[1]}
    if os.path.exists("/dev/kfd"):
        version = "/sys/module/amdgpu/version"
        about |= {"vendor": "AMD", "driver": open(version).read().strip() if os.path.exists(version) else "amdgpu"}
    return about


def output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


if __name__ == "__main__":
    main(sys.argv[1:])
