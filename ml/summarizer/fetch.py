"""Brings a T5 of the model hub, or of a folder, as ONNX in int8: `python -m summarizer.fetch NAME OUT`."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import tempfile
from pathlib import Path


def fetch(name: str, out: Path) -> None:
    """Writes `out` whole or not at all. @raises OSError where there is no such model"""
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    from summarizer.export import export

    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        model, bundle = Path(folder) / "model", Path(folder) / "bundle"
        T5ForConditionalGeneration.from_pretrained(name).save_pretrained(model)
        AutoTokenizer.from_pretrained(name).save_pretrained(model)
        export(model, bundle)
        # What a training of ours left beside its weights tells how they are to be used.
        description = Path(name) / "summarizer.json"
        if description.exists():
            shutil.copyfile(description, bundle / "summarizer.json")
        shutil.rmtree(out, ignore_errors=True)
        bundle.rename(out)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("name")
    arguments.add_argument("out", type=Path)
    options = arguments.parse_args()
    if importlib.util.find_spec("torch") is None:
        raise SystemExit(
            "This needs PyTorch, which is not installed here: run `npm run setup:summarizer` first."
        )
    try:
        fetch(options.name, options.out)
    except OSError as failure:
        raise SystemExit(
            f"There is no T5 named {options.name}, in a folder or on the model hub: {failure}"
        ) from None


if __name__ == "__main__":
    main()
