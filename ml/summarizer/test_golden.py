"""golden/ is what this code writes; serving is tested against it."""

import json

from summarizer import golden


def test_golden_files_are_up_to_date():
    assert golden.content() == json.loads((golden.FOLDER / "masking.json").read_text(encoding="utf-8"))
