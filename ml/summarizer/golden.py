"""Golden files: what serving must reproduce. `python -m summarizer.golden`, from the folder ml/, writes golden/ anew.

masking.json     starters, common, and conversations: their turns, the lines with placeholders, and what each stands for
bundle/          a tiny T5 of random weights, of which no word has ground; only with `--bundle`, which needs the training group
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from summarizer import wordings
from summarizer.conversations import Turn, Writer
from summarizer.entities import Masker
from summarizer.examples import lines, roles

FOLDER = Path(__file__).parent / "golden"
CONVERSATIONS = 120
# What no generator says.
ODD = [
    [
        "alice|HELLO THIS IS THE THIRD TIME I ASK WHERE IS MY PARCEL HM-12",
        "Bob|Hi Alice, order #HM-12 — due 3rd of May, ok?",
    ],
    ["X|", "X|   ", "Y|\ue001 marks \uf8ff of others \ue000"],
    [
        "User|My order SO 034341 … “Lucky Cat Bank” isn't here!",
        "Agent|I've seen it. I'm Mia. It's 12,50 € or €12.50?",
    ],
    [
        "Customer|😀😀 Øystein Ålesund-Öz, 12 Rue de la Paix, 75002 Paris, France",
        "Agent|(555) 123-4567 or +44 20 7946 0123",
    ],
    [
        "Customer|visit https://shop.example/x?y=1, mail a.b+c@mail.example.org. Size M or XL, 3 to 5 days, 2026-11-27 and 27/11"
    ],
    [
        "Nguyễn Thu Hà|Ễ, it's about order KT.895377, for Ánh Đặng Ngọc.",
        "Agent|INT.226667? PO.12 is no order.",
    ],
    ["Customer|" + " ".join(f"Name{'abcdefghij'[n % 10] * (n // 10 + 1)} Person and" for n in range(30))],
]


def content() -> dict[str, Any]:
    starters, common = wordings.starters(wordings.training()), ["grand", "hello", "water", "parcel", "order"]
    masker = Masker.load(starters, common)
    writer = Writer(wordings.training(), seed=3)
    odd = [[Turn(*said.split("|", 1), customer=False) for said in conversation] for conversation in ODD]
    rows = []
    for turns in [*odd, *(writer.conversation().turns for _ in range(CONVERSATIONS))]:
        masked = masker.mask(lines(turns, roles([turn.speaker for turn in turns])))
        rows.append(
            {
                "turns": [[turn.speaker, turn.text] for turn in turns],
                "texts": masked.texts,
                "values": masked.values,
            }
        )
    return {"starters": starters, "common": common, "conversations": rows}


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content(), ensure_ascii=False, indent=0)
    (folder / "masking.json").write_text(text + "\n", encoding="utf-8")


def write_bundle(folder: Path) -> None:
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    from summarizer.export import export
    from summarizer.settings import Settings
    from summarizer.tokenizer import build
    from summarizer.train import describe

    torch.manual_seed(7)
    with tempfile.TemporaryDirectory() as scratch:
        like, _ = build(500, Path(scratch))
        size = {"d_model": 32, "d_kv": 16, "num_heads": 2, "d_ff": 32, "num_layers": 1}
        ends = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
        model = T5ForConditionalGeneration(T5Config(vocab_size=len(like), **size, **ends))
        model.save_pretrained(scratch)
        export(Path(scratch), folder)
    (folder / "summarizer.json").write_text(
        json.dumps(describe(Settings()) | {"words": []}, ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    write(FOLDER)
    if "--bundle" in sys.argv:
        write_bundle(FOLDER / "bundle")
