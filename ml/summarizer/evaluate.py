"""Scores the exported int8 model, its float32 origin and the baselines on conversations of an author that training never saw."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from common.protocol import progress

from summarizer import wordings
from summarizer.baselines import Turns, first_and_longest, lead_three
from summarizer.conversations import Conversation, Reference, Writer
from summarizer.entities import Masked, Masker, restore
from summarizer.examples import example
from summarizer.scores import Judged, score
from summarizer.train import data_version

JUDGING = Path(__file__).with_name("judging")
CONVERSATIONS = 400
BATCH = 16
MOST_NEW_TOKENS = 96
# ROUGE-1 points that int8 may lose.
MOST_LOST = 0.5

_FORM = re.compile(r"^<ISSUE>(.+?)<SUMMARY>(.+?)<RESOLUTION>(.+?)<(RESOLVED|OPEN)>$")
# Sources of a batch → what the model wrote for each.
Write = Callable[[Sequence[str]], list[str]]


def judging_conversations(count: int, seed: int) -> list[Conversation]:
    """Short enough to be read at once: how parts are joined is for serving to know."""
    writer = Writer([wordings.read(file) for file in sorted(JUDGING.glob("*.txt"))], seed)
    made: list[Conversation] = []
    while len(made) < count:
        conversation = writer.conversation()
        if len(conversation.turns) <= 24:
            made.append(conversation)
    return made


def parse(text: str, masked: Masked) -> Reference | None:
    """What a model wrote, with its entities; None when it is not well-formed or names what nobody said."""
    match = _FORM.match(text.strip())
    if not match:
        return None
    issue, summary, resolution, flag = (part.strip() for part in match.groups())
    names = dict.fromkeys(re.findall(r"<[A-Z]+_\d+>", f"{summary} {resolution}"))
    try:
        return Reference(
            issue,
            restore(summary, masked.values),
            restore(resolution, masked.values),
            flag == "RESOLVED",
            tuple(masked.values[name] for name in names),
        )
    except KeyError:
        return None


def judge(write: Write, made: Sequence[Conversation], masker: Masker) -> list[Judged]:
    judged: list[Judged] = []
    for begin in range(0, len(made), BATCH):
        batch = made[begin : begin + BATCH]
        read = [example(masker, conversation) for conversation in batch]
        for conversation, (_, _, masked), text in zip(
            batch, read, write([source for source, _, _ in read]), strict=True
        ):
            judged.append(Judged(conversation, parse(text, masked)))
    return judged


def generator(folder: Path, bundle: Path | None = None) -> Write:
    """Greedy decoding: of the float32 model in `folder`, or of the graphs in `bundle` with the configuration of `folder`."""
    from summarizer.model import load

    model: Any
    model, tokenizer = load(folder)
    if bundle is not None:
        from optimum.onnxruntime import ORTModelForSeq2SeqLM

        for name in ("config.json", "generation_config.json"):
            (bundle.parent / "serving").mkdir(exist_ok=True)
            (bundle.parent / "serving" / name).write_bytes((folder / name).read_bytes())
        for file in bundle.glob("*.onnx"):
            link = bundle.parent / "serving" / file.name
            link.unlink(missing_ok=True)
            link.symlink_to(file.resolve())
        model = ORTModelForSeq2SeqLM.from_pretrained(bundle.parent / "serving", use_merged=True)

    def write(sources: Sequence[str]) -> list[str]:
        read = tokenizer(list(sources), padding=True, truncation=True, max_length=512, return_tensors="pt")
        written = model.generate(
            input_ids=read["input_ids"],
            attention_mask=read["attention_mask"],
            max_new_tokens=MOST_NEW_TOKENS,
            num_beams=1,
        )
        return [re.sub(r"<pad>|</s>", "", tokenizer.decode(ids)).strip() for ids in written]

    return write


def quoted(made: Conversation, baseline: Callable[[Turns], str]) -> Judged:
    """A baseline names what it quotes; of issue and outcome it knows nothing, and says the same of all."""
    text = baseline([(turn.speaker, turn.text) for turn in made.turns])
    told = tuple({value for value in made.others if value.lower() in text.lower()})
    return Judged(made, Reference("Late delivery", text, "", True, told))


def rouge() -> Callable[[str, str], dict[str, float]]:
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=True)
    return lambda reference, text: {
        name: value.fmeasure for name, value in scorer.score(reference, text).items()
    }


def evaluate(_data: Path, out: Path) -> dict[str, Any]:
    """{scores, dataVersion, synthetic}.

    Scores by who was measured: ours (int8), float32, and the baselines lead3 and firstAndLongest."""
    bundle = json.loads((out / "bundle" / "summarizer.json").read_text())
    masker = Masker(bundle["entities"], bundle["starters"], bundle["common"])
    made = judging_conversations(CONVERSATIONS, seed=11)
    scorer = rouge()
    progress(0.1, "evaluate the summarizer")
    ours = score(judge(generator(out / "model", out / "bundle"), made, masker), scorer)
    full = score(judge(generator(out / "model"), made, masker), scorer)
    ours["lostByInt8"] = max(0.0, full["rouge1"] - ours["rouge1"])
    scores = {
        "ours": ours,
        "float32": full,
        "lead3": score([quoted(one, lead_three) for one in made], scorer),
        "firstAndLongest": score([quoted(one, first_and_longest) for one in made], scorer),
    }
    # It learns from conversations of its own, not from the dataset of the shop.
    return {"scores": scores, "dataVersion": data_version(), "synthetic": True}
