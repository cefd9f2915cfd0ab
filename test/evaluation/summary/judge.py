"""Makes the conversations of `npm run evaluate:summary` and judges what was written of them.

    python judge.py make --wordings FILE --count N --seed S            > conversations, a line of JSON each
    python judge.py tweetsumm --file CSV                               > conversations of real people, with one reference each
    python judge.py score --conversations FILE --summaries FILE        > tables; last line: one JSON object

What a conversation's reference says is known, since it was planned before it was worded (ml/summarizer/conversations.py). The
wordings, names and products of held_out.txt are of an author that training never sees.
ROUGE is rouge-score's, with stemming: F-measures in per cent.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rouge_score.rouge_scorer import RougeScorer
from summarizer import wordings
from summarizer.baselines import first_and_longest, lead_three
from summarizer.conversations import Writer
from summarizer.examples import plain
from summarizer.scores import kind

ROUGE = ("rouge1", "rouge2", "rougeL")
WORD = re.compile(r"[^\W_][\w'’.,:/@#+-]*[^\W_]|[^\W_]")

Row = dict[str, Any]


def make(file: Path, count: int, seed: int) -> list[Row]:
    writer = Writer([wordings.read(file)], seed)
    return [plain(writer.conversation()) for _ in range(count)]


def tweetsumm(file: Path) -> list[Row]:
    """Turns alternate between the customer, who begins, and the agent."""
    rows = []
    with file.open(encoding="utf-8", newline="") as lines:
        for line in csv.DictReader(lines):
            texts = [text.strip() for text in line["inputs"].split("<BR>") if text.strip()]
            turns = [
                {"speaker": ("Customer", "Agent")[index % 2], "text": text}
                for index, text in enumerate(texts)
            ]
            rows.append({"turns": turns, "summary": line["summaries"], "resolution": ""})
    return rows


def pairs(row: Row) -> list[tuple[str, str]]:
    return [(turn["speaker"], turn["text"]) for turn in row["turns"]]


def named(text: str, entities: Sequence[str]) -> set[str]:
    """Which of the entities a text names, in small letters."""
    small = text.lower()
    return {
        entity.lower()
        for entity in entities
        if re.search(rf"(?<!\w){re.escape(entity.lower())}(?!\w)", small)
    }


def unfounded(text: str, turns: Sequence[Row]) -> list[str]:
    """Numbers and names of a text that nobody said: words with a digit, and capitalised ones inside a sentence."""
    said = " ".join(f"{turn['speaker']} {turn['text']}" for turn in turns).lower()
    wrong = []
    for match in WORD.finditer(text):
        word = match[0]
        inside = not re.search(r"(?:^|[.!?:“]\s*)$", text[: match.start()])
        if (re.search(r"\d", word) or (inside and word[0].isupper())) and word.lower() not in said:
            wrong.append(word)
    return wrong


def rouge(scorer: RougeScorer, rows: Sequence[Row], texts: Sequence[str]) -> dict[str, float]:
    totals = dict.fromkeys(ROUGE, 0.0)
    for row, text in zip(rows, texts, strict=True):
        found = scorer.score(f"{row['summary']} {row['resolution']}".strip(), text)
        for name in ROUGE:
            totals[name] += 100 * found[name].fmeasure
    return {name: value / max(len(rows), 1) for name, value in totals.items()}


def score(rows: Sequence[Row], written: Sequence[Row]) -> tuple[list[list[str]], dict[str, Any]]:
    """`written`: {summary, keyIssue, resolution, resolved, by, ms}. Returns a table and the headline figures."""
    scorer = RougeScorer(list(ROUGE), use_stemmer=True)
    count = max(len(rows), 1)
    texts = {
        "ours": [one["summary"] for one in written],
        "first and longest turn": [first_and_longest(pairs(row)) for row in rows],
        "first three turns": [lead_three(pairs(row)) for row in rows],
    }
    # With references of our own making, all is known; of real conversations, one wording.
    known = all("entities" in row for row in rows)
    table = [["", "ROUGE-1", "ROUGE-2", "ROUGE-L", *(["entities"] if known else [])]]
    entity = 0.0
    for name, told in texts.items():
        figures = rouge(scorer, rows, told)
        line = [name, *(f"{figures[key]:.1f}" for key in ROUGE)]
        if known:
            both = either = 0
            for row, text in zip(rows, told, strict=True):
                wanted = {value.lower() for value in row["entities"]}
                there = named(text, [*row["all"], *row["entities"]])
                both += len(wanted & there)
                either += len(wanted | there)
            line.append(f"{both / max(either, 1):.1%}")
            if name == "ours":
                entity = both / max(either, 1)
        table.append(line)
    wrong = [one for one, row in zip(written, rows, strict=True) if unfounded(one["summary"], row["turns"])]
    formed = sum(bool(one["summary"] and one["keyIssue"] and one["resolution"]) for one in written)
    headline: dict[str, Any] = {
        "entity": round(entity, 4) if known else None,
        "keyIssue": None,
        "resolved": None,
        "wellFormed": round(formed / count, 4),
        "unfaithfulServed": len(wrong),
        "msPerConversation": round(sum(one["ms"] for one in written) / count, 1),
    }
    if known:
        both_of = list(zip(rows, written, strict=True))
        right = {
            "keyIssue": sum(one["keyIssue"] == row["issue"] for row, one in both_of),
            "resolution": sum(kind(one["resolution"]) == kind(row["resolution"]) for row, one in both_of),
            "resolved": sum(one["resolved"] == row["resolved"] for row, one in both_of),
        }
        headline |= {name: round(right[name] / count, 4) for name in ("keyIssue", "resolved")}
        table += [[], *([name, f"{value / count:.1%}"] for name, value in right.items())]
    extracts = sum(one["by"] == "extractive" for one in written)
    table += [[], ["replaced by quotes", f"{extracts / count:.1%}"], ["unfaithful served", str(len(wrong))]]
    return table, headline


def read_lines(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("task", choices=["make", "tweetsumm", "score"])
    arguments.add_argument("--wordings", type=Path)
    arguments.add_argument("--file", type=Path)
    arguments.add_argument("--count", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--conversations", type=Path)
    arguments.add_argument("--summaries", type=Path)
    arguments.add_argument("--failures", action="store_true")
    options = arguments.parse_args()
    if options.task != "score":
        rows = (
            make(options.wordings, options.count, options.seed)
            if options.task == "make"
            else tweetsumm(options.file)
        )
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    rows, written = read_lines(options.conversations), read_lines(options.summaries)
    if options.failures:
        for row, one in zip(rows, written, strict=True):
            if one["keyIssue"] != row.get("issue") or one["resolved"] != row.get("resolved"):
                print(
                    json.dumps({"reference": row, "written": one}, ensure_ascii=False, indent=1),
                    file=sys.stdout,
                )
    table, headline = score(rows, written)
    for line in table:
        print(
            "  ".join(
                cell.ljust(24) if index == 0 else cell.rjust(9) for index, cell in enumerate(line)
            ).rstrip()
        )
    print(json.dumps(headline))


if __name__ == "__main__":
    main()
