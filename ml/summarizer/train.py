"""Train stage: wordings → out/summarizer/bundle, or skipped.json when it is not asked for.

The bundle:
    encoder_model.onnx, decoder_model_merged.onnx    int8, as optimum exports T5
    tokenizer.json
    summarizer.json      what serving needs beside the graphs, see `describe`
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import yaml
from common.protocol import JobError, log, progress, run_job

from summarizer import wordings
from summarizer.conversations import Writer
from summarizer.entities import SPEC, Masker
from summarizer.examples import FIELDS, PROMPT, SO_FAR, example
from summarizer.settings import Settings, read_settings
from summarizer.taxonomy import (
    ISSUES,
    NO_REQUEST,
    NO_REQUEST_SENTENCE,
    RESOLUTIONS,
    SLOTS,
    summary_words,
)
from summarizer.tokenizer import common_words

OUT = Path("out/summarizer")
VERSION = 1
# Turns after which a long conversation is cut for training, and the share of shorter ones that is cut too.
PART = 24
CUT_SHARE = 0.12
# Conversations that a process makes at a time.
SHARE = 500


def masker() -> Masker:
    return Masker.load(wordings.starters(wordings.training()), common_words())


def examples(seed: int, count: int) -> list[tuple[str, str]]:
    """Sources and targets of `count` conversations; of long ones, of each part. The same seed makes the same."""
    parts = [(f"{seed} {begin}", min(SHARE, count - begin)) for begin in range(0, count, SHARE)]
    # Processes that are forked would inherit PyTorch's threads, which do not run in them.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return [row for rows in pool.map(_examples, *zip(*parts, strict=True)) for row in rows]


def _examples(seed: str, count: int) -> list[tuple[str, str]]:
    writer = Writer(wordings.training(), seed)
    mask = masker()
    made = []
    for _ in range(count):
        conversation = writer.conversation()
        turns = len(conversation.turns)
        cuts = [0]
        if turns > PART:
            while turns - cuts[-1] > PART:
                cuts.append(cuts[-1] + writer.random.randint(PART // 2, PART))
        elif turns > 3 and writer.random.random() < CUT_SHARE:
            cuts.append(writer.random.randint(max(1, conversation.opened), turns - 1))
        for begin, end in zip(cuts, [*cuts[1:], turns], strict=True):
            if end > begin:
                made.append(example(mask, conversation, begin, end)[:2])
    return made


def describe(settings: Settings) -> dict[str, object]:
    """What serving needs beside the model."""
    return {
        "version": VERSION,
        "prompt": PROMPT,
        "soFar": SO_FAR,
        "fields": FIELDS,
        "mostTokens": settings.most_tokens,
        "start": settings.start,
        # The last one is what a conversation without a request has.
        "issues": [
            *({"label": issue.label, "sentence": issue.sentence} for issue in ISSUES.values()),
            {"label": NO_REQUEST, "sentence": NO_REQUEST_SENTENCE},
        ],
        "resolutions": [asdict(resolution) for resolution in RESOLUTIONS.values()],
        "slots": SLOTS,
        "words": summary_words(),
        "entities": json.loads(SPEC.read_text()),
        "starters": wordings.starters(wordings.training()),
        "common": common_words(),
    }


def data_version() -> str:
    """Names what it learns from: the wordings and how they are put together."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for file in [
        *sorted(wordings.FOLDER.glob("*.txt")),
        here / "conversations.py",
        here / "taxonomy.py",
        SPEC,
    ]:
        digest.update(file.read_bytes())
    return f"conversations-{digest.hexdigest()[:12]}"


def train(out: Path, settings: Settings, seed: int) -> None:
    """Writes `out`/bundle (int8) and `out`/model (float32, for evaluation)."""
    from summarizer.export import export
    from summarizer.model import start
    from summarizer.reading import learn_to_read
    from summarizer.writing import learn_to_write

    try:
        model, tokenizer = start(settings, seed)
    except OSError as failure:
        log(str(failure))
        raise JobError(
            "MODEL_NOT_FOUND",
            f"There is no model {settings.start} to start from, in a folder or on the model hub.",
        ) from failure

    log(f"{model.num_parameters():,} parameters")
    if settings.start == "scratch":
        learn_to_read(model.encoder.reader, tokenizer, masker(), settings.readings, seed)
    progress(0.31, "write conversations")
    rows = examples(seed, settings.conversations)
    learn_to_write(model, tokenizer, rows, settings, seed, out / "checkpoints")

    progress(0.92, "export to ONNX")
    (out / "model").mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out / "model")
    tokenizer.save_pretrained(out / "model")
    export(out / "model", out / "bundle")
    (out / "bundle" / "summarizer.json").write_text(json.dumps(describe(settings), ensure_ascii=False) + "\n")


def main() -> None:
    parameters = yaml.safe_load(Path("params.yaml").read_text()) if Path("params.yaml").exists() else {}
    settings = read_settings(parameters.get("summarizer"))
    shutil.rmtree(OUT / "bundle", ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "skipped.json").unlink(missing_ok=True)
    if "summarizer" not in parameters.get("models", ["summarizer"]):
        (OUT / "skipped.json").write_text(json.dumps({"reason": "Not among the models to train."}) + "\n")
        return
    if importlib.util.find_spec("torch") is None:
        raise JobError(
            "SUMMARIZER_NOT_INSTALLED",
            "Training the summarizer needs PyTorch, which is not installed here: run `npm run setup:summarizer`.",
        )
    train(OUT, settings, int(parameters.get("seed", 7)))
    progress(1, "summarizer trained")


if __name__ == "__main__":
    run_job(main)
