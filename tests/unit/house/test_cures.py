"""Every error that a user may meet says what would mend it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from unit.house.test_architecture import PACKAGES, ROOT, files, nodes_of

from trisect.errors import TrisectError
from trisect.indicators.forms.reasons import TEXTS, Reason

WITHOUT = {
    "CancelledExchangeError": "somebody wanted it to end",
    "CutShortError": "makes its own hint",
    "DeclinedError": "the person at the terminal said no",
    "InterruptedCommandError": "the person at the terminal pressed Ctrl-C",
    "RedLineError": "makes its own hint of the rule that was crossed",
    "RejectedError": "the sentence of every reason holds its cure",
    "UnforeseenError": "makes its own hint",
}
"""Classes whose errors are made without a hint, and why. One that is not made so must leave the list."""
SELF_EVIDENT = {
    Reason.BAD_FRAUD_ROLE: "names all that it may be",
    Reason.BAD_AI_TECHNIQUE: "names all that it may be",
    Reason.BAD_CONFIDENCE: "names all that it may be",
}


def family(root: type[TrisectError] = TrisectError) -> Iterator[type[TrisectError]]:
    yield root
    for child in root.__subclasses__():
        yield from family(child)


def classes() -> dict[str, type[TrisectError]]:
    """Give every class of the family that a file of the house defines, by name."""
    for path in files(*PACKAGES):
        if any(isinstance(node, ast.ClassDef) and node.name.endswith("Error") for node in nodes_of(path)):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return {kind.__name__: kind for kind in family()}


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def hinted(call: ast.Call) -> bool:
    """Tell whether a call gives a hint that is not plainly empty."""
    given = [one.value for one in call.keywords if one.arg == "hint"]
    return any(not isinstance(one, ast.Constant) or str(one.value).strip() for one in given)


def bare(path: Path, kinds: dict[str, type[TrisectError]]) -> Iterator[tuple[str, int]]:
    """Find where a file makes an error that has neither a hint nor its class's cure: class and line."""
    for node in nodes_of(path):
        if isinstance(node, ast.Call) and name_of(node) in kinds and not hinted(node):
            if not kinds[name_of(node)].cure:
                yield name_of(node), node.lineno
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name | ast.Attribute):
            raised = node.exc.attr if isinstance(node.exc, ast.Attribute) else node.exc.id
            if raised in kinds:  # raised as a class, without any words
                yield raised, node.lineno


def test_every_error_has_a_hint_or_its_class_a_cure():
    kinds, excused = classes(), set()
    for path in files(*PACKAGES):
        for kind, line in bare(path, kinds):
            assert kind in WITHOUT, f"{path.relative_to(ROOT)}:{line}: a {kind} without a hint"
            excused.add(kind)
    assert excused == set(WITHOUT)


def test_an_error_without_a_hint_carries_its_class_s_cure():
    cured = [kind for kind in classes().values() if kind.cure]
    assert cured
    for kind in cured:
        assert TrisectError.__init__ is kind.__init__, f"{kind.__name__} must pass its hint on"
        assert kind("it failed").hint == kind.cure
        assert kind("it failed", hint="do this").hint == "do this"


def test_the_sentence_of_every_reason_holds_its_cure():
    for reason, text in TEXTS.items():
        assert "; " in text or reason in SELF_EVIDENT, reason


def test_a_bare_error_is_found(tmp_path: Path):
    """The search itself: what it must find, and what it must leave alone."""
    source = tmp_path / "made_up.py"
    source.write_text(
        "raise BadInputError('no')\n"
        "raise errors.BadInputError('no', hint='')\n"
        "raise BadInputError\n"
        "raise BadInputError('no', hint='do this')\n"
        "raise VerificationError('no')\n"
        "raise ValueError('no')\n"
    )
    assert sorted(line for _, line in bare(source, classes())) == [1, 2, 3]
