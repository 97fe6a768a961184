"""What a plan makes of a stack."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deixis.errors import SettingsError
from deixis.evaluation.ablations.plan import Change, Plan, Variant, repetitions, settings_of
from deixis.settings import Settings

PLAN: dict[str, Any] = {"gold": "gold.jsonl", "variants": [{"name": "first"}]}


def plan_of(folder: Path, **more: Any) -> Path:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **more}))
    return path


def test_a_variant_stands_above_its_plan_key_by_key(tmp_path: Path) -> None:
    below = {"roles": {"voter": "a:b", "reader": None}, "options": {"top_k": 3}, "limit": 9}
    own = {"name": "own", "roles": {"voter": "c:d"}, "limit": 2, "gold_mentions": False}
    path = plan_of(tmp_path, **below, gold_mentions=True, variants=[{"name": "first"}, own])
    plan = Plan.load(path)
    first, second = (variant.over(plan) for variant in plan.variants)
    assert type(first) is Change and first.roles == below["roles"]
    assert (first.limit, first.gold_mentions) == (9, True)
    assert second.roles == {"voter": "c:d", "reader": None} and second.options == {"top_k": 3}
    assert (second.limit, second.gold_mentions) == (2, False)


def test_settings_are_those_of_the_stack_with_what_differs(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("types: [{name: SHIP, description: a ship, crf: OTHER}]\n")
    change = Change(
        stack="starter",
        roles={"committee": "none", "detector": None},
        options={"top_k": 2, "prompts": "my-prompts", "cache_folder": "/answers"},
        types="mine.yaml",
        graph_options={"ask_about": None},
    )
    settings = settings_of(change, tmp_path / "plan.yaml")
    assert settings.roles.committee == () and settings.roles.detector is None
    assert settings.roles.reader == Settings.load().roles.reader
    assert settings.options.top_k == 2 and settings.options.quorum == 2
    assert settings.options.prompts == tmp_path / "my-prompts"
    assert settings.options.cache_folder == Path("/answers")
    assert [kind.name for kind in settings.type_schema.types] == ["SHIP"]
    assert Settings.load().graph_options and settings.graph_options == {}


def test_another_graph_is_told_nothing_of_what_the_first_was(tmp_path: Path) -> None:
    change = Change(stack="starter", graph="riveg", graph_options={"shots": 0})
    settings = settings_of(change, tmp_path / "plan.yaml")
    assert (settings.graph, settings.graph_options) == ("riveg", {"shots": 0})


def test_a_seed_stands_wherever_the_plan_says(tmp_path: Path) -> None:
    roles = {"committee": ["m:a?seed=$seed", "m:b"], "vlm": "m:c?seed=1$seed"}
    variant = {"name": "v", "seeds": [4, 5], "roles": roles, "graph_options": {"seed": "$seed"}}
    plan = Plan.load(plan_of(tmp_path, variants=[variant]))
    found = repetitions(plan, plan.variants[0])
    assert [seed for seed, _ in found] == [4, 5]
    assert found[0][1].graph_options == {"seed": 4}, "a number stays one"
    assert found[1][1].roles == {"committee": ["m:a?seed=5", "m:b"], "vlm": "m:c?seed=15"}


def test_one_seed_is_a_number() -> None:
    assert Variant(name="v", seeds=3).seeds == (3,)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"options": {"limits": {"openai": {"concurency": 1}}}}, "did you mean 'concurrency'"),
        ({"options": {"prompts": 5}}, "options: prompts: "),
        ({"stack": "startr"}, "did you mean 'starter'"),
        ({"types": "gmnre"}, "gmnre"),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, Any], told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=told):
        settings_of(Change(**change), tmp_path / "plan.yaml")


def test_the_variant_is_named_where_it_is_wrong(tmp_path: Path) -> None:
    path = plan_of(tmp_path, variants=[{"name": "a"}, {"name": "b", "limit": 0}])
    with pytest.raises(SettingsError, match=r"plan.yaml: variant 'b': variants.1.limit: .*"):
        Plan.load(path)
    path = plan_of(tmp_path, variants=[{"name": "a", "about": "=SUM(A1)"}])
    with pytest.raises(SettingsError, match=r"variant 'a': variants.0.about"):
        Plan.load(path)
